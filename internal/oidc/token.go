// Package oidc checks the ID tokens of OpenID Connect providers: their form, issuer, audience and times, and their signature by the keys that the
// provider publishes.
package oidc

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Token is an ID token that was read. Nothing in it is true before it was verified.
type Token struct {
	Issuer    string // as it stands in the token: https://token.actions.example.com
	Subject   string
	Audiences []string
	Methods   []string // amr: how the subject was authenticated
	Source    string   // the source identity of the session, "" for none
	Tags      map[string]string
	Lasting   []string // keys of the tags that are to go on into further sessions
	Expires   time.Time
	Issued    time.Time

	notBefore time.Time
	signed    *jose.JSONWebSignature
}

// Provider is whose tokens are good, and for whom.
type Provider struct {
	URL         string   // the issuer: https://..., or http:// on this machine's loopback device
	ClientIDs   []string // the audiences
	Thumbprints []string // SHA-1 of certificates that are trusted as authorities are, in hexadecimal digits
}

// What can be wrong with a token.
var (
	ErrMalformed   = errors.New("the token is no signed JWT")
	ErrAudience    = errors.New("the token is for nobody who is known")
	ErrNotYet      = errors.New("the token is not good yet")
	ErrSignature   = errors.New("the token's signature is not the provider's")
	ErrNoKey       = errors.New("the provider has no key for the token")
	ErrUnreachable = errors.New("the provider does not answer")
	ErrCertificate = errors.New("the provider's certificate is neither of a known authority nor has it one of its thumbprints")
)

// MissingError is a token without a claim that it needs.
type MissingError struct{ Claim string }

func (e *MissingError) Error() string { return "the token lacks the claim " + e.Claim }

// ExpiredError is a token after its time.
type ExpiredError struct{ Now, Expires time.Time }

func (e *ExpiredError) Error() string {
	return fmt.Sprintf("Token expired: current date/time %d must be before the expiration date/time %d", e.Now.Unix(), e.Expires.Unix())
}

// algorithms are those that AWS takes.
func algorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512, jose.ES256, jose.ES384, jose.ES512}
}

// claims are those of a token that are read, as JSON has them.
type claims struct {
	Issuer    string   `json:"iss"`
	Subject   string   `json:"sub"`
	Audience  texts    `json:"aud"`
	Methods   texts    `json:"amr"`
	Expires   *seconds `json:"exp"`
	Issued    *seconds `json:"iat"`
	NotBefore *seconds `json:"nbf"`
	Source    string   `json:"https://aws.amazon.com/source_identity"`
	Tags      struct {
		Principal map[string][]string `json:"principal_tags"`
		Lasting   []string            `json:"transitive_tag_keys"`
	} `json:"https://aws.amazon.com/tags"`
}

// texts is a text, or a list of them.
type texts []string

// UnmarshalJSON implements json.Unmarshaler.
func (t *texts) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*t = texts{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(t))
}

// seconds are those since 1970, perhaps with a fraction.
type seconds float64

func (s *seconds) time() time.Time {
	if s == nil {
		return time.Time{}
	}
	return time.Unix(int64(min(max(*s, 0), 1<<40)), 0)
}

// Parse reads a token, in the compact form of a JWS.
func Parse(text string) (*Token, error) {
	signed, err := jose.ParseSignedCompact(text, algorithms())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	var c claims
	if err := json.Unmarshal(signed.UnsafePayloadWithoutVerification(), &c); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	for _, needed := range []struct {
		name  string
		there bool
	}{{"iss", c.Issuer != ""}, {"sub", c.Subject != ""}, {"aud", len(c.Audience) > 0}, {"exp", c.Expires != nil}, {"iat", c.Issued != nil}} {
		if !needed.there {
			return nil, &MissingError{needed.name}
		}
	}
	t := &Token{
		Issuer: c.Issuer, Subject: c.Subject, Audiences: c.Audience, Methods: c.Methods, Source: c.Source, Lasting: c.Tags.Lasting,
		Expires: c.Expires.time(), Issued: c.Issued.time(), notBefore: c.NotBefore.time(), signed: signed,
	}
	for key, values := range c.Tags.Principal {
		if len(values) != 1 {
			return nil, fmt.Errorf("%w: the tag %.128q has %d values", ErrMalformed, key, len(values))
		}
		if t.Tags == nil {
			t.Tags = map[string]string{}
		}
		t.Tags[key] = values[0]
	}
	return t, nil
}

// skew is how far a provider's clock may be ahead.
const skew = 5 * time.Minute

// check holds a token against its provider and the time, all but the signature.
func (t *Token) check(p Provider, now time.Time) error {
	switch {
	case !slices.ContainsFunc(t.Audiences, func(a string) bool { return slices.Contains(p.ClientIDs, a) }):
		return ErrAudience
	case !now.Before(t.Expires):
		return &ExpiredError{now, t.Expires}
	case now.Add(skew).Before(t.notBefore), now.Add(skew).Before(t.Issued):
		return ErrNotYet
	}
	return nil
}

// Place is an issuer's or a provider's URL without its scheme, as IAM names it. plain says that it is reached without TLS, which only the loopback device may be.
func Place(issuer string) (place string, plain, ok bool) {
	u, err := url.Parse(issuer)
	if err != nil || u.Hostname() == "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || u.User != nil || !reachable(u) {
		return "", false, false
	}
	_, place, _ = strings.Cut(issuer, "://")
	return strings.TrimSuffix(place, "/"), u.Scheme == "http", true
}

// reachable reports whether a URL is one that keys are fetched from.
func reachable(u *url.URL) bool {
	return u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname())
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
