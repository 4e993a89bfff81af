package state

import (
	"context"
	"errors"
	"time"

	"berth/internal/ecs"
)

// Backend keeps commits durable and in one order, and elects the one replica that writes. state/etcd and state/mem are the two; backendtest
// holds them to this contract. All methods may be called concurrently.
type Backend interface {
	// Campaign waits until this replica is the leader, or until ctx ends. address is what the other replicas are told of it.
	// It checks its own lease and fence once more before it returns: a candidate whose lease has expired is no leader. It returns ErrNewer,
	// and will again, where the store's records are of a newer version than this replica knows.
	Campaign(ctx context.Context, address string) (Term, error)
	// Load yields every record as of the newest commit, in no particular order, and returns that commit's mark. It reads linearizably, so
	// that after Campaign it sees at least everything that was committed before this term. The bytes are the callee's to keep.
	Load(ctx context.Context, each func(Write) error) (Mark, error)
	// Follow calls apply for each commit after mark, in order and whole, until ctx ends or apply fails. It returns ErrCompacted when commits
	// after mark are gone: then the caller loads again.
	Follow(ctx context.Context, after Mark, apply func(Mark, []Write) error) error
	// Head reads the newest commit's mark linearizably.
	Head(ctx context.Context) (Mark, error)
	// Leader returns the leader's address, "" when there is none.
	Leader(ctx context.Context) (string, error)
}

// Term is one leader's time in office. Only one Commit is called at a time.
type Term interface {
	// Number is what the marks of this term's commits have as their Term.
	Number() uint64
	// Commit makes a batch durable as one transaction that holds only if this term's fence stands and the newest commit is number n-1.
	// It has three outcomes besides success:
	//   ErrRefused: the comparison failed. This leader is deposed (or its own lease has expired: the two look the same).
	//   ErrUnknown: whether it was applied cannot be told (timeout, change of etcd's leader). Head tells, once it answers.
	//   any other error is definite: nothing was applied, and the term goes on (ErrNoSpace, too large).
	Commit(ctx context.Context, n uint64, writes []Write) error
	// Version is the version of the records in the store, ecs.RecordVersion of the oldest replica when it was raised: nothing newer is written.
	Version() int
	// Raise waits until every replica of the installation is known to know a newer record version than Version, makes that the store's and
	// returns it. It fails with ErrRefused where this leader is deposed, and with ctx's error.
	Raise(ctx context.Context) (int, error)
	// Confirmed is when the lease was last known to hold, on the monotonic clock, and how long it holds from then.
	Confirmed() (at time.Time, lease time.Duration)
	// Done is closed once the lease is known to be lost.
	Done() <-chan struct{}
	// Resign gives the leadership up, so that another replica takes over at once.
	Resign(ctx context.Context) error
}

// Write puts a record's encoded value, or deletes the record where Value is nil.
type Write struct {
	Kind  ecs.Kind
	Key   string
	Value []byte
}

// Mark identifies a commit. Marks of later commits have greater N.
type Mark struct {
	N        uint64 // number of the commit; 0 before the first
	Term     uint64 // of the leader that made it
	Revision int64  // the backend's own, at which the commit is visible
}

// The outcomes of a commit that have a rule of their own (state.md).
var (
	ErrRefused   = errors.New("commit refused: not the leader any more")
	ErrUnknown   = errors.New("commit's outcome is unknown")
	ErrNoSpace   = errors.New("no space left in the store")
	ErrCompacted = errors.New("commits are compacted")
	ErrNewer     = errors.New("the store was written by a newer version of Berth")
)

// Limits of a batch: whole closures up to these. They lie below etcd's defaults (128 operations, 1.5 MiB), also counting the commit record.
const (
	MaxBatchWrites = 120
	MaxBatchBytes  = 1 << 20
)
