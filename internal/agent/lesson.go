package agent

import (
	"context"
	"time"
)

// lesson is something that a task must know before its first container is created. It is read once, and kept in memory only.
type lesson struct {
	reading chan struct{} // size 1: who has put something in reads
	since   time.Time     // of the first try
	learned bool
}

func newLesson() lesson { return lesson{reading: make(chan struct{}, 1)} }

// learn reads a lesson, if it is not known yet, for the step on a container. errGivenUp: the task is on its way to stop.
func (t *task) learn(ctx context.Context, name string, l *lesson, read func(context.Context) error) error {
	ctx, over := t.abandonable(ctx, name)
	defer over()
	select {
	case l.reading <- struct{}{}:
		defer func() { <-l.reading }()
	case <-ctx.Done():
		return t.unlessStopping(ctx.Err())
	}
	learned := false
	t.view(func(*Record) {
		learned = l.learned
		if l.since.IsZero() {
			l.since = time.Now()
		}
	})
	if learned {
		return nil
	}
	return read(ctx)
}

// triedFor says whether a task has tried for so long to read a lesson.
func (t *task) triedFor(l *lesson, patience time.Duration) (is bool) {
	t.view(func(*Record) { is = time.Since(l.since) >= patience })
	return is
}

// unlessStopping is err, or errGivenUp where the task stops: Settle ends what was waited for.
func (t *task) unlessStopping(err error) error {
	t.view(func(r *Record) {
		if r.stopping() {
			err = errGivenUp
		}
	})
	return err
}
