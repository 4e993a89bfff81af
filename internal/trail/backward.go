package trail

import (
	"context"
	"errors"
)

// Backward is Newest with places as texts, for CloudTrail's API; before is "" for the end.
func (t *Trail) Backward(ctx context.Context, before string, yield func(line []byte, place string) bool) error {
	at, err := t.Last()
	if err == nil && before != "" {
		at, err = ParsePosition(before)
	}
	if err != nil {
		return err
	}
	return t.Newest(ctx, at, func(line []byte, at Position) bool { return yield(line, at.String()) })
}

// BadPlace reports whether an error is of a place that is none.
func (t *Trail) BadPlace(err error) bool { return errors.As(err, new(*ErrPosition)) }
