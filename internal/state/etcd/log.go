package etcd

import (
	"context"
	"log/slog"
	"time"

	"go.uber.org/zap/zapcore"
)

// logCore hands etcd's log to slog, from warnings on.
type logCore struct {
	log    *slog.Logger
	fields []zapcore.Field
}

func (c logCore) Enabled(l zapcore.Level) bool { return l >= zapcore.WarnLevel }

func (c logCore) With(fields []zapcore.Field) zapcore.Core {
	c.fields = append(c.fields[:len(c.fields):len(c.fields)], fields...)
	return c
}

func (c logCore) Check(e zapcore.Entry, to *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(e.Level) && !expected(e) {
		return to.AddCore(e, c)
	}
	return to
}

// expected is what etcd warns of although it is meant so, or although the caller gets it as an error as well.
func expected(e zapcore.Entry) bool {
	switch e.Message {
	case "Running http and grpc server on single port. This is not recommended for production.", "simple token is not cryptographically signed",
		"retrying of unary invoker failed", "setting up serving from embedded etcd failed.", "failed to update storage version",
		"rejecting promote learner: learner is not ready",
		"rejecting member add request; local member has not been connected to majority peers, reconfigure breaks active quorum",
		"rejecting member remove request; local member has not been connected to all peers, reconfigure breaks active quorum":
		return true
	}
	return false
}

func (c logCore) Write(e zapcore.Entry, fields []zapcore.Field) error {
	encoded := zapcore.NewMapObjectEncoder()
	for _, f := range append(c.fields[:len(c.fields):len(c.fields)], fields...) {
		f.AddTo(encoded)
	}
	r := slog.NewRecord(time.Now(), level(e.Level), "etcd: "+e.Message, 0)
	for k, v := range encoded.Fields {
		r.AddAttrs(slog.Any(k, v))
	}
	return c.log.Handler().Handle(context.Background(), r)
}

func (c logCore) Sync() error { return nil }

func level(l zapcore.Level) slog.Level {
	if l >= zapcore.ErrorLevel {
		return slog.LevelError
	}
	return slog.LevelWarn
}
