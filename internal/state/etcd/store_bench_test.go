package etcd_test

import (
	"context"
	"fmt"
	"sort"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/state"
	"berth/internal/state/etcd"
	"berth/internal/state/statetest"
)

// BenchmarkUpdate is the store as the server has it: closures that each change one task's record, on an embedded etcd.
func BenchmarkUpdate(b *testing.B) {
	for _, callers := range []int{1, 100, 1000} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			backend, err := etcd.Open(b.Context(), etcd.Config{Dir: b.TempDir()})
			if err != nil {
				b.Fatal(err)
			}
			defer backend.Close()
			b.Run("", func(b *testing.B) { update(b, statetest.Start(b, state.Config{Backend: backend}), callers) })
		})
	}
}

func update(b *testing.B, s *state.Store, callers int) {
	demo := arn.Scope{Region: "us-east-1", Account: "123456789012"}.Cluster("demo")
	definition := arn.TaskDefinition("arn:aws:ecs:us-east-1:123456789012:task-definition/web:1")
	var next atomic.Int64
	var mu sync.Mutex
	var took []time.Duration
	b.ResetTimer()
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
				began := time.Now()
				err := s.Update(context.Background(), func(tx *state.Tx) error {
					tx.Put(&ecs.Task{
						TaskArn: demo.Task(fmt.Sprintf("%032d", i%100_000)), TaskDefinitionArn: definition, ContainerInstanceArn: demo.Instance(fmt.Sprintf("%032d", i%1000)),
						Group: "service:web", StartedBy: "ecs-svc/1", Service: demo.Service("web"), DesiredStatus: ecs.Running, LastStatus: ecs.Running,
						Reserved: ecs.Resources{CPUUnits: 256, MemoryMiB: 512}, CreatedAt: began, Version: i,
					})
					return nil
				})
				if err != nil {
					b.Error(err)
				}
				mu.Lock()
				took = append(took, time.Since(began))
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	sort.Slice(took, func(i, j int) bool { return took[i] < took[j] })
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "updates/s")
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms/median")
}

// BenchmarkCommit is one transaction of the backend: a batch as the store makes it, and a single record.
func BenchmarkCommit(b *testing.B) {
	for _, writes := range []int{1, state.MaxBatchWrites} {
		b.Run(fmt.Sprintf("writes=%d", writes), func(b *testing.B) {
			backend, err := etcd.Open(b.Context(), etcd.Config{Dir: b.TempDir()})
			if err != nil {
				b.Fatal(err)
			}
			defer backend.Close()
			term, err := backend.Campaign(b.Context(), "bench")
			if err != nil {
				b.Fatal(err)
			}
			head, err := backend.Head(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			value := make([]byte, 600)
			n := head.N
			for b.Loop() {
				n++
				batch := make([]state.Write, writes)
				for i := range batch {
					batch[i] = state.Write{Kind: ecs.KindTask, Key: fmt.Sprintf("%032d", (int(n)*writes+i)%100_000), Value: value}
				}
				if err := term.Commit(b.Context(), n, batch); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(writes*b.N)/b.Elapsed().Seconds(), "puts/s")
		})
	}
}
