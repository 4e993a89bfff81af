// Package etcd is the store's durable backend on etcd: a server inside this process that listens nowhere, or an external cluster.
//
// Every commit is one etcd transaction that compares the leader's fence (the create revision of the leader key) and the commit key, writes
// the records and puts the commit key. So a deposed leader writes nothing, and commits have one order without gaps.
package etcd

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"berth/internal/ecs"
	"berth/internal/state"
)

// Lease is how long a leader that does not answer stays leader.
const Lease = 3 * time.Second

// aloneLease is the lease of a server that has its store alone. Nobody waits for it to end (the data directory's lock is the proof that no other
// process leads), and a disk that stands still for some seconds is no reason to lead anew: all agents would lose their sessions.
const aloneLease = 30 * time.Second

// Config says which etcd to use. Either Dir or Endpoints is set.
type Config struct {
	// Dir is the data directory of the embedded server.
	Dir string
	// Socket is the path of a unix socket that etcdctl can use; "" opens none. Only with Dir.
	Socket string
	// Cluster makes the embedded server a member of a cluster; nil: it is the only one. Only with Dir.
	Cluster *Cluster
	// Replica is this replica's name for itself, kept over restarts: a process that starts knows by it that its own leadership of before is over.
	Replica string
	// Version is the version of the records that this replica knows; 0 means ecs.RecordVersion.
	Version int
	// Quota is how many bytes the embedded server's database may have; 0 means 8 GiB.
	Quota int64

	// Endpoints are the URLs of an external cluster.
	Endpoints []string
	// TLS is used with Endpoints; nil means none.
	TLS *tls.Config
	// Maintain lets Berth compact and defragment the external cluster, which must then serve nobody else.
	Maintain bool

	// Lease is how long a leader that does not answer stays leader; 0 means 3 s, and 30 s for an embedded server that is the only one.
	Lease time.Duration
	// Compact is the time between compactions; 0 means 5 minutes.
	Compact time.Duration
	// Log gets etcd's own warnings too; nil discards them.
	Log *slog.Logger

	free func(dir string) (uint64, error) // a test's disk
}

func (c *Config) check() error {
	if (c.Dir == "") == (len(c.Endpoints) == 0) {
		return errors.New("either a data directory or endpoints must be given")
	}
	if c.Cluster != nil && (c.Dir == "" || c.Replica == "" || c.Cluster.CommonName == "") {
		return errors.New("a member of a cluster needs a data directory, a name for its replica, and certificates")
	}
	if c.Version == 0 {
		c.Version = ecs.RecordVersion
	}
	if c.Quota == 0 {
		c.Quota = 8 << 30
	}
	if c.Compact == 0 {
		c.Compact = 5 * time.Minute
	}
	if c.Lease == 0 {
		c.Lease = Lease
		if c.Dir != "" && c.Cluster == nil {
			c.Lease = aloneLease
		}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return nil
}

// Backend is one replica's connection to etcd, with the embedded server where there is one.
type Backend struct {
	config Config
	client *clientv3.Client
	server *server              // nil with an external cluster
	guard  *guard               // nil with an external cluster
	term   atomic.Pointer[Term] // nil while this replica does not lead
	room   room
	leader sight
	epoch  atomic.Pointer[context.Context] // ends when etcd's leader changes; nil where that is not followed

	mu      sync.Mutex
	closed  bool  // guarded by mu
	err     error // guarded by mu: why the embedded server stopped by itself
	ended   chan struct{}
	closing chan struct{}
	running sync.WaitGroup // terms and upkeep
}

var (
	_ state.Backend = (*Backend)(nil)
	_ state.Term    = (*Term)(nil)
)

// Open starts the embedded server and waits until it answers, or connects to the external cluster. The caller closes the backend.
func Open(ctx context.Context, c Config) (*Backend, error) {
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("open etcd: %w", err)
	}
	if c.Dir == "" {
		return connect(ctx, c)
	}
	return openEmbedded(ctx, c)
}

func newBackend(c Config, client *clientv3.Client) *Backend {
	b := &Backend{config: c, client: client, closing: make(chan struct{}), ended: make(chan struct{})}
	b.leader.changed = make(chan struct{})
	return b
}

// Close ends every term without resigning, and stops the embedded server.
func (b *Backend) Close() error {
	b.mu.Lock()
	already := b.closed
	b.closed = true
	b.mu.Unlock()
	if already {
		return nil
	}
	close(b.closing)
	b.running.Wait()
	err := b.client.Close()
	if b.server != nil {
		b.server.stop()
	}
	if err != nil && !errors.Is(err, context.Canceled) { // canceled is the in-process client's way to say that it is closed
		return fmt.Errorf("close etcd's client: %w", err)
	}
	return nil
}

// run starts f in a goroutine that Close stops and waits for. The ctx that f gets ends with Close, or when the returned function is called.
// After Close it does nothing.
func (b *Backend) run(ctx context.Context, f func(context.Context)) context.CancelFunc {
	b.mu.Lock()
	defer b.mu.Unlock()
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	if b.closed {
		return cancel
	}
	b.running.Go(func() {
		defer cancel()
		f(ctx)
	})
	b.running.Go(func() {
		select {
		case <-b.closing:
			cancel()
		case <-ctx.Done():
		}
	})
	return cancel
}
