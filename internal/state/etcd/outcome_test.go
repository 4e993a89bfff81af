package etcd

import (
	"context"
	"errors"
	"testing"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"berth/internal/state"
)

// TestOutcome: only what proves that nothing was applied is definite.
func TestOutcome(t *testing.T) {
	for _, c := range []struct {
		err      error
		definite bool
	}{
		{rpctypes.ErrNoSpace, true},
		{rpctypes.ErrRequestTooLarge, true},
		{rpctypes.ErrTooManyOps, true},
		{rpctypes.ErrDuplicateKey, true},
		{rpctypes.ErrTooManyRequests, true},
		{rpctypes.ErrPermissionDenied, true},
		{status.Error(codes.ResourceExhausted, "trying to send message larger than max"), true},
		{rpctypes.ErrTimeout, false},
		{rpctypes.ErrTimeoutDueToLeaderFail, false},
		{rpctypes.ErrTimeoutDueToConnectionLost, false},
		{rpctypes.ErrLeaderChanged, false},
		{rpctypes.ErrNoLeader, false},
		{rpctypes.ErrStopped, false},
		{rpctypes.ErrGRPCCanceled, false},
		{rpctypes.ErrCorrupt, false},
		{status.Error(codes.Unavailable, "connection reset"), false},
		{status.Error(codes.Internal, "stream broke"), false},
		{context.Canceled, false},
		{context.DeadlineExceeded, false},
		{errors.New("never seen before"), false},
	} {
		err, definite := outcome(c.err)
		if definite != c.definite || errors.Is(err, state.ErrUnknown) == c.definite {
			t.Errorf("%v: definite %v, error %v", c.err, definite, err)
		}
		if errors.Is(err, state.ErrNoSpace) != (c.err == rpctypes.ErrNoSpace) || !errors.Is(err, c.err) {
			t.Errorf("%v became %v", c.err, err)
		}
	}
}
