package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/pflag"

	"berth/internal/metrics"
	"berth/internal/stream"
	"berth/internal/trace"
	"berth/internal/trail"
)

// observeOptions are the flags of what shows what a replica does.
type observeOptions struct {
	logFormat   string
	metricsOpen bool
	otlp        string
}

func (o *observeOptions) observeFlags(f *pflag.FlagSet) {
	f.StringVar(&o.logFormat, "log-format", "text", "text or json")
	f.BoolVar(&o.metricsOpen, "metrics-open", false, "serve /metrics to everybody, not to this machine only")
	f.StringVar(&o.otlp, "otlp", "", "send traces of tasks' starts to an OpenTelemetry collector, http://HOST:4318 (default: off)")
}

// logger writes to out as the flags say.
func (o *observeOptions) logger(out io.Writer, verbose bool) (*slog.Logger, error) {
	options := &slog.HandlerOptions{Level: slog.LevelInfo}
	if verbose {
		options.Level = slog.LevelDebug
	}
	switch o.logFormat {
	case "text":
		return slog.New(slog.NewTextHandler(out, options)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(out, options)), nil
	}
	return nil, fmt.Errorf("parse log format %q: want text or json", o.logFormat)
}

// observed is what shows what a replica does.
type observed struct {
	metrics     *metrics.Metrics
	stream      *stream.Hub
	tracer      *trace.Tracer     // nil while it is off
	trail       *trail.Trail      // nil while it is off
	provisioned *trail.Interfaces // what ECS does to network interfaces; nil while it is off
}

func newMetrics() *metrics.Metrics { return metrics.New(prometheus.NewRegistry(), version) }

// observe ties the replica's parts to the metrics, once they are there.
func (s *server) observe() error {
	if err := s.openTrail(); err != nil {
		return err
	}
	s.stream = stream.New(stream.Config{State: s.store, Log: s.log})
	s.instances.Observe, s.services.Observe, s.services.Placed = s.metrics.Look, s.metrics.Look, s.metrics.Placement
	s.pool.Observe = s.metrics.Look
	s.metrics.Ask(metrics.Known{
		State: s.store, Audit: s.auditSums(), Database: s.database(), Sessions: s.hub.Sessions, Readers: s.stream.Readers,
		Agents: func() metrics.AgentSums { return metrics.AgentSums(s.hub.Sums()) },
		Queues: map[string]func() int{"services": s.services.Depth, "instances": s.instances.Depth},
	})
	if s.options.otlp == "" {
		return nil
	}
	var err error
	if s.tracer, err = trace.New(trace.Config{State: s.store, URL: s.options.otlp, Version: version, Instance: s.options.listen, Log: s.log}); err != nil {
		return err
	}
	s.hub.Told = s.tracer.Told
	return nil
}

// database tells the size of the embedded etcd's file; nil where there is none.
func (s *server) database() func() (size, used int64) {
	if _, _, ok := s.backend.Size(); !ok {
		return nil
	}
	return func() (size, used int64) {
		size, used, _ = s.backend.Size()
		return size, used
	}
}

// run serves until ctx ends.
func (o *observed) run(ctx context.Context) error { return o.stream.Run(ctx) }

// end ends what is read for as long as the reader wants.
func (o *observed) end() {
	o.stream.End()
	if o.trail != nil {
		o.trail.End()
	}
}
