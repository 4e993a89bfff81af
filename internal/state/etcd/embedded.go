package etcd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3client"
	"go.uber.org/zap"
)

// The embedded member's name, and the peer URL that etcd wants it to have: nobody listens there.
const (
	memberName = "berth"
	peerURL    = "http://127.0.0.1:1"
	etcdDir    = "etcd" // its place in the data directory
)

// server is the etcd server inside this process.
type server struct {
	etcd    *embed.Etcd
	cluster *Cluster // nil for a single member
	log     *slog.Logger
}

// openEmbedded starts the embedded server, tidies what an earlier process left, and starts its upkeep.
func openEmbedded(ctx context.Context, c Config) (*Backend, error) {
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the data directory: %w", err)
	}
	guard := newGuard(c.Dir, c.Quota, c.Log)
	if c.free != nil {
		guard.disk = c.free
	}
	if err := guard.prepare(); err != nil {
		return nil, fmt.Errorf("start etcd in %s: %w", c.Dir, err)
	}
	s, err := start(ctx, c, filepath.Join(c.Dir, etcdDir))
	if err != nil {
		return nil, fmt.Errorf("start etcd in %s: %w", c.Dir, err)
	}
	b := newBackend(c, v3client.New(s.etcd.Server))
	b.server, b.guard = s, guard
	guard.used = func() int64 { return s.etcd.Server.Backend().SizeInUse() }
	if c.Cluster != nil {
		guard.full = b.makeWay
	}
	if _, err := b.fit(ctx); err != nil && b.alone() {
		return nil, joinClose(err, b) // there is no other replica that could lead
	}
	if err := b.dropStaleLeader(ctx); err != nil {
		return nil, joinClose(err, b)
	}
	b.tidy(ctx)
	b.run(ctx, guard.watch)
	b.run(ctx, b.maintain)
	b.run(ctx, b.attend)
	b.run(ctx, b.observe)
	if c.Cluster != nil {
		b.run(ctx, b.epochs)
		b.run(ctx, b.succeed)
		b.run(ctx, b.tend)
		b.run(ctx, b.publish)
	}
	return b, nil
}

func joinClose(err error, b *Backend) error { return errors.Join(err, b.Close()) }

// start runs a server on dir and returns once it answers.
func start(ctx context.Context, c Config, dir string) (*server, error) {
	etcd, err := startEtcd(ctx, c, dir)
	if err != nil {
		return nil, err
	}
	s := &server{etcd, c.Cluster, c.Log}
	if err := s.ready(ctx); err != nil {
		s.stop()
		return nil, err
	}
	if c.Socket != "" {
		if err := os.Chmod(c.Socket, 0o700); err != nil {
			s.stop()
			return nil, fmt.Errorf("close the socket to others: %w", err)
		}
	}
	return s, nil
}

// joinFor is how long a new member waits until the others know it.
const joinFor = 30 * time.Second

// startEtcd starts etcd itself. A new member's compares its list of members with that of the first one that answers, which may hear of the new one later than the leader
// that has added it.
func startEtcd(ctx context.Context, c Config, dir string) (*embed.Etcd, error) {
	for began := time.Now(); ; pause(ctx, askAgain) {
		config, err := embedConfig(c, dir)
		if err != nil {
			return nil, err
		}
		etcd, err := embed.StartEtcd(config)
		if err == nil || c.Cluster == nil || len(c.Cluster.Join) == 0 || !isEarly(err) || time.Since(began) > joinFor || ctx.Err() != nil {
			return etcd, err
		}
		c.Log.Debug("the other members do not know this one yet", "err", err)
	}
}

// isEarly recognizes etcd's errors of a new member whose list of members is not the others', or that gets no such list from them. They have no other mark.
func isEarly(err error) bool {
	return strings.HasPrefix(err.Error(), "error validating peerURLs") || strings.HasPrefix(err.Error(), "cannot fetch cluster info from peer urls")
}

// ready waits until the server answers, which in a cluster takes a majority of its members.
func (s *server) ready(ctx context.Context) error {
	if s.cluster != nil {
		s.log.Info("waiting for the other members of the cluster")
	}
	select {
	case <-s.etcd.Server.ReadyNotify():
	case err := <-s.etcd.Err():
		return err
	case <-s.etcd.Server.StopNotify():
		return s.ended(ctx)
	case <-ctx.Done():
		return fmt.Errorf("wait for the server: %w", ctx.Err())
	}
	if s.cluster == nil {
		if n := len(s.etcd.Server.Cluster().Members()); n > 1 {
			return fmt.Errorf("the data is a member's of a cluster of %d: start it as one", n)
		}
		return nil
	}
	return s.settle(ctx, s.cluster)
}

func (s *server) stop() { s.etcd.Close() }

// embedConfig is a single member that listens nowhere, except on a unix socket where one is wished.
func embedConfig(c Config, dir string) (*embed.Config, error) {
	peer, err := url.Parse(peerURL)
	if err != nil {
		return nil, err
	}
	e := embed.NewConfig()
	e.Name = memberName
	e.Dir = dir
	e.ListenPeerUrls, e.ListenClientUrls, e.AdvertiseClientUrls = nil, nil, nil
	e.AdvertisePeerUrls = []url.URL{*peer}
	e.InitialCluster = memberName + "=" + peerURL
	e.InitialClusterToken = memberName
	e.EnableGRPCGateway = false
	e.TickMs, e.ElectionMs = 100, 1000
	e.QuotaBackendBytes = c.Quota
	e.AutoCompactionMode, e.AutoCompactionRetention = "periodic", "0" // Berth compacts itself
	e.SnapshotCount, e.SnapshotCatchUpEntries = raftLog, raftLog/4
	e.ZapLoggerBuilder = embed.NewZapLoggerBuilder(zap.New(logCore{log: c.Log}))
	if c.Cluster != nil {
		if err := c.Cluster.configure(e); err != nil {
			return nil, err
		}
	}
	if c.Socket == "" {
		return e, nil
	}
	socket, err := filepath.Abs(c.Socket)
	if err != nil {
		return nil, err
	}
	e.ListenClientUrls = []url.URL{{Scheme: "unix", Path: socket}}
	if len(e.AdvertiseClientUrls) == 0 {
		e.AdvertiseClientUrls = e.AdvertisePeerUrls // must be set, and cannot be a path
	}
	return e, nil
}

// raftLog is how many commits etcd keeps in memory before it drops them: at up to 1 MiB each, etcd's default of 10,000 is too many.
const raftLog = 2000

// dropStaleLeader revokes the lease of a leader that was an earlier process of this replica. The lock on the data directory proves that there
// is no such process any more, so waiting for the lease to end would only make every restart slower.
func (b *Backend) dropStaleLeader(ctx context.Context) error {
	resp, err := b.client.Get(ctx, leaderKey)
	if err != nil {
		return fmt.Errorf("read the leader of before: %w", err)
	}
	for _, kv := range resp.Kvs {
		if !b.alone() && !b.isOwn(kv.Value) {
			continue
		}
		if _, err := b.client.Revoke(ctx, clientv3.LeaseID(kv.Lease)); err != nil {
			b.config.Log.Warn("the last leader's lease stays until it ends", "err", err)
		}
	}
	return nil
}

// alone says whether no other replica has this store.
func (b *Backend) alone() bool { return b.server != nil && b.config.Cluster == nil }

// isOwn says whether the leader key's value is one that this replica has put.
func (b *Backend) isOwn(value []byte) bool {
	var l leaderValue
	return json.Unmarshal(value, &l) == nil && l.Replica != "" && l.Replica == b.config.Replica
}
