// Package state keeps every record in typed tables in memory, in front of a durable backend: View reads an immutable snapshot, Update
// changes records in one serial order and answers when that is durable, Subscribe tells what changed.
//
// Closures of Update run one after another on a working copy. What they write is gathered into batches of whole closures; one batch at a time
// is committed to the backend, and the next one fills meanwhile (group commit). Only committed snapshots are ever seen outside.
package state

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// ErrNotLeader says that this replica does not write now. The caller's request was not done, or (when it was waiting for a commit) it is
// not known whether it was done: never tell a client that nothing changed.
var ErrNotLeader = errors.New("not the leader")

// ErrNotRun is the ErrNotLeader of an Update whose closure has certainly not run, and never will: another replica may do the same.
var ErrNotRun = fmt.Errorf("%w, and nothing was done", ErrNotLeader)

// Config is what a store is made of.
type Config struct {
	Backend Backend
	// Address is what other replicas are told of this one while it leads.
	Address string
	// Lead is run while this replica leads; its ctx ends when it does not any more, and the store waits for it to return.
	Lead func(ctx context.Context) error
	// Admit is asked before every Update; its error (no space) is the Update's. nil admits all.
	Admit func() error
	// Observe is told of every commit that this replica tries, in the writer's own goroutine: it must be quick. nil tells nobody.
	Observe func(Committed)
	Log     *slog.Logger
	// ResolveWithin is how long a commit's unknown outcome is asked for before the leader steps down. Default 15 s.
	ResolveWithin time.Duration
}

// Store is the state of one replica.
type Store struct {
	config  Config
	codec   codec
	calls   chan *call
	view    atomic.Pointer[Snapshot]
	term    atomic.Pointer[termHolder] // nil while not leading
	flight  atomic.Pointer[batch]      // being committed: others may see it already
	waiting atomic.Int64               // Updates that are not answered
	heads   heads
	pub     publisher
	led     gate        // open while this replica leads
	unfit   atomic.Bool // the store is newer than this replica: it does not lead
	parting handOver
}

type termHolder struct{ Term }

// call is one Update on its way.
type call struct {
	fn   func(*Tx) error
	err  error // the closure's own
	done chan error
}

// New returns a store; Run makes it work.
func New(c Config) *Store {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.ResolveWithin == 0 {
		c.ResolveWithin = 15 * time.Second
	}
	s := &Store{config: c, codec: newCodec(), calls: make(chan *call)}
	s.view.Store(&Snapshot{Tables: newTables()})
	s.pub.init()
	s.heads = heads{backend: c.Backend, turn: make(chan struct{}, 1)}
	s.parting.init()
	return s
}

// View is the last published commit. It takes no lock and never waits.
func (s *Store) View() *Snapshot { return s.view.Load() }

// Leading reports whether this replica writes now.
func (s *Store) Leading() bool { return s.term.Load() != nil }

// Update runs fn on the newest tables, after every closure before it, and returns when all that fn saw and wrote is durable, also when fn
// wrote nothing. An error of fn takes back its writes and is returned as it is. fn must be quick, must not wait for anything, must not keep
// tx, and writes at most 100 records. ErrNotLeader and ctx's error leave open whether the writes are done.
func (s *Store) Update(ctx context.Context, fn func(tx *Tx) error) error {
	if s.config.Admit != nil {
		if err := s.config.Admit(); err != nil {
			return err
		}
	}
	term := s.term.Load()
	if term == nil {
		return ErrNotRun
	}
	s.waiting.Add(1)
	defer s.waiting.Add(-1)
	c := &call{fn: fn, done: make(chan error, 1)}
	select {
	case s.calls <- c:
	case <-term.Done():
		return ErrNotRun
	case <-ctx.Done():
		return fmt.Errorf("update: %w", ctx.Err())
	}
	select {
	case err := <-c.done:
		if err != ErrNotRun { //nolint:errorlint // a closure's own error is not meant
			noteRun(ctx)
		}
		return err
	case <-ctx.Done():
		noteRun(ctx)
		return fmt.Errorf("update: %w", ctx.Err())
	}
}

// Fresh waits until View holds everything that was committed before Fresh was called, whoever committed it (state.md, Reading). A leader's own
// commit that is on its way may have been read through a follower before its answer is here, so it is waited for.
func (s *Store) Fresh(ctx context.Context) error {
	if b := s.flight.Load(); b != nil {
		select {
		case <-b.settled:
		case <-ctx.Done():
			return fmt.Errorf("wait for the commit that is on its way: %w", ctx.Err())
		}
	}
	if h := s.term.Load(); h != nil {
		if at, lease := h.Confirmed(); time.Since(at) < lease-500*time.Millisecond {
			return nil
		}
	}
	mark, err := s.heads.next(ctx)
	if err != nil {
		return fmt.Errorf("read the newest commit's number: %w", err)
	}
	return s.pub.wait(ctx, mark.N, s.View)
}

// Led waits until this replica leads.
func (s *Store) Led(ctx context.Context) error { return s.led.wait(ctx) }

// Leader is the leader's address, "" when there is none.
func (s *Store) Leader(ctx context.Context) (string, error) {
	if s.Leading() {
		return s.config.Address, nil
	}
	return s.config.Backend.Leader(ctx)
}

