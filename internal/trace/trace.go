// Package trace tells an OpenTelemetry collector how tasks came to run: one trace a task, made of its record's own times when the report that
// it runs has been committed. While it is off there is nothing of it; while it is on it follows the published commits and holds nobody up.
package trace

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/state"
)

// Config is what a tracer is made of.
type Config struct {
	State *state.Store
	// URL is where the collector takes OTLP over HTTP: http://HOST:4318. A path other than /v1/traces may be given. The OTEL_EXPORTER_OTLP
	// variables of the environment add headers and certificates.
	URL               string
	Version, Instance string // of this replica
	Log               *slog.Logger
}

// Tracer makes the traces of one replica.
type Tracer struct {
	Config

	mu   sync.Mutex
	told map[arn.Task]times
}

// times are those of a task that no record has: when its agent was sent it, and when it acked.
type times struct{ sent, acked time.Time }

// mostTold bounds the tasks whose agents' times are kept until they run. The traces of others lack two spans.
const mostTold = 200_000

// New checks the URL.
func New(c Config) (*Tracer, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("parse the collector's URL %q: want http://HOST:PORT", c.URL)
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/v1/traces"
	}
	c.URL = u.String()
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Tracer{Config: c, told: map[arn.Task]times{}}, nil
}

// Told notes when an agent was sent a task, and when it acked. It never waits.
func (t *Tracer) Told(task arn.Task, acked bool) {
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	at, known := t.told[task]
	switch {
	case acked && known && at.acked.IsZero():
		at.acked = now
	case !acked && !known && len(t.told) < mostTold:
		at.sent = now
	default:
		return
	}
	t.told[task] = at
}

// forget returns a task's times and drops them.
func (t *Tracer) forget(task arn.Task) times {
	t.mu.Lock()
	defer t.mu.Unlock()
	at := t.told[task]
	delete(t.told, task)
	return at
}

// Run makes traces until ctx ends, which is while this replica leads, and then hands over what it has.
func (t *Tracer) Run(ctx context.Context) error {
	// The commits are followed before the exporter is made, so that nothing falls between.
	sub := t.State.Subscribe()
	defer sub.Close()
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(t.URL))
	if err != nil { // no reason to stop leading
		t.Log.Error("traces are off: the exporter cannot be made", "url", t.URL, "err", err)
		<-ctx.Done()
		return nil
	}
	provider := sdk.NewTracerProvider(
		// A full queue makes this loop wait, and what it misses meanwhile is told as missed: nothing is lost in silence.
		sdk.WithBatcher(&exports{exporter, t.Log}, sdk.WithMaxQueueSize(8192), sdk.WithMaxExportBatchSize(1024), sdk.WithBatchTimeout(time.Second), sdk.WithBlocking()),
		sdk.WithIDGenerator(identities{}), sdk.WithSampler(sdk.AlwaysSample()),
		sdk.WithResource(resource.NewSchemaless(attribute.String("service.name", "berth"), attribute.String("service.version", t.Version),
			attribute.String("service.instance.id", t.Instance))),
	)
	defer t.close(ctx, provider)
	tracer := provider.Tracer("berth/internal/trace")
	for first := true; ; first = false {
		b, err := sub.Next(ctx)
		if err != nil {
			return nil // ctx has ended
		}
		if b.Resync && !first {
			t.Log.Warn("traces of some tasks are left out: the collector takes them too slowly, or the commits were loaded anew")
		}
		for _, c := range b.Changes {
			t.change(ctx, tracer, b.Snapshot, c)
		}
	}
}

func (t *Tracer) close(ctx context.Context, p *sdk.TracerProvider) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := p.Shutdown(ctx); err != nil {
		t.Log.Warn("the last traces were not handed over", "err", err)
	}
}

// change makes the trace of a task that runs now, or that has ended without.
func (t *Tracer) change(ctx context.Context, tracer trace.Tracer, v *state.Snapshot, c state.Change) {
	now, ok := c.New.(*ecs.Task)
	if !ok {
		return
	}
	if was, ok := c.Old.(*ecs.Task); !now.LastStatus.After(ecs.Activating) || ok && was.LastStatus.After(ecs.Activating) {
		return // not yet, or told already
	}
	way(now, v.Services.Get(now.Service), t.forget(now.TaskArn)).tell(ctx, tracer)
}

// exports logs what the collector does not take. The SDK would tell the whole process.
type exports struct {
	sdk.SpanExporter
	log *slog.Logger
}

// ExportSpans hands spans over.
func (e *exports) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	if err := e.SpanExporter.ExportSpans(ctx, spans); err != nil && !errors.Is(err, context.Canceled) {
		e.log.Warn("the collector did not take spans", "spans", len(spans), "err", err)
	}
	return nil
}
