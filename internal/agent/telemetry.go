package agent

import (
	"context"
	"sync"
	"time"

	"berth/internal/acsproto"
)

// sampleEvery is the period of the samples of CPU and memory.
const sampleEvery = time.Second

// sampler sums samples up, for each container that runs.
type sampler struct {
	mu     sync.Mutex
	series map[string]*series // by container id
}

// series are the samples of one container since they were last told.
type series struct {
	cpu     time.Duration // used at the last sample
	at      time.Time     // of the last sample
	cpuSet  acsproto.StatsSet
	memory  acsproto.StatsSet
	present bool
}

// running is a container to sample.
type running struct {
	id    string
	group Group
}

// sample reads what the running containers use, every second, until ctx ends.
func (a *Agent) sample(ctx context.Context) error {
	if a.Groups == nil {
		<-ctx.Done()
		return ctx.Err()
	}
	cpus := 0
	tick := time.NewTicker(sampleEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		list := a.running()
		if len(list) > 0 && cpus == 0 {
			m, err := a.Engine.Machine(ctx)
			if err != nil {
				continue
			}
			cpus = m.CPUs
		}
		a.stats.take(list, a.Groups, cpus)
	}
}

func (a *Agent) running() (list []running) {
	for _, t := range a.all() {
		t.view(func(r *Record) {
			for _, c := range r.Containers {
				if c.Phase == Up {
					list = append(list, running{c.ID, groupOf(r)})
				}
			}
		})
	}
	return list
}

// take adds one sample of each container and forgets those that are gone.
func (s *sampler) take(list []running, groups Groups, cpus int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.series == nil {
		s.series = map[string]*series{}
	}
	for _, r := range list {
		u, err := groups.Usage(r.group, r.id)
		if err != nil { // it has just ended, or its group is not where we look
			continue
		}
		if s.series[r.id] == nil {
			s.series[r.id] = &series{}
		}
		s.series[r.id].add(u, cpus, time.Now())
	}
	for id, one := range s.series {
		if !one.present {
			delete(s.series, id)
		}
		one.present = false
	}
}

// add adds a sample. A rate needs two.
func (s *series) add(u Usage, cpus int, now time.Time) {
	if wall := now.Sub(s.at); !s.at.IsZero() && wall > 0 && u.CPU >= s.cpu {
		percent := 100 * float64(u.CPU-s.cpu) / float64(wall) / float64(cpus)
		extend(&s.cpuSet, percent)
		extend(&s.memory, float64(u.MemoryBytes)/mib)
	}
	s.cpu, s.at, s.present = u.CPU, now, true
}

func extend(set *acsproto.StatsSet, v float64) {
	if set.SampleCount == 0 || v < set.Min {
		set.Min = v
	}
	if set.SampleCount == 0 || v > set.Max {
		set.Max = v
	}
	set.SampleCount++
	set.Sum += v
}

// drain returns a container's samples and begins anew; ok is false where there are none.
func (s *sampler) drain(id, name string) (m acsproto.ContainerMetrics, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one := s.series[id]
	if one == nil || one.cpuSet.SampleCount == 0 {
		return m, false
	}
	m = acsproto.ContainerMetrics{Name: name, CPU: one.cpuSet, Memory: one.memory}
	one.cpuSet, one.memory = acsproto.StatsSet{}, acsproto.StatsSet{}
	return m, true
}

// telemetrySource tells of an instance's tasks. It implements acs.Telemetry.
type telemetrySource struct{ *instance }

// Metrics returns the samples since the last call.
func (s *telemetrySource) Metrics(time.Time) (list []acsproto.TaskMetrics) {
	for _, t := range s.tasks() {
		t.view(func(r *Record) {
			m := acsproto.TaskMetrics{Task: t.arn, Family: r.Task.Family, Revision: r.Task.Version}
			for i := range r.Containers {
				c := &r.Containers[i]
				if one, ok := s.agent.stats.drain(c.ID, c.Name); ok && c.Phase == Up && !hidden(c.Name) {
					if r.ordered(c.Name).RestartPolicy != nil {
						one.Restarts, c.untold = &acsproto.RestartStats{Count: c.untold}, 0
					}
					m.Containers = append(m.Containers, one)
				}
			}
			if len(m.Containers) > 0 {
				list = append(list, m)
			}
		})
	}
	return list
}

// Health returns the health of the running containers that have a health check.
func (s *telemetrySource) Health(time.Time) (list []acsproto.TaskHealth) {
	for _, t := range s.tasks() {
		t.view(func(r *Record) {
			h := acsproto.TaskHealth{Task: t.arn, Family: r.Task.Family, Revision: r.Task.Version}
			for _, c := range r.Containers {
				if c.Phase == Up && c.Health != "" && r.ordered(c.Name).HealthCheckType != "" {
					h.Containers = append(h.Containers, acsproto.ContainerHealth{Name: c.Name, Status: c.Health, StatusSince: seconds(c.HealthSince)})
				}
			}
			if len(h.Containers) > 0 {
				list = append(list, h)
			}
		})
	}
	return list
}

// Statuses returns the condition of the engine.
func (s *telemetrySource) Statuses(time.Time) []acsproto.InstanceStatus {
	return s.agent.engine.report()
}
