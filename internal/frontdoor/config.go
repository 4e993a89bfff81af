package frontdoor

import (
	"context"
	"crypto/rsa"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"berth/internal/policy"
)

// Auth is how callers are made out.
type Auth string

const (
	// AuthIAM verifies every signature and asks the caller's policies.
	AuthIAM Auth = "iam"
	// AuthDev takes every request, also an unsigned one, as Config.DevPrincipal's.
	AuthDev Auth = "dev"
)

// ParseAuth reads the value of a flag. It fails unless s is "iam" or "dev".
func ParseAuth(s string) (Auth, error) {
	switch a := Auth(s); a {
	case AuthIAM, AuthDev:
		return a, nil
	}
	return "", fmt.Errorf("parse auth %q: want iam or dev", s)
}

// Key is what an access key id stands for.
type Key struct {
	Secret       string
	Public       *rsa.PublicKey // of a key pair, which signs instead of a secret
	SessionToken string         // what X-Amz-Security-Token must be; empty for a long-term key
	Issued       time.Time      // when it was made; zero for a long-term key
	Expires      time.Time      // when it stops being good; zero for a long-term key
	Principal    policy.Principal
}

// String and LogValue keep the secret out of logs.
func (k Key) String() string { return "key of " + k.Principal.ARN }

// LogValue is String.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

// Config is what a Door needs. Only Services and Keys (or AuthDev) are required; the zero value of the rest is what its comment says.
type Config struct {
	Services []Service
	Sockets  []Socket

	// Keys finds an access key, one of a session by what its token says; false means that there is none. It must not block for long: an unknown
	// key is asked for twice (see Ready).
	Keys func(ctx context.Context, accessKeyID, token string) (Key, bool)

	Auth         Auth             // anything but AuthDev verifies
	DevPrincipal policy.Principal // who everybody is under AuthDev; its policies are asked like anybody's
	Region       string           // of a request that names none, which happens under AuthDev only; "us-east-1"
	Account      string           // of callers whose principal names none, and of everybody under AuthDev; "000000000000"

	// Forward returns who serves a request that needs the leader, nil if we are the leader. The handler gets the
	// original request with all bytes of its body; Forward itself leaves the body alone. It is asked before an operation is called, and again
	// where that returns ErrElsewhere.
	Forward func(r *http.Request) http.Handler
	// Ready is called before an operation is; its error is the answer. readOnly is false for what writes. It is also called, as for
	// reading, before a key is refused as unknown: a replica that is behind may not have heard of it yet.
	Ready func(ctx context.Context, readOnly bool) error
	// Other serves what is no AWS request; without it that is 404.
	Other http.Handler
	// Observe is told of every AWS request that was answered here; code is "" for success, operation "" if it is none that AWS has.
	Observe func(service, operation, code string, status int, took time.Duration)
	// Audit is told of every call of a known caller that was answered here, and of every socket before it is opened. It must not wait. nil is told nothing.
	Audit func(*Audited)

	Limits  Limits
	Log     *slog.Logger  // nowhere
	MaxBody int64         // in bytes; 1 MiB
	Skew    time.Duration // how far a signer's clock may be off; 5 minutes
}

func (c Config) withDefaults() Config {
	if c.Keys == nil {
		c.Keys = func(context.Context, string, string) (Key, bool) { return Key{}, false }
	}
	if c.Forward == nil {
		c.Forward = func(*http.Request) http.Handler { return nil }
	}
	if c.Ready == nil {
		c.Ready = func(context.Context, bool) error { return nil }
	}
	if c.Other == nil {
		c.Other = http.NotFoundHandler()
	}
	if c.Observe == nil {
		c.Observe = func(string, string, string, int, time.Duration) {}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Region == "" {
		c.Region = "us-east-1"
	}
	if c.Account == "" {
		c.Account = "000000000000"
	}
	if c.MaxBody <= 0 {
		c.MaxBody = 1 << 20
	}
	c.Limits = c.Limits.withDefaults()
	if c.Skew <= 0 {
		c.Skew = 5 * time.Minute
	}
	return c
}
