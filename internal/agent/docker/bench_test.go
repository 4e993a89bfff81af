package docker_test

import (
	"context"
	"fmt"
	"log/slog"
	"os/exec"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"

	"berth/internal/agent"
	"berth/internal/agent/docker"
	"berth/internal/agent/machine"
)

// BenchmarkLaunch takes the time from a task's order to its RUNNING report, beside that of the same container by the engine's own means.
func BenchmarkLaunch(b *testing.B) {
	for _, network := range []string{"none", "bridge"} {
		b.Run(network+"/agent", func(b *testing.B) {
			h := newHost(b)
			n := 1000
			var took []time.Duration
			for b.Loop() {
				n++
				one := h.task(n, c("a", polite...))
				one.NetworkMode = network
				began := time.Now()
				h.control.Run(one)
				for len(h.control.Reports(one.ARN)) == 0 {
					time.Sleep(200 * time.Microsecond)
				}
				took = append(took, time.Since(began))
				b.StopTimer()
				h.control.Stop(one.ARN)
				h.expect(one.ARN, "STOPPED a:STOPPED(143)")
				id := *h.control.Reports(one.ARN)[0].Containers[0].RuntimeId
				if err := h.engine.Remove(context.Background(), id); err != nil { // as below: its network is gone before the next one's comes
					b.Fatal(err)
				}
				b.StartTimer()
			}
			median(b, took)
		})
		b.Run(network+"/docker run -d", func(b *testing.B) {
			e := open(b)
			var took []time.Duration
			for b.Loop() {
				began := time.Now()
				out, err := exec.Command("docker", append([]string{"run", "-d", "--network", network, busybox}, polite...)...).Output()
				took = append(took, time.Since(began))
				if err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				if err := e.Remove(context.Background(), string(out[:64])); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
			median(b, took)
		})
	}
}

func median(b *testing.B, took []time.Duration) {
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "median-ms")
}

// BenchmarkForty starts forty tasks at once, and forty containers eight at a time through the engine's API.
func BenchmarkForty(b *testing.B) {
	const many = 40
	b.Run("agent", func(b *testing.B) {
		h := newHost(b)
		round := 0
		for b.Loop() {
			round++
			var arns []string
			for i := range many {
				one := h.task(round*1000+i, c("a", polite...))
				arns = append(arns, one.ARN)
				h.control.Run(one)
			}
			for _, arn := range arns {
				h.expect(arn, "RUNNING a:RUNNING")
			}
			b.StopTimer()
			for _, arn := range arns {
				h.control.Stop(arn)
			}
			for _, arn := range arns {
				h.expect(arn, "STOPPED a:STOPPED(143)")
			}
			b.StartTimer()
		}
	})
	b.Run("engine", func(b *testing.B) {
		e := open(b)
		for b.Loop() {
			names := eightAtATime(b, e, many)
			b.StopTimer()
			for _, n := range names {
				if err := e.Remove(context.Background(), n); err != nil {
					b.Error(err)
				}
			}
			b.StartTimer()
		}
	})
}

func eightAtATime(b *testing.B, e *docker.Engine, many int) (names []string) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	left := many
	for range 8 {
		wg.Go(func() {
			for {
				mu.Lock()
				left--
				name := fmt.Sprintf("bench-%d-%d", time.Now().UnixNano(), left)
				done := left < 0
				if !done {
					names = append(names, name)
				}
				mu.Unlock()
				if done {
					return
				}
				id, err := e.Create(context.Background(), agent.Spec{Name: name, Config: &container.Config{Image: busybox, Cmd: polite},
					HostConfig: &container.HostConfig{NetworkMode: "none"}})
				if err == nil {
					err = e.Start(context.Background(), id)
				}
				if err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
	return names
}

// BenchmarkStorage takes the time that bounding and measuring a task's ephemeral storage take: the first is part of each start of a Fargate task.
func BenchmarkStorage(b *testing.B) {
	e := open(b)
	ctx := context.Background()
	name := "berth-bench-storage-" + installation()
	id, err := e.Create(ctx, agent.Spec{Name: name, Config: &container.Config{Image: busybox, Cmd: polite}, HostConfig: &container.HostConfig{NetworkMode: "none"}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := e.Remove(ctx, id); err != nil {
			b.Error(err)
		}
	})
	root := func(ctx context.Context) (string, error) { m, err := e.Machine(ctx); return m.DataRoot, err }
	s, d := machine.OpenStorage(e, root, slog.New(slog.DiscardHandler)), agent.Disk{Task: "bench", LimitBytes: 1 << 30, Containers: []string{id}}
	for name, f := range map[string]func() error{
		"limit": func() error { return s.Limit(ctx, d) },
		"look":  func() error { _, err := s.Used(ctx, d); return err },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := f(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
