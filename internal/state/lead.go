package state

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// batch is a run of whole closures that is committed as one transaction.
type batch struct {
	n       uint64
	writes  []Write
	at      map[string]int // where in writes a key is: a later write of a key replaces an earlier one
	bytes   int
	changes []Change
	calls   []*call
	after   *Snapshot // the tables after it, set when it is sealed

	launched time.Time
	settled  chan struct{} // closed when its outcome is published, or the term has ended
}

// leader is the state of one term. Only the goroutine of lead touches it.
type leader struct {
	*Store
	term    Term
	working *Tables   // everything that closures have done
	base    *Snapshot // the last commit
	flight  *batch    // being committed
	sealed  *batch    // full, waits for flight
	filling *batch    // takes closures
	result  chan error
	version int // of the records, that all replicas know
	raised  chan int
}

// lead runs the closures of Update and commits them until the term ends, and returns the last commit's mark.
func (s *Store) lead(ctx context.Context, term Term) (Mark, error) {
	mark, err := s.catchUp(ctx)
	if err != nil {
		return mark, err
	}
	base := s.View()
	l := &leader{Store: s, term: term, working: base.Tables.copy(), base: base, result: make(chan error, 1), version: term.Version(), raised: make(chan int)}
	l.filling = l.newBatch(base.N + 1)
	s.config.Log.Info("leading", "n", base.N)

	while, cancel := context.WithCancel(ctx)
	var raising sync.WaitGroup
	raising.Go(func() { l.raise(while) })
	stopped := make(chan error, 1)
	s.term.Store(&termHolder{term})
	s.led.set(true)
	go func() { stopped <- s.runLead(while) }()

	err = l.loop(ctx)
	cancel()
	raising.Wait()
	l.drain(stopped)
	s.config.Log.Info("not leading any more", "n", l.base.N, "why", err)
	resign, done := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer done()
	if err := term.Resign(resign); err != nil {
		s.config.Log.Debug("resign", "err", err)
	}
	return s.load(ctx)
}

func (s *Store) runLead(ctx context.Context) error {
	if s.config.Lead == nil {
		return nil
	}
	return s.config.Lead(ctx)
}

// catchUp makes View the newest commit before the first closure runs.
func (s *Store) catchUp(ctx context.Context) (Mark, error) {
	if head, err := s.config.Backend.Head(ctx); err == nil && head.N == s.View().N {
		return head, nil
	}
	return s.load(ctx)
}

// loop is the term itself. It returns why the term is over.
func (l *leader) loop(ctx context.Context) error {
	leaving := l.parting.asked
	for {
		calls := l.calls
		if l.sealed != nil || leaving == nil {
			calls = nil // the next batch is full as well: callers wait
		}
		select {
		case c := <-calls:
			l.run(c)
		case err := <-l.result:
			if err := l.settle(ctx, err); err != nil {
				return err
			}
		case <-l.term.Done():
			return l.leave(ErrRefused)
		case l.version = <-l.raised:
			l.config.Log.Info("all replicas know newer records, which are written from now on", "version", l.version)
		case <-leaving:
			leaving = nil
		case <-ctx.Done():
			return l.leave(ctx.Err())
		}
		l.launch(ctx)
		if leaving == nil && l.flight == nil {
			return l.leave(errHandedOver)
		}
	}
}

// run executes one closure and adds what it wrote to the batch that fills.
func (l *leader) run(c *call) {
	tx := &Tx{Tables: l.working, version: l.version}
	if c.err = protect(c.fn, tx); c.err == nil {
		c.err = l.admit(tx.changes)
	}
	if c.err != nil {
		tx.rollback()
		tx.changes = nil
	}
	if len(tx.changes) == 0 {
		l.await(c)
		return
	}
	writes, size := l.encode(tx.changes)
	if len(writes) > MaxBatchWrites || size > MaxBatchBytes {
		tx.rollback()
		c.err = fmt.Errorf("update: %d records of %d bytes are too many for one closure", len(writes), size)
		l.await(c)
		return
	}
	if len(l.filling.writes)+len(writes) > MaxBatchWrites || l.filling.bytes+size > MaxBatchBytes {
		tx.rollback() // the full batch's snapshot is without this closure
		l.seal()
		tx.replay()
	}
	l.filling.add(writes, tx.changes, c)
}

// protect turns a panic of a closure into an error: one wrong request must not end the term.
func protect(fn func(*Tx) error, tx *Tx) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("update: closure panicked: %v", p)
		}
	}()
	return fn(tx)
}

func (l *leader) encode(changes []Change) ([]Write, int) {
	writes, size := make([]Write, len(changes)), 0
	for i, c := range changes {
		writes[i] = l.codec.write(c)
		size += writes[i].size()
	}
	return writes, size
}

func (w Write) size() int { return len(w.Kind) + len(w.Key) + len(w.Value) + 64 }

// await answers a closure that wrote nothing when the newest batch that it could have seen is durable.
func (l *leader) await(c *call) {
	for _, b := range []*batch{l.filling, l.sealed, l.flight} {
		if b != nil && (len(b.writes) > 0 || b == l.flight) {
			b.calls = append(b.calls, c)
			return
		}
	}
	c.done <- c.err
}

func (l *leader) newBatch(n uint64) *batch {
	return &batch{n: n, at: map[string]int{}, settled: make(chan struct{})}
}

