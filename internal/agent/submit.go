package agent

import (
	"context"
	"errors"
	"time"

	"github.com/aws/smithy-go"

	"berth/internal/acs"
)

// submit sends a report once. Whatever comes of it, the task looks again: it sends the newest state then, if that is not accepted yet.
func (t *task) submit(ctx context.Context, rep *Report) {
	err := t.send(ctx, rep)
	now := time.Now()
	t.mu.Lock()
	t.reporting = false
	if err == nil {
		t.retry.reset()
		t.rec.Accepted, t.rec.Closed = rep.Digest, *rep.Input.Status == "STOPPED"
		t.dirty = true
	} else {
		t.retry.fail(now)
	}
	t.mu.Unlock()
	if err != nil && ctx.Err() == nil && !errors.Is(err, acs.ErrTold) {
		t.log.Warn("report not accepted, trying again", "status", *rep.Input.Status, "err", err)
	}
	t.poke()
}

// send sends a report. One that the control plane calls invalid would be so for ever: it counts as accepted.
func (t *task) send(ctx context.Context, rep *Report) error {
	if err := t.in.reports.Acquire(ctx, 1); err != nil {
		return err
	}
	defer t.in.reports.Release(1)
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	_, err := t.in.api.SubmitTaskStateChange(ctx, rep.Input)
	err = t.in.right("ecs:SubmitTaskStateChange", err)
	var api smithy.APIError
	if errors.As(err, &api) && api.ErrorCode() == "InvalidParameterException" {
		t.log.Error("report dropped, the control plane calls it invalid", "status", *rep.Input.Status, "err", err)
		return nil
	}
	return err
}
