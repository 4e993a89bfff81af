package storm

import (
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/e2e/site"
	"berth/internal/simulate"
)

// BenchmarkDaemon starts a service of strategy DAEMON over a fleet that is there, and then has instances join, one after another.
func BenchmarkDaemon(b *testing.B) {
	for _, instances := range []int{100, 1000} {
		b.Run(fmt.Sprintf("%dinstances", instances), func(b *testing.B) {
			for range b.N {
				s := site.OpenWith(b, 1, nil, func(r *site.Replica) {
					if *given == "" {
						return
					}
					var err error
					if r.Program, err = filepath.Abs(*given); err != nil {
						b.Fatal(err)
					}
				})
				daemon(b, s.Members[0], instances)
				s.Members[0].Kill()
			}
		})
	}
}

// The instances that join after the daemon's start, and how long each needs to start a task.
const (
	joining    = 50
	startDelay = 100 * time.Millisecond
)

// daemon measures from the call of CreateService until the control plane has taken the last report of a RUNNING task, and for each instance
// that joins from the answer to its registration, so with opening its session, until the same of its task, less its start delay.
func daemon(b *testing.B, r *site.Replica, instances int) {
	b.Helper()
	running := &reports{running: map[string]time.Time{}}
	machine := simulate.Config{CPUUnits: 1024, MemoryMiB: 1024, Telemetry: true, Reported: running.reported}
	r.StartFleet(instances, machine)
	began := time.Now()
	createDaemon(b, r)
	b.ReportMetric(running.wait(b, instances).Sub(began).Seconds(), "running-s")

	var joins []time.Duration
	for n := range joining {
		machine.StartDelay = startDelay
		var mu sync.Mutex
		var registered time.Time
		machine.Called = func(operation string, _ time.Duration, err error) {
			if operation == "RegisterContainerInstance" && err == nil {
				mu.Lock()
				defer mu.Unlock()
				registered = time.Now()
			}
		}
		r.StartFleet(1, machine)
		at := running.wait(b, instances+n+1)
		mu.Lock()
		joins = append(joins, at.Sub(registered)-startDelay)
		mu.Unlock()
	}
	slices.Sort(joins)
	b.ReportMetric(float64(joins[joining/2].Microseconds())/1000, "join-p50-ms")
	b.ReportMetric(float64(joins[joining-1].Microseconds())/1000, "join-worst-ms")
}

func createDaemon(b *testing.B, r *site.Replica) {
	b.Helper()
	_, err := r.Client().RegisterTaskDefinition(b.Context(), &awsecs.RegisterTaskDefinitionInput{
		Family: aws.String("daemon"), ContainerDefinitions: []types.ContainerDefinition{
			{Name: aws.String("app"), Image: aws.String("berth/hello:1"), Cpu: 10, Memory: aws.Int32(16), Essential: aws.Bool(true)},
		},
	})
	if err == nil {
		_, err = r.Client().CreateService(b.Context(), &awsecs.CreateServiceInput{
			ServiceName: aws.String("daemon"), TaskDefinition: aws.String("daemon"), SchedulingStrategy: types.SchedulingStrategyDaemon,
		})
	}
	if err != nil {
		b.Fatal(err)
	}
}

// reports are when the control plane took that tasks are RUNNING.
type reports struct {
	mu      sync.Mutex
	running map[string]time.Time // by task
	newest  time.Time
}

func (r *reports) reported(task, status string, at time.Time) {
	if status != "RUNNING" {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, told := r.running[task]; !told {
		r.running[task], r.newest = at, at
	}
}

// wait waits until n tasks are RUNNING, and returns since when.
func (r *reports) wait(b *testing.B, n int) (since time.Time) {
	b.Helper()
	site.Eventually(b, "the daemon runs everywhere", func() error {
		r.mu.Lock()
		defer r.mu.Unlock()
		if len(r.running) < n {
			return fmt.Errorf("%d of %d tasks are RUNNING", len(r.running), n)
		}
		since = r.newest
		return nil
	})
	return since
}
