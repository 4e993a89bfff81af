package etcd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
)

// Member is one of a cluster's.
type Member struct {
	ID      uint64
	Name    string // "" until it has started
	PeerURL string
	Address string // the URL of its replica
	Learner bool   // it follows and does not vote yet
	Leader  bool   // etcd's
	Self    bool
}

// ErrNotClustered says that this replica's store is no cluster of embedded servers.
var ErrNotClustered = errors.New("the replicas have no cluster of their own")

// ErrBusy says that the cluster's members cannot be changed right now, but soon: one is joining, or one was lost or has only just come.
var ErrBusy = errors.New("the cluster is not in a state to change its members")

// Members lists the cluster's members.
func (b *Backend) Members(ctx context.Context) ([]Member, error) {
	if b.config.Cluster == nil {
		return nil, ErrNotClustered
	}
	resp, err := b.client.MemberList(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the members: %w", err)
	}
	return b.members(resp.Members), nil
}

func (b *Backend) members(list []*etcdserverpb.Member) []Member {
	var out []Member
	for _, m := range list {
		out = append(out, Member{
			ID: m.ID, Name: m.Name, PeerURL: strings.Join(m.PeerURLs, ","), Address: strings.Join(m.ClientURLs, ","), Learner: m.IsLearner,
			Leader: m.ID == uint64(b.server.etcd.Server.Leader()), Self: m.ID == uint64(b.server.etcd.Server.MemberID()),
		})
	}
	slices.SortFunc(out, func(a, b Member) int { return strings.Compare(a.PeerURL, b.PeerURL) })
	return out
}

// AddLearner lets a new member join, which will be reached at peerURL, and returns all members with it. A member that was added before and
// has not started is taken for the same.
func (b *Backend) AddLearner(ctx context.Context, peerURL string) ([]Member, error) {
	have, err := b.Members(ctx)
	if err != nil {
		return nil, err
	}
	for _, m := range have {
		if m.PeerURL == peerURL && m.Name == "" {
			return have, nil
		}
		if m.PeerURL == peerURL {
			return nil, fmt.Errorf("member %x is at %s already", m.ID, peerURL)
		}
	}
	resp, err := b.client.MemberAddAsLearner(ctx, []string{peerURL})
	if err != nil {
		return nil, fmt.Errorf("add %s to the cluster: %w", peerURL, busy(err))
	}
	return b.members(resp.Members), nil
}

// RemoveMember takes a member out of the cluster for good. etcd refuses where too few would be left.
func (b *Backend) RemoveMember(ctx context.Context, id uint64) error {
	if b.config.Cluster == nil {
		return ErrNotClustered
	}
	if _, err := b.client.MemberRemove(ctx, id); err != nil {
		return fmt.Errorf("remove member %x: %w", id, busy(err))
	}
	return nil
}

func busy(err error) error {
	if errors.Is(err, rpctypes.ErrUnhealthy) || errors.Is(err, rpctypes.ErrTooManyLearners) || errors.Is(err, rpctypes.ErrMemberNotEnoughStarted) {
		return fmt.Errorf("%w: %w", ErrBusy, err)
	}
	return err
}

// Ended is closed when the embedded server has stopped by itself; Err then says why.
func (b *Backend) Ended() <-chan struct{} { return b.ended }

// Err is why the embedded server stopped by itself, ErrRemoved among other reasons.
func (b *Backend) Err() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}

// attend waits for the embedded server to stop by itself.
func (b *Backend) attend(ctx context.Context) {
	select {
	case <-ctx.Done():
		return
	case <-b.server.etcd.Server.StopNotify():
	}
	err := b.server.ended(ctx)
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.closed {
		b.err = err
		close(b.ended)
	}
}

// ended says why the server has stopped. That it was removed, it may not have heard itself: then the others tell.
func (s *server) ended(ctx context.Context) error {
	own := s.etcd.Server.MemberID()
	if s.etcd.Server.Cluster().Member(own) == nil {
		return ErrRemoved
	}
	if s.cluster == nil {
		return errStopped
	}
	info := s.etcd.Config().PeerTLSInfo
	config, err := info.ClientConfig()
	if err != nil {
		return fmt.Errorf("%w, and why is not known: %w", errStopped, err)
	}
	var urls []string
	for _, m := range s.etcd.Server.Cluster().Members() {
		if m.ID != own {
			urls = append(urls, m.PeerURLs...)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, askFor)
	defer cancel()
	if isRemoved(ctx, &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}, urls, uint64(own)) {
		return ErrRemoved
	}
	return errStopped
}

var errStopped = errors.New("the embedded etcd has stopped")

// askFor is how long the other members are asked, and askAgain the pause before they are asked again.
const (
	askFor   = 5 * time.Second
	askAgain = 100 * time.Millisecond
)

// isRemoved asks other members until one of them does not know a member any more, or ctx ends. The others may hear of its removal later than it did.
func isRemoved(ctx context.Context, through http.RoundTripper, urls []string, id uint64) bool {
	for ctx.Err() == nil {
		var removed atomic.Bool
		var asked sync.WaitGroup
		for _, u := range urls {
			asked.Go(func() {
				if listed, err := isListed(ctx, through, u, id); err == nil && !listed {
					removed.Store(true)
				}
			})
		}
		asked.Wait()
		if removed.Load() {
			return true
		}
		pause(ctx, askAgain)
	}
	return false
}

// isListed asks one member whether it knows another.
func isListed(ctx context.Context, through http.RoundTripper, peer string, id uint64) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, peer+"/members", http.NoBody)
	if err != nil {
		return false, err
	}
	resp, err := through.RoundTrip(r)
	if err != nil {
		return false, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return false, fmt.Errorf("%s answers %s", peer, resp.Status)
	}
	type member struct {
		ID uint64 `json:"id"`
	}
	var members []member
	if err := json.NewDecoder(resp.Body).Decode(&members); err != nil {
		return false, err
	}
	if len(members) == 0 {
		return false, fmt.Errorf("%s lists no members", peer)
	}
	return slices.Contains(members, member{id}), nil
}