// Run loads, follows and leads until ctx ends. It returns an error only for what another try does not mend (a record that does not decode).
func (s *Store) Run(ctx context.Context) error {
	mark, err := s.load(ctx)
	for err == nil && ctx.Err() == nil {
		var term Term
		if term, mark, err = s.follow(ctx, mark); err == nil && term != nil {
			mark, err = s.lead(ctx, term)
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// load reads everything and publishes it. It tries again while the backend does not answer.
func (s *Store) load(ctx context.Context) (Mark, error) {
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		tables, mark, err := s.read(ctx)
		if err == nil {
			s.publish(&Snapshot{Tables: tables, N: mark.N}, nil, true)
			return mark, nil
		}
		if errors.As(err, new(*undecodable)) || ctx.Err() != nil {
			return Mark{}, err
		}
		s.config.Log.Warn("load failed, will try again", "err", err)
		if !sleep(ctx, pause) {
			return Mark{}, ctx.Err()
		}
	}
}

// undecodable is a stored record that this version cannot read. Going on without it would lose it.
type undecodable struct{ error }

func (s *Store) read(ctx context.Context) (*Tables, Mark, error) {
	tables := newTables()
	mark, err := s.config.Backend.Load(ctx, func(w Write) error {
		r, err := s.codec.record(w)
		if err != nil {
			return &undecodable{err}
		}
		if r != nil {
			tables.put(r, false)
		}
		return nil
	})
	if err != nil {
		return nil, Mark{}, fmt.Errorf("load: %w", err)
	}
	return tables, mark, nil
}

// follow applies what the leader commits, until this replica is the leader itself (term is not nil) or ctx ends.
func (s *Store) follow(ctx context.Context, mark Mark) (Term, Mark, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var term Term
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer stop()
		var err error
		term, err = s.stand(gctx)
		return err
	})
	g.Go(func() error {
		var err error
		mark, err = s.apply(gctx, mark)
		return err
	})
	err := g.Wait()
	if term != nil {
		err = nil
	} else if ctx.Err() != nil && !errors.As(err, new(*undecodable)) {
		err = nil
	}
	return term, mark, err
}

func (s *Store) campaign(ctx context.Context) (Term, error) {
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		term, err := s.config.Backend.Campaign(ctx, s.config.Address)
		if err == nil || ctx.Err() != nil {
			return term, nil
		}
		if errors.Is(err, ErrNewer) {
			s.abstain(ctx, err)
			return nil, nil
		}
		s.config.Log.Warn("campaign failed, will try again", "err", err)
		if !sleep(ctx, pause) {
			return nil, nil
		}
	}
}

// apply follows the backend's commits from mark on until ctx ends, and returns the last one that it applied.
func (s *Store) apply(ctx context.Context, mark Mark) (Mark, error) {
	for ctx.Err() == nil {
		err := s.config.Backend.Follow(ctx, mark, func(m Mark, writes []Write) error {
			if err := s.applyOne(m, writes); err != nil {
				return err
			}
			mark = m
			return nil
		})
		switch {
		case ctx.Err() != nil:
		case errors.As(err, new(*undecodable)):
			return mark, err
		case errors.Is(err, ErrCompacted):
			if mark, err = s.load(ctx); err != nil && ctx.Err() == nil {
				return mark, err
			}
		default:
			s.config.Log.Warn("following the leader failed, will try again", "err", err)
			sleep(ctx, 200*time.Millisecond)
		}
	}
	return mark, nil
}

func (s *Store) applyOne(m Mark, writes []Write) error {
	tables := s.View().Tables.copy()
	changes := make([]Change, 0, len(writes))
	for _, w := range writes {
		c, err := s.change(tables, w)
		if err != nil {
			return &undecodable{err}
		}
		if c.Old != nil || c.New != nil {
			changes = append(changes, c)
		}
	}
	s.publish(&Snapshot{Tables: tables, N: m.N}, changes, false)
	return nil
}

func (s *Store) change(tables *Tables, w Write) (Change, error) {
	if w.Value != nil {
		r, err := s.codec.record(w)
		if r == nil || err != nil {
			return Change{}, err
		}
		return Change{tables.put(r, false), r}, nil
	}
	old := tables.find(w.Kind, w.Key)
	if old != nil {
		tables.put(old, true)
	}
	return Change{old, nil}, nil
}

func (s *Store) publish(v *Snapshot, changes []Change, resync bool) {
	s.view.Store(v)
	s.pub.publish(v, changes, resync)
}

// sleep waits for d and reports whether ctx is still good.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// gate is open or shut; those who wait pass when it opens.
type gate struct {
	mu     sync.Mutex
	open   bool
	opened chan struct{}
}

func (g *gate) set(open bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.opened == nil || g.open && !open {
		g.opened = make(chan struct{})
	}
	if open && !g.open {
		close(g.opened)
	}
	g.open = open
}

func (g *gate) wait(ctx context.Context) error {
	g.mu.Lock()
	if g.opened == nil {
		g.opened = make(chan struct{})
	}
	opened := g.opened
	g.mu.Unlock()
	select {
	case <-opened:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
