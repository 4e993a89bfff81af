package oidc

import (
	"context"
	"crypto/sha1" //nolint:gosec // the thumbprints of IAM are SHA-1
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	// fetchTime bounds a question to a provider, with all that it takes.
	fetchTime = 5 * time.Second
	// mostDocument bounds what a provider answers, in bytes; mostKeys how many keys are taken.
	mostDocument = 512 << 10
	mostKeys     = 200
)

// fetch asks a provider for its keys. The error is ErrUnreachable, ErrCertificate or ErrNoKey, with what went wrong.
func fetch(ctx context.Context, p Provider) ([]jose.JSONWebKey, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTime)
	defer cancel()
	var about struct {
		Issuer string `json:"issuer"`
		Keys   string `json:"jwks_uri"`
	}
	if err := get(ctx, p, strings.TrimSuffix(p.URL, "/")+"/.well-known/openid-configuration", &about); err != nil {
		return nil, err
	}
	if strings.TrimSuffix(about.Issuer, "/") != strings.TrimSuffix(p.URL, "/") {
		return nil, fmt.Errorf("%w: it says that it is %.256q", ErrNoKey, about.Issuer)
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := get(ctx, p, about.Keys, &set); err != nil {
		return nil, err
	}
	return read(set.Keys), nil
}

// read reads keys. Those that tokens are not signed with, or that nobody here knows, are left out.
func read(list []json.RawMessage) (keys []jose.JSONWebKey) {
	for _, raw := range list[:min(len(list), mostKeys)] {
		var k jose.JSONWebKey
		if k.UnmarshalJSON(raw) == nil && signs(k) {
			keys = append(keys, k)
		}
	}
	return keys
}

// get reads a JSON document. Redirections are not followed.
func get(ctx context.Context, p Provider, from string, into any) error {
	u, err := url.Parse(from)
	if err != nil || u.Hostname() == "" || !reachable(u) || u.Scheme == "http" && !strings.HasPrefix(p.URL, "http:") {
		return fmt.Errorf("%w: no keys are fetched from %.256q", ErrNoKey, from)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNoKey, err)
	}
	answer, err := client(u.Hostname(), p.Thumbprints).Do(request)
	if errors.Is(err, ErrCertificate) {
		return err
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%w: %s answers %s", ErrUnreachable, u.Redacted(), answer.Status)
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, mostDocument+1))
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	case len(text) > mostDocument:
		return fmt.Errorf("%w: %s answers more than %d bytes", ErrNoKey, u.Redacted(), mostDocument)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrNoKey, u.Redacted(), err)
	}
	return nil
}

// client is for one connection to a host.
func client(host string, thumbprints []string) *http.Client {
	config := &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: true, //nolint:gosec // VerifyConnection does it, with the thumbprints
		VerifyConnection: func(c tls.ConnectionState) error {
			return verify(c.PeerCertificates, host, thumbprints, time.Now())
		},
	}
	return &http.Client{
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: config, DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// verify accepts a certificate of a known authority. Where there is none, and then only, one of those that the server has shown is taken for the authority if
// it has a thumbprint that the provider was registered with.
func verify(shown []*x509.Certificate, host string, thumbprints []string, now time.Time) error {
	o := x509.VerifyOptions{DNSName: host, Intermediates: x509.NewCertPool(), CurrentTime: now}
	for _, c := range shown[1:] {
		o.Intermediates.AddCert(c)
	}
	_, err := shown[0].Verify(o)
	if !errors.As(err, new(x509.UnknownAuthorityError)) {
		return err
	}
	o.Roots = x509.NewCertPool()
	for _, c := range shown {
		sum := sha1.Sum(c.Raw) //nolint:gosec // as IAM has them
		if slices.ContainsFunc(thumbprints, func(t string) bool { return strings.EqualFold(t, hex.EncodeToString(sum[:])) }) {
			o.Roots.AddCert(c)
		}
	}
	if _, err = shown[0].Verify(o); errors.As(err, new(x509.UnknownAuthorityError)) {
		return fmt.Errorf("%w: %w", ErrCertificate, err)
	}
	return err
}
