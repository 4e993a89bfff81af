// Package metrics shows what a replica does in Prometheus's form: what others tell it (requests, commits, looks, placements) in counters and
// histograms, and what they know (tasks, sessions, queues) when it is asked. It keeps to the registry that it is given.
package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"berth/internal/state"
)

// Metrics are the instruments that others write to. All methods may be called concurrently, and none of them waits.
type Metrics struct {
	Requests *Requests

	registry   *prometheus.Registry
	commits    map[string]prometheus.Observer // by outcome
	records    prometheus.Observer
	bytes      prometheus.Observer
	updates    prometheus.Counter
	looks      *prometheus.HistogramVec
	placements prometheus.Observer
	placed     prometheus.Counter
	refused    prometheus.Counter
}

// New makes the instruments and the collectors of the Go runtime and the process, in registry.
func New(registry *prometheus.Registry, version string) *Metrics {
	commits := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "berth_store_commit_duration_seconds", Help: "How long transactions of the store took, by outcome.", Buckets: fast,
	}, []string{"outcome"})
	records := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "berth_store_commit_records", Help: "How many records a transaction of the store wrote.", Buckets: []float64{1, 2, 5, 10, 20, 50, 80, 100, 120},
	})
	bytes := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "berth_store_commit_size_bytes", Help: "How many bytes of records a transaction of the store wrote.", Buckets: prometheus.ExponentialBuckets(1<<10, 4, 6),
	})
	placements := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "berth_placement_duration_seconds", Help: "How long it took to decide where tasks go.", Buckets: fast,
	})
	tasks := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "berth_placement_tasks_total", Help: "Tasks that found a place, and that found none.",
	}, []string{"outcome"})
	m := &Metrics{
		registry: registry, commits: map[string]prometheus.Observer{}, records: records, bytes: bytes, placements: placements,
		placed: tasks.WithLabelValues("placed"), refused: tasks.WithLabelValues("refused"),
		updates: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "berth_store_updates_total", Help: "Updates that were answered with a transaction of the store.",
		}),
		looks: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "berth_reconcile_duration_seconds", Help: "How long controllers took for one look at one key.", Buckets: fast,
		}, []string{"loop", "outcome"}),
	}
	for _, outcome := range []string{"committed", "refused", "unknown", "failed"} {
		m.commits[outcome] = commits.WithLabelValues(outcome)
	}
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "berth_build_info", Help: "The version that runs; always 1."}, []string{"version"})
	build.WithLabelValues(version).Set(1)
	registry.MustRegister(commits, records, bytes, m.updates, m.looks, placements, tasks, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.Requests = newRequests(registry)
	return m
}

// fast are the buckets of what takes milliseconds, in seconds.
var fast = []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

// Commit is for state.Config.Observe.
func (m *Metrics) Commit(c state.Committed) {
	m.commits[c.Outcome()].Observe(c.Took.Seconds())
	if c.Err == nil {
		m.records.Observe(float64(c.Records))
		m.bytes.Observe(float64(c.Bytes))
		m.updates.Add(float64(c.Updates))
	}
}

// Look is for a loop's Observe.
func (m *Metrics) Look(loop string, took time.Duration, err error) {
	outcome := "done"
	if err != nil {
		outcome = "failed"
	}
	m.looks.WithLabelValues(loop, outcome).Observe(took.Seconds())
}

// Placement is told of every decision where tasks go.
func (m *Metrics) Placement(placed, refused int, took time.Duration) {
	m.placements.Observe(took.Seconds())
	m.placed.Add(float64(placed))
	m.refused.Add(float64(refused))
}
