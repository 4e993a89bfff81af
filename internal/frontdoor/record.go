package frontdoor

import (
	"log/slog"
	"time"
)

// record writes the request's one line in the log, and tells the metrics. Reads of a known caller and what agents say all the time are for
// debugging; faults of ours are errors.
func (x *exchange) record() {
	took := time.Since(x.start)
	switch x.handed {
	case forwarded: // the leader writes it down
		x.door.config.Log.Debug(forwarded, "path", x.r.URL.Path, "operation", x.target.operation, "duration", took)
		return
	case socketClosed, streamEnded:
		if x.handed == streamEnded {
			x.audit()
		}
		x.door.config.Log.Info(x.handed, "path", x.r.URL.Path, "caller", x.caller.ARN, "duration", took, "requestId", x.id)
		return
	}
	service, code := "", ""
	if x.target.service != nil {
		service = x.target.service.Name
	}
	if x.failure != nil {
		code = x.failure.Code
	}
	x.door.config.Observe(service, x.target.operation, code, x.status, took)
	x.audit()
	level := x.level()
	ctx := x.r.Context()
	if !x.door.config.Log.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("service", service), slog.String("operation", x.target.operation), slog.String("caller", x.caller.ARN),
		slog.Int("status", x.status), slog.String("code", code), slog.Duration("duration", took), slog.String("requestId", x.id),
	}
	if x.resource != "" {
		attrs = append(attrs, slog.String("resource", x.resource))
	}
	if x.asked != nil && len(x.asked.Tasks) > 0 {
		attrs = append(attrs, slog.Any("tasks", x.asked.Tasks))
	}
	if x.failure != nil && x.failure.Unwrap() != nil {
		attrs = append(attrs, slog.String("cause", x.failure.Unwrap().Error()))
	}
	x.door.config.Log.LogAttrs(ctx, level, "request", attrs...)
}

func (x *exchange) level() slog.Level {
	switch {
	case x.throttled: // a flood of them is no flood of lines
		return slog.LevelDebug
	case x.status >= 500 && x.r.Context().Err() == nil:
		return slog.LevelError
	case x.target.call != nil && (x.target.call.ReadOnly || x.target.call.Reads) && x.caller.ARN != "":
		return slog.LevelDebug
	case x.target.call != nil && x.target.call.Frequent && x.failure == nil:
		return slog.LevelDebug
	}
	return slog.LevelInfo
}
