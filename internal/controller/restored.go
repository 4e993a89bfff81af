package controller

import (
	"context"
	"fmt"
	"strings"
	"time"

	"berth/internal/acsproto"
	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/state"
)

// After a restore from a snapshot the records are older than the machines. A task that was stopped, or never started, after the snapshot was
// taken looks as if it should start, and it must not run twice (I1). So no agent is asked to run a task of before the restore, and each such
// task is ended that its instance does not prove alive in time.

// restoreSetting is the name of the setting with the store's epoch and when it began.
const restoreSetting = "restore"

// proveWithin is how long instances have to prove their tasks.
const proveWithin = 2 * time.Minute

// restoreReason is the stopped reason of a task that nobody proved.
const restoreReason = "The task was not running on its container instance when the control plane was restored from a snapshot."

// NoteRestore records that the store has been restored since it was looked at last: a restore moves commit numbers into the next epoch of 2^32.
func NoteRestore(ctx context.Context, s *state.Store) error {
	epoch := s.View().N >> 32
	return s.Update(ctx, func(tx *state.Tx) error {
		var last uint64
		if r := tx.Settings.Get(restoreSetting); r != nil {
			if _, err := fmt.Sscan(r.Value, &last); err != nil {
				return fmt.Errorf("setting %s: %w", restoreSetting, err)
			}
		}
		if epoch > last {
			tx.Put(&ecs.Setting{Name: restoreSetting, Value: fmt.Sprintf("%d %s", epoch, stamp().Format(time.RFC3339Nano))})
		}
		return nil
	})
}

// RestoredAt is when the store was last restored, the zero time if it never was.
func RestoredAt(t *state.Tables) time.Time {
	r := t.Settings.Get(restoreSetting)
	if r == nil {
		return time.Time{}
	}
	_, text, _ := strings.Cut(r.Value, " ")
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}
	}
	return at
}

// seen remembers the tasks that telemetry names, as long as somebody wants to know.
func (c *Instances) seen(m acsproto.PublishMetrics) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.proven == nil {
		return
	}
	for _, t := range m.TaskMetrics {
		c.proven[arn.Task(t.Task)] = true
	}
}

// prove waits until instances had time to speak, and ends the tasks of before the restore that none spoke of.
func (c *Instances) prove(ctx context.Context) error {
	restored := RestoredAt(c.State.View().Tables)
	if restored.IsZero() || time.Since(restored) > 10*proveWithin {
		return nil
	}
	c.mu.Lock()
	c.proven = map[arn.Task]bool{}
	c.mu.Unlock()
	select {
	case <-ctx.Done():
		return nil
	case <-time.After(proveWithin):
	}
	c.mu.Lock()
	proven := c.proven
	c.proven = nil
	c.mu.Unlock()
	return c.endUnproven(ctx, restored, proven)
}

func (c *Instances) endUnproven(ctx context.Context, restored time.Time, proven map[arn.Task]bool) error {
	var lost []arn.Task
	for t := range c.State.View().Tasks.All() {
		if !t.Over() && !t.CreatedAt.After(restored) && !proven[t.TaskArn] && !startedSince(t, restored) {
			lost = append(lost, t.TaskArn)
		}
	}
	for len(lost) > 0 {
		n := min(90, len(lost))
		err := c.State.Update(ctx, func(tx *state.Tx) error {
			now := stamp()
			for _, a := range lost[:n] {
				if t := tx.Tasks.Get(a); t != nil && !startedSince(t, restored) && !t.Over() {
					tx.Put(t.Lost(restoreReason, now))
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		lost = lost[n:]
	}
	return nil
}

// startedSince: a report of its start came after the restore.
func startedSince(t *ecs.Task, at time.Time) bool { return t.StartedAt != nil && t.StartedAt.After(at) }
