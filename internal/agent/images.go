package agent

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// PullBehavior is when an image is fetched from its registry.
type PullBehavior string

// The pull behaviours. Default fetches an image that came from a registry, or is not there, and falls back to what is there; an image that
// was made on the machine is used as it is. Always fails where Default falls back. Once fetches once in the agent's life, PreferCached only
// what is not there.
const (
	PullDefault      PullBehavior = "default"
	PullAlways       PullBehavior = "always"
	PullOnce         PullBehavior = "once"
	PullPreferCached PullBehavior = "prefer-cached"
)

// imageKeeper brings images. What several tasks want at once is fetched once.
type imageKeeper struct {
	images   Images
	behavior PullBehavior
	flights  singleflight.Group
	log      *slog.Logger

	mu      sync.Mutex
	fetched map[string]bool // references that this agent has pulled
}

// brought is an image that is there, and when it was fetched (zero: it was there).
type brought struct {
	Image
	started, stopped time.Time
}

// fetch is an image to bring, and how.
type fetch struct {
	ref       string
	login     Login
	renew     func(context.Context) (Login, error) // another one, where the registry does not take that; nil for none
	denied    error                                // why there is no login: it is not pulled
	asked     bool                                 // the registry is asked whatever is on the machine
	heard     func(error)                          // is told how fetching it ended; nil where nobody is
	onFargate bool
}

// How often a registry that does not answer is asked, and the pauses between.
const (
	pullTries     = 5
	longPullPause = 5 * time.Second
)

// bring returns when the image is there, or why it cannot be. Fetching goes on for others when ctx ends.
func (k *imageKeeper) bring(ctx context.Context, f fetch) (brought, error) {
	local, err := k.images.Image(ctx, f.ref)
	switch {
	case err != nil && !errors.Is(err, ErrNotFound):
		return brought{}, err
	case err == nil && !f.asked && k.good(f.ref, local):
		return brought{Image: local}, nil
	}
	b := brought{started: time.Now()}
	have := err == nil
	if err = k.share(ctx, f); ctx.Err() != nil {
		return brought{}, ctx.Err()
	}
	if f.heard != nil {
		f.heard(err)
	}
	b.stopped = time.Now()
	if err != nil && (!have || f.asked || k.behavior == PullAlways || errors.Is(err, ErrUnavailable)) {
		return brought{}, err
	}
	if err != nil {
		k.log.Warn("image not fetched, the local one is used", "image", f.ref, "err", f.login.hide(err.Error()))
	} else {
		k.remember(f.ref)
	}
	b.Image, err = k.images.Image(ctx, f.ref)
	return b, err
}

// share fetches an image, once for all who want it now with the same login.
func (k *imageKeeper) share(ctx context.Context, f fetch) error {
	if f.denied != nil {
		return f.denied
	}
	flight := k.flights.DoChan(strings.Join([]string{f.ref, f.login.User, f.login.Password}, "\x00"), func() (any, error) {
		return nil, k.pull(context.WithoutCancel(ctx), f)
	})
	select {
	case <-ctx.Done():
		return ctx.Err()
	case res := <-flight:
		return res.Err
	}
}

// good says whether a local image will do without asking the registry.
func (k *imageKeeper) good(ref string, local Image) bool {
	return local.Digest == "" && k.behavior != PullAlways || strings.Contains(ref, "@sha256:") ||
		k.behavior == PullOnce && k.pulled(ref) || k.behavior == PullPreferCached
}

// pulled says whether this agent has pulled an image; remember notes that it has.
func (k *imageKeeper) pulled(ref string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.fetched[ref]
}

func (k *imageKeeper) remember(ref string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.fetched == nil {
		k.fetched = map[string]bool{}
	}
	k.fetched[ref] = true
}

// pull fetches an image. A registry that refuses is asked once, or again with another login where it does not take the first; one that does not answer again.
func (k *imageKeeper) pull(ctx context.Context, f fetch) error {
	var p pause
	for try := 1; ; try++ {
		err := k.images.Pull(ctx, f.ref, f.login)
		var refused *PullRefusedError
		switch {
		case errors.As(err, &refused) && refused.Login && f.renew != nil:
			l, failed := f.renew(ctx)
			if failed != nil || l == f.login {
				return err
			}
			f.login, f.renew = l, nil
			continue
		case err == nil, try == pullTries, refused != nil, errors.Is(err, ErrUnavailable):
			return err
		}
		p.length = min(max(p.length, time.Second), longPullPause/2)
		p.fail(time.Now())
		time.Sleep(time.Until(p.until))
	}
}

// PullRefusedError is a registry's refusal: asking again will not help.
type PullRefusedError struct {
	Err   error
	Login bool // it did not take the login
}

func (e *PullRefusedError) Error() string { return e.Err.Error() }
func (e *PullRefusedError) Unwrap() error { return e.Err }
