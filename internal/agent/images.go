package agent

import (
	"context"
	"errors"
	"fmt"
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

// pullTries is how often a registry that does not answer is asked.
const pullTries = 3

// bring returns when the image is there, or why it cannot be. Fetching goes on for others when ctx ends.
func (k *imageKeeper) bring(ctx context.Context, ref string) (brought, error) {
	local, err := k.images.Image(ctx, ref)
	switch {
	case err != nil && !errors.Is(err, ErrNotFound):
		return brought{}, err
	case err == nil && k.good(ref, local):
		return brought{Image: local}, nil
	}
	b := brought{started: time.Now()}
	have := err == nil
	flight := k.flights.DoChan(ref, func() (any, error) { return nil, k.pull(context.WithoutCancel(ctx), ref) })
	select {
	case <-ctx.Done():
		return brought{}, ctx.Err()
	case res := <-flight:
		err = res.Err
	}
	b.stopped = time.Now()
	if err != nil && (!have || k.behavior == PullAlways || errors.Is(err, ErrUnavailable)) {
		return brought{}, err
	}
	if err != nil {
		k.log.Warn("image not fetched, the local one is used", "image", ref, "err", err)
	} else {
		k.remember(ref)
	}
	b.Image, err = k.images.Image(ctx, ref)
	return b, err
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

// pull fetches an image. A registry that refuses is asked once, one that does not answer again.
func (k *imageKeeper) pull(ctx context.Context, ref string) error {
	var p pause
	for try := 1; ; try++ {
		err := k.images.Pull(ctx, ref)
		var refused *PullRefusedError
		if err == nil || try == pullTries || errors.As(err, &refused) || errors.Is(err, ErrUnavailable) {
			return err
		}
		p.length = max(p.length, time.Second)
		p.fail(time.Now())
		time.Sleep(time.Until(p.until))
	}
}

// PullRefusedError is a registry's refusal: asking again will not help.
type PullRefusedError struct{ Err error }

func (e *PullRefusedError) Error() string { return e.Err.Error() }
func (e *PullRefusedError) Unwrap() error { return e.Err }

// pullReason is the reason of a container whose image cannot be had, in ECS's words.
func pullReason(err error) string { return fmt.Sprintf("CannotPullContainerError: %v", err) }
