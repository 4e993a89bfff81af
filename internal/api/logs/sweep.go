package logs

import (
	"context"
	"errors"
	"fmt"

	"berth/internal/logs"
)

// Sweep takes away what groups do not keep any more, and the streams and events of groups that are not there. It is for the leader to call, now and then
// (every few minutes): what it leaves, because it was ended, the next call sees as it is. What it finds wrong in one group keeps it from no other.
func (a *API) Sweep(ctx context.Context) error {
	there, err := a.groups.Groups(ctx) // first: a group is a record before the store hears of it
	if err != nil {
		return fmt.Errorf("sweep logs: %w", err)
	}
	known := map[string]*logs.Group{}
	for g := range a.store.View().LogGroups.All() {
		known[g.ID] = g
	}
	var wrong []error
	for _, id := range there {
		if ctx.Err() != nil {
			return fmt.Errorf("sweep logs: %w", ctx.Err())
		}
		g := known[id]
		switch {
		case g == nil:
			err = a.streams.Drop(ctx, logs.Span{Group: id})
		case g.RetentionInDays > 0:
			err = a.streams.Drop(ctx, logs.Span{Group: id, Before: retainedFrom(g)})
		default:
			continue
		}
		if err != nil {
			wrong = append(wrong, fmt.Errorf("sweep log group %s: %w", id, err))
		}
	}
	return errors.Join(wrong...)
}
