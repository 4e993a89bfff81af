package docker

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"berth/internal/agent"
)

// Stats implements agent.Containers. The engine tells nothing of interfaces that it has not made, and nothing at all of a container that shares them: what such a
// container uses is read from its control groups, and its interfaces are those of its network namespace, told of the one that the others share.
func (e *Engine) Stats(ctx context.Context, id string) (s container.StatsResponse, err error) {
	inspected, err := e.api.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	if err != nil {
		return s, tell(err)
	}
	c := inspected.Container
	if c.HostConfig != nil && c.State != nil && c.State.Pid != 0 && (c.HostConfig.NetworkMode.IsNone() || c.HostConfig.NetworkMode.IsContainer()) {
		s.ID, s.Name = c.ID, c.Name
		err := (groups{"/proc", "/sys/fs/cgroup"}).measure(c.State.Pid, &s)
		if err == nil && c.HostConfig.NetworkMode.IsNone() {
			s.Networks, err = interfaces(c.State.Pid)
		}
		if err != nil {
			err = fmt.Errorf("%w: %w", agent.ErrUnavailable, err)
		}
		return s, err
	}
	out, err := e.api.ContainerStats(ctx, id, client.ContainerStatsOptions{})
	if err != nil {
		return s, tell(err)
	}
	defer out.Body.Close()
	if err := json.NewDecoder(out.Body).Decode(&s); err != nil {
		return s, fmt.Errorf("%w: read its statistics: %w", agent.ErrUnavailable, err)
	}
	return s, nil
}

// interfaces are the statistics of a process's interfaces.
func interfaces(pid int) (map[string]container.NetworkStats, error) {
	f, err := os.Open("/proc/" + strconv.Itoa(pid) + "/net/dev")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readInterfaces(f)
}

// readInterfaces reads /proc/net/dev, without the loopback. A line is a name, then bytes, packets, errors and drops received and four more, and then
// the same of those sent (proc_net(5)).
func readInterfaces(r io.Reader) (map[string]container.NetworkStats, error) {
	found := map[string]container.NetworkStats{}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		name, rest, ok := strings.Cut(lines.Text(), ":")
		name = strings.TrimSpace(name)
		if !ok || name == "lo" {
			continue
		}
		var n [12]uint64
		fields := strings.Fields(rest)
		if len(fields) < len(n) {
			return nil, fmt.Errorf("read the statistics of interface %s: %d fields", name, len(fields))
		}
		for i := range n {
			var err error
			if n[i], err = strconv.ParseUint(fields[i], 10, 64); err != nil {
				return nil, fmt.Errorf("read the statistics of interface %s: %w", name, err)
			}
		}
		found[name] = container.NetworkStats{RxBytes: n[0], RxPackets: n[1], RxErrors: n[2], RxDropped: n[3],
			TxBytes: n[8], TxPackets: n[9], TxErrors: n[10], TxDropped: n[11]}
	}
	if err := lines.Err(); err != nil || len(found) == 0 {
		return nil, err
	}
	return found, nil
}
