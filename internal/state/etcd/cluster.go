package etcd

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
)

// Cluster makes the embedded server a member of a cluster. It then listens for the other members, over mutual TLS, and for nobody else.
type Cluster struct {
	Name   string // this member's, unlike every other's
	Listen string // IP:port to listen on for the other members
	URL    string // https://host:port at which they reach it
	// Address is the URL of the replica itself. It is told in the list of members.
	Address string
	// The files of this member's certificate, its key, and the authority's certificate. CommonName is what the others' certificates name.
	CertFile, KeyFile, CAFile, CommonName string
	// Join is what AddLearner of another member returned. It counts at the first start only.
	Join []Member
}

// ErrRemoved says that this member does not belong to the cluster any more. Its data is of no use to it.
var ErrRemoved = errors.New("this member was removed from the cluster")

// configure makes a single member's configuration a clustered one's.
func (c *Cluster) configure(e *embed.Config) error {
	advertised, err := url.Parse(c.URL)
	if err != nil {
		return fmt.Errorf("peer URL: %w", err)
	}
	e.Name = c.Name
	e.ListenPeerUrls = []url.URL{{Scheme: "https", Host: c.Listen}}
	e.AdvertisePeerUrls = []url.URL{*advertised}
	c.secure(e)
	if own, err := url.Parse(c.Address); err == nil && own.Host != "" {
		e.AdvertiseClientUrls = []url.URL{*own} // no client of etcd's is ever told: it is how members find each other's replicas
	}
	e.InitialCluster = c.Name + "=" + c.URL
	if len(c.Join) == 0 {
		return nil
	}
	e.ClusterState = embed.ClusterStateFlagExisting
	for _, m := range c.Join {
		if m.PeerURL != c.URL { // names count only where a member is new
			e.InitialCluster += fmt.Sprintf(",member-%x=%s", m.ID, m.PeerURL)
		}
	}
	return nil
}

// secure lets in, and calls, only who has a certificate of the authority and the common name.
func (c *Cluster) secure(e *embed.Config) {
	t := &e.PeerTLSInfo
	t.CertFile, t.KeyFile, t.TrustedCAFile, t.ClientCertAuth = c.CertFile, c.KeyFile, c.CAFile, true
	t.AllowedCNs = []string{c.CommonName}
	t.SkipClientSANVerify = true // a machine may call from another of its addresses
}

// settle makes a member that has started what its configuration says: reachable at its URL, and a voter.
func (s *server) settle(ctx context.Context, c *Cluster) error {
	own := s.etcd.Server.Cluster().Member(s.etcd.Server.MemberID())
	if own == nil {
		return ErrRemoved
	}
	if !own.IsLearner && strings.Join(own.PeerURLs, ",") != c.URL {
		moved := *own
		moved.PeerURLs = []string{c.URL}
		if _, err := s.etcd.Server.UpdateMember(ctx, moved); err != nil {
			return fmt.Errorf("tell the cluster this member's peer URL %s: %w", c.URL, err)
		}
	}
	return s.promote(ctx)
}

// promote makes a learner a voter once it has caught up, which only the leader knows: it is asked until it agrees.
func (s *server) promote(ctx context.Context) error {
	for s.etcd.Server.IsLearner() {
		_, err := s.etcd.Server.PromoteMember(ctx, uint64(s.etcd.Server.MemberID()))
		if err != nil {
			s.log.Debug("not a voter yet", "why", err)
		}
		select {
		case <-s.etcd.Server.StopNotify():
			return s.ended(ctx)
		case <-ctx.Done():
			return fmt.Errorf("catch up with the cluster: %w", ctx.Err())
		case <-time.After(200 * time.Millisecond):
		}
	}
	return nil
}

// preferred says whether this replica should lead: commits are quickest where etcd's own leader is.
func (b *Backend) preferred() bool {
	return b.config.Cluster == nil || b.server.etcd.Server.Leader() == b.server.etcd.Server.MemberID()
}

// giveWay is how long those who are not preferred wait before they stand.
const giveWay = 150 * time.Millisecond

// StepAside gives etcd's own leadership to another member, where this one has it and another can take it.
func (b *Backend) StepAside(ctx context.Context) error {
	if b.config.Cluster == nil {
		return nil
	}
	done := make(chan error, 1)
	b.run(ctx, func(context.Context) { done <- b.server.etcd.Server.TryTransferLeadershipOnShutdown() }) // it has a limit of its own, of seconds
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("give etcd's leadership to another member: %w", err)
	}
	return nil
}

// epochs follows the changes of etcd's leader: what was sent to the one before may have been lost with it, so those who wait for an answer
// are told, after a moment in which it may still come.
func (b *Backend) epochs(ctx context.Context) {
	for {
		epoch, end := context.WithCancel(ctx)
		b.epoch.Store(&epoch)
		changed := b.server.etcd.Server.LeaderChangedNotify()
		select {
		case <-ctx.Done():
			end()
			return
		case <-changed:
		}
		next := b.server.etcd.Server.LeaderChangedNotify()
		select {
		case <-ctx.Done():
		case <-next: // a second change: do not wait for the first's sake
		case <-time.After(500 * time.Millisecond):
		}
		end()
	}
}

// inEpoch bounds a request by the time in which etcd's leader stays who it is.
func (b *Backend) inEpoch(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	epoch := b.epoch.Load()
	if epoch == nil {
		return ctx, cancel
	}
	unlink := context.AfterFunc(*epoch, cancel)
	return ctx, func() { unlink(); cancel() }
}
