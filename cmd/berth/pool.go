package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"berth/internal/arn"
	"berth/internal/capacity"
	"berth/internal/controller"
	"berth/internal/provider"
	"berth/internal/vpc"
)

// poolOptions are the flags of Fargate's pool.
type poolOptions struct {
	command             []string
	zones               []string
	architectures       []string
	cpu, memory         int
	mostMembers         int
	mostCPU, mostMemory int
	spare               int
	idle, timeout       time.Duration
}

func defaultPool() poolOptions {
	return poolOptions{architectures: []string{"x86_64"}, cpu: 16384, memory: 65536, idle: 5 * time.Minute, timeout: 5 * time.Minute}
}

func (o *poolOptions) flags(f *pflag.FlagSet) {
	f.StringSliceVar(&o.command, "pool-provider", o.command, "Fargate: command that launches and terminates members of the pool, and its arguments, separated by commas "+
		"(docs/fargate-pool.md); without it the pool is the agents that have joined it")
	f.StringSliceVar(&o.zones, "pool-zones", o.zones, "Fargate: availability zones where members are launched (default: a, b and c of the region)")
	f.StringSliceVar(&o.architectures, "pool-architectures", o.architectures, "Fargate: architectures of members that can be launched: x86_64, arm64")
	f.IntVar(&o.cpu, "pool-member-cpu", o.cpu, "Fargate: CPU units of a new member; a larger task gets a member of its own size")
	f.IntVar(&o.memory, "pool-member-memory", o.memory, "Fargate: MiB of a new member")
	f.IntVar(&o.mostMembers, "pool-most-members", o.mostMembers, "Fargate: members at most; 0 no bound")
	f.IntVar(&o.mostCPU, "pool-most-cpu", o.mostCPU, "Fargate: CPU units of all members at most; 0 no bound")
	f.IntVar(&o.mostMemory, "pool-most-memory", o.mostMemory, "Fargate: MiB of all members at most; 0 no bound")
	f.IntVar(&o.spare, "pool-spare", o.spare, "Fargate: members without tasks that are kept ready")
	f.DurationVar(&o.idle, "pool-idle", o.idle, "Fargate: how long a member without tasks stays")
	f.DurationVar(&o.timeout, "pool-launch-timeout", o.timeout, "Fargate: how long a member may take to join")
}

// rules are the options as package capacity takes them.
func (o *poolOptions) rules(region string) capacity.Rules {
	zones := o.zones
	if len(zones) == 0 {
		zones = vpc.Zones(region)
	}
	return capacity.Rules{
		Member: capacity.Size{CPUUnits: o.cpu, MemoryMiB: o.memory}, Zones: zones, Architectures: o.architectures, MostMembers: o.mostMembers,
		Most: capacity.Size{CPUUnits: o.mostCPU, MemoryMiB: o.mostMemory}, IdleFor: o.idle, LaunchTimeout: o.timeout, Spare: o.spare,
		FirstBackoff: 2 * time.Second, LastBackoff: 2 * time.Minute, LaunchAtOnce: 200,
	}
}

// pool puts the controller of Fargate's pool together.
func (s *server) newPool() (*controller.Pool, error) {
	p := &controller.Pool{
		State: s.store, Rules: s.options.pool.rules(s.options.region), Log: s.log,
		Token: func(ctx context.Context) (string, error) {
			token, _, err := s.keys.NewJoinToken(ctx, arn.Pool, "")
			return token, err
		},
	}
	if c := s.options.pool.command; len(c) > 0 {
		command, err := provider.NewCommand(provider.Config{
			Path: c[0], Args: c[1:], Server: s.url(), Region: s.options.region, Installation: s.installation(),
		})
		if err != nil {
			return nil, fmt.Errorf("--pool-provider: %w", err)
		}
		p.Provider = command
	}
	return p, nil
}

// installation tells this installation's members from others.
func (s *server) installation() string {
	in, err := s.data.load()
	if err != nil {
		return ""
	}
	return in.ID
}

// localPoolSize is what all members of this machine's pool may have together.
func localPoolSize() (capacity.Size, error) {
	cpu, mib, err := machineSize()
	if err != nil {
		return capacity.Size{}, err
	}
	most, _ := localPoolSizes(int(cpu), int(mib))
	return most, nil
}

// localPoolSizes are the size of the pool of a machine, which its members share beside its container instances, and that of a member. There is room for
// a few small tasks in three zones, also where the machine is smaller than that; members are small, so that there is one for each zone.
func localPoolSizes(cpuUnits, memoryMiB int) (most, member capacity.Size) {
	most = capacity.Size{CPUUnits: max(cpuUnits, 2048), MemoryMiB: max(memoryMiB, 2048)}
	return most, capacity.Size{CPUUnits: 512, MemoryMiB: min(2048, most.MemoryMiB/4)}
}

// localPool are the flags of the server for the pool of this machine, whose members are instances of its one agent.
func (s *supervisor) localPool(self string) ([]string, error) {
	cpu, mib, err := machineSize()
	if err != nil {
		return nil, err
	}
	most, member := localPoolSizes(int(cpu), int(mib))
	return []string{
		"--pool-provider", strings.Join([]string{self, "pool-member", "--data", string(s.data)}, ","),
		"--pool-member-cpu", fmt.Sprint(member.CPUUnits), "--pool-member-memory", fmt.Sprint(member.MemoryMiB),
		"--pool-most-cpu", fmt.Sprint(most.CPUUnits), "--pool-most-memory", fmt.Sprint(most.MemoryMiB),
		"--pool-idle", "2m", "--pool-launch-timeout", "1m",
	}, nil
}
