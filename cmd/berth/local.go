package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"

	"berth/internal/agent/managed"
	berthapi "berth/internal/api/berth"
	"berth/internal/vpc"
)

// localInstance is one of this machine's container instances, kept in instances.json.
type localInstance struct {
	Name        string
	Cluster     string
	HostAddress string
	CPUUnits    int64
	MemoryMiB   int64
	Zone        string
	External    bool     `json:",omitempty"`
	GPUs        []string `json:",omitempty"`
	Member      string   `json:",omitempty"` // of the Fargate pool: the id under which it was launched
	Runtime     string   `json:",omitempty"` // the engine's, for containers of Fargate tasks
	AccessKey   string
	SecretKey   string
	Managed     *managed.Machine `json:",omitempty"` // in place of a key: it has joined with an activation
}

// prepareInstances makes the local instances that are missing: each joins with a token of its own. Declared sizes split the machine.
func (s *supervisor) prepareInstances(ctx context.Context) error {
	var have []localInstance
	if err := s.data.read("instances.json", &have); err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("local instances: %w", err)
	}
	c, err := openClient(string(s.data))
	if err != nil {
		return err
	}
	cpu, mib, err := machineSize()
	if err != nil {
		return err
	}
	zones := vpc.Zones(s.in.Region)
	for n := len(have) + 1; n <= s.in.Instances; n++ {
		key, err := c.join(ctx)
		if err != nil {
			return fmt.Errorf("join local instance %d: %w", n, err)
		}
		have = append(have, localInstance{
			Name: fmt.Sprintf("local-%d", n), Cluster: key.Cluster, HostAddress: fmt.Sprintf("127.0.%d.%d", s.in.HostNet, n),
			Zone: zones[(n-1)%len(zones)], AccessKey: key.AccessKeyID, SecretKey: key.SecretAccessKey,
		})
	}
	have = have[:s.in.Instances]
	for i := range have {
		have[i].CPUUnits, have[i].MemoryMiB = cpu/int64(s.in.Instances), mib/int64(s.in.Instances)
	}
	return s.data.save("instances.json", have)
}

// reservedMiB is kept for the system and Berth itself.
const reservedMiB = 512

// machineSize is what tasks may have of this machine: CPU units and MiB.
func machineSize() (cpu, mib int64, err error) {
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return 0, 0, fmt.Errorf("size of this machine: %w", err)
	}
	total := int64(info.Totalram) * int64(info.Unit) >> 20
	return int64(runtime.NumCPU()) * 1024, max(total-reservedMiB, total/2), nil
}

// join makes a token and trades it for an instance's key.
func (c *client) join(ctx context.Context) (berthapi.Joined, error) {
	return c.joinCluster(ctx, "default")
}

func (c *client) joinCluster(ctx context.Context, cluster string) (berthapi.Joined, error) {
	var token struct{ Token string }
	if err := c.call(ctx, "CreateJoinToken", map[string]string{"cluster": cluster}, &token); err != nil {
		return berthapi.Joined{}, err
	}
	return berthapi.Trade(ctx, c.endpoint, token.Token)
}
