package oidc

import (
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Verifier verifies tokens. It keeps the keys of the providers that it has asked.
type Verifier struct {
	mu      sync.Mutex
	kept    map[string]*keyring // by URL and thumbprints
	waiting int
}

// keyring are the keys of one provider.
type keyring struct {
	turn chan struct{} // size 1: whoever fetches them, or looks, has it

	keys    []jose.JSONWebKey
	fetched time.Time // when they came
	asked   time.Time // when the provider was asked last
	failure error     // of that
}

const (
	// fresh is how long keys are taken without asking again, stale how long where the provider does not answer.
	fresh = time.Hour
	stale = 24 * time.Hour
	// pause is the least time between two questions to a provider: whoever makes tokens up cannot have it asked more often.
	pause = 10 * time.Second
	// mostProviders bounds the providers whose keys are kept, mostWaiting the tokens that wait for keys.
	mostProviders = 1000
	mostWaiting   = 64
)

// Verify holds a token against its provider. Its error is one of this package's, or ctx's.
func (v *Verifier) Verify(ctx context.Context, t *Token, p Provider) error {
	if err := t.check(p, time.Now()); err != nil {
		return err
	}
	keys, err := v.find(ctx, p, t.signed.Signatures[0].Header.KeyID)
	if err != nil {
		return err
	}
	for _, k := range keys {
		if _, err := t.signed.Verify(k.Key); err == nil {
			return nil
		}
	}
	return ErrSignature
}

// find finds the keys of a name. Where too many wait for a provider, it is as if that did not answer.
func (v *Verifier) find(ctx context.Context, p Provider, id string) ([]jose.JSONWebKey, error) {
	if !v.wait(1) {
		return nil, fmt.Errorf("%w: too many wait for it", ErrUnreachable)
	}
	defer v.wait(-1)
	return v.keyring(p).find(ctx, p, id)
}

// wait counts who waits, unless there are too many.
func (v *Verifier) wait(n int) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if n > 0 && v.waiting >= mostWaiting {
		return false
	}
	v.waiting += n
	return true
}

func (v *Verifier) keyring(p Provider) *keyring {
	name := strings.Join(append([]string{p.URL}, p.Thumbprints...), " ")
	v.mu.Lock()
	defer v.mu.Unlock()
	k := v.kept[name]
	if k == nil {
		if v.kept == nil || len(v.kept) >= mostProviders {
			v.kept = map[string]*keyring{}
		}
		k = &keyring{turn: make(chan struct{}, 1)}
		v.kept[name] = k
	}
	return k
}

// find finds the keys of a name, all keys for a token that names none. The provider is asked where they are old or not there.
func (k *keyring) find(ctx context.Context, p Provider, id string) ([]jose.JSONWebKey, error) {
	select {
	case k.turn <- struct{}{}:
		defer func() { <-k.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	now := time.Now()
	found := k.named(id)
	if (len(found) == 0 || now.Sub(k.fetched) > fresh) && (k.asked.IsZero() || now.Sub(k.asked) >= pause) {
		k.renew(ctx, p, now)
		found = k.named(id)
	}
	switch {
	case len(found) > 0 && now.Sub(k.fetched) <= stale:
		return found, nil
	case k.failure != nil:
		return nil, k.failure
	}
	return nil, fmt.Errorf("%w: %.128q", ErrNoKey, id)
}

// renew asks the provider. That goes on when the caller has gone: what it answers is for others too.
func (k *keyring) renew(ctx context.Context, p Provider, now time.Time) {
	k.asked = now
	keys, err := fetch(context.WithoutCancel(ctx), p)
	if k.failure = err; err == nil {
		k.keys, k.fetched = keys, now
	}
}

func (k *keyring) named(id string) (found []jose.JSONWebKey) {
	for _, key := range k.keys {
		if id == "" || key.KeyID == id {
			found = append(found, key)
		}
	}
	return found
}

// signs reports whether a key is a public one that tokens can be signed for.
func signs(k jose.JSONWebKey) bool {
	if k.Use != "" && k.Use != "sig" || !k.Valid() {
		return false
	}
	switch k.Key.(type) {
	case *rsa.PublicKey, *ecdsa.PublicKey:
		return true
	}
	return false
}