func (b *batch) add(writes []Write, changes []Change, c *call) {
	for _, w := range writes {
		key := string(w.Kind) + "/" + w.Key
		if i, ok := b.at[key]; ok {
			b.bytes += w.size() - b.writes[i].size()
			b.writes[i] = w
			continue
		}
		b.at[key] = len(b.writes)
		b.writes = append(b.writes, w)
		b.bytes += w.size()
	}
	b.changes = append(b.changes, changes...)
	b.calls = append(b.calls, c)
}

// seal closes the batch that fills and starts the next one.
func (l *leader) seal() {
	b := l.filling
	b.after = &Snapshot{Tables: l.working.copy(), N: b.n}
	l.sealed = b
	l.filling = l.newBatch(b.n + 1)
}

// launch commits the next batch if none is being committed.
func (l *leader) launch(ctx context.Context) {
	if l.flight != nil {
		return
	}
	if l.sealed == nil && len(l.filling.writes) > 0 {
		l.seal()
	}
	if l.sealed == nil {
		return
	}
	b := l.sealed
	b.launched = time.Now()
	l.flight, l.sealed = b, nil
	l.Store.flight.Store(b)
	go func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		l.result <- l.term.Commit(ctx, b.n, b.writes)
	}()
}

// settle deals with a commit's outcome. Its error ends the term.
func (l *leader) settle(ctx context.Context, err error) error {
	b := l.flight
	if errors.Is(err, ErrUnknown) {
		err = l.resolve(ctx, b)
	}
	l.observe(b, err)
	l.flight = nil
	defer l.landed(b)
	switch {
	case err == nil:
		l.base = b.after
		l.publish(b.after, b.changes, false)
		b.answer(nil)
		return nil
	case errors.Is(err, ErrRefused) || errors.Is(err, ErrUnknown):
		l.stepDown()
		b.answer(ErrNotLeader)
		return l.leave(err)
	}
	l.config.Log.Error("commit failed", "n", b.n, "records", len(b.writes), "err", err)
	next := b.n
	if errors.Is(err, errBarrier) {
		next++
		l.base = &Snapshot{Tables: l.base.Tables, N: b.n}
		l.publish(l.base, nil, false)
	}
	fail := fmt.Errorf("commit: %w", err)
	for _, x := range []*batch{b, l.sealed, l.filling} { // everything on top saw what is not there
		x.answer(fail)
	}
	l.working, l.sealed, l.filling = l.base.Tables.copy(), nil, l.newBatch(next)
	return nil
}

// landed lets those go on who wait for a commit's outcome before they read.
func (l *leader) landed(b *batch) {
	l.Store.flight.Store(nil)
	close(b.settled)
}

// errBarrier is a batch that was not applied and never will be: an empty commit has taken its number.
var errBarrier = errors.New("the store did not answer in time; the change was not made")

// resolve finds out what became of a commit: nil, errBarrier, ErrRefused, or ErrUnknown when nothing could be learned in time.
// A commit that is not there yet could still arrive, so its number is taken by an empty commit before it is called off.
func (l *leader) resolve(ctx context.Context, b *batch) error {
	ctx, cancel := context.WithTimeout(ctx, l.config.ResolveWithin)
	defer cancel()
	l.config.Log.Warn("commit's outcome is unknown, asking", "n", b.n)
	for tried := false; ctx.Err() == nil; {
		head, err := l.config.Backend.Head(ctx)
		switch {
		case err != nil:
		case head.N == b.n && head.Term == l.term.Number() && !tried:
			return nil
		case head.N != b.n-1: // also where another leader's commit has that number
			return ErrRefused // applied or overtaken: which, a reload tells
		default:
			err = l.term.Commit(ctx, b.n, nil)
			if err == nil {
				return errBarrier
			}
			if errors.Is(err, ErrRefused) {
				return l.overtaken(ctx, b, tried)
			}
			tried = true
		}
		sleep(ctx, 100*time.Millisecond)
	}
	return ErrUnknown
}

// overtaken says what became of a commit whose barrier was refused: the commit itself may have arrived before it, and is then no reason to lead
// anew. It cannot be told from a barrier that was tried before and whose own outcome is unknown.
func (l *leader) overtaken(ctx context.Context, b *batch, tried bool) error {
	head, err := l.config.Backend.Head(ctx)
	if err == nil && !tried && head.N == b.n && head.Term == l.term.Number() {
		return nil
	}
	return ErrRefused
}

// stepDown makes it known that this replica does not lead, before anybody is told so.
func (s *Store) stepDown() {
	s.term.Store(nil)
	s.led.set(false)
}

// leave answers everybody who waits, and says why the term ends.
func (l *leader) leave(why error) error {
	l.stepDown()
	for _, b := range []*batch{l.flight, l.sealed, l.filling} {
		if b != nil {
			b.answer(ErrNotLeader)
		}
	}
	if b := l.flight; b != nil {
		l.landed(b) // who reads now asks the store
		<-l.result
	}
	return why
}

// drain refuses callers that come late until what ran during the term has returned.
func (l *leader) drain(stopped <-chan error) {
	for {
		select {
		case c := <-l.calls:
			c.done <- ErrNotRun
		case err := <-stopped:
			if err != nil && !errors.Is(err, context.Canceled) {
				l.config.Log.Error("what runs while leading ended with an error", "err", err)
			}
			return
		}
	}
}

// answer tells the callers of a batch how it went: the commit's error, or else their closure's own.
func (b *batch) answer(err error) {
	if b == nil {
		return
	}
	for _, c := range b.calls {
		if err != nil {
			c.done <- err
		} else {
			c.done <- c.err
		}
	}
	b.calls = nil
}
