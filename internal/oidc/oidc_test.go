package oidc

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// issuer is a provider on this machine.
type issuer struct {
	*httptest.Server
	keys  []jose.JSONWebKey
	asked atomic.Int32
	claim string       // the issuer that its document names, "" for its URL
	serve http.Handler // instead of its documents, where it is set
}

func newIssuer(t testing.TB, start func(http.Handler) *httptest.Server) *issuer {
	t.Helper()
	i := &issuer{}
	i.Server = start(http.HandlerFunc(i.answer))
	t.Cleanup(i.Close)
	return i
}

func (i *issuer) answer(w http.ResponseWriter, r *http.Request) {
	if i.serve != nil {
		i.serve.ServeHTTP(w, r)
		return
	}
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		i.asked.Add(1)
		name := i.claim
		if name == "" {
			name = i.URL
		}
		json.NewEncoder(w).Encode(map[string]string{"issuer": name, "jwks_uri": i.URL + "/keys"}) //nolint:errcheck // the client tells
	case "/keys":
		list := []any{map[string]string{"kty": "unheard-of"}}
		for _, k := range i.keys {
			list = append(list, k)
		}
		json.NewEncoder(w).Encode(map[string]any{"keys": list}) //nolint:errcheck // the client tells
	default:
		http.NotFound(w, r)
	}
}

// key makes a key of a kind and has it published under an id.
func (i *issuer) key(t testing.TB, alg jose.SignatureAlgorithm, id string) crypto.Signer {
	t.Helper()
	k := makeKey(t, alg)
	i.keys = append(i.keys, jose.JSONWebKey{Key: k.Public(), KeyID: id, Use: "sig"})
	return k
}

func makeKey(t testing.TB, alg jose.SignatureAlgorithm) (k crypto.Signer) {
	t.Helper()
	var err error
	switch alg {
	case jose.ES256:
		k, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case jose.ES384:
		k, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case jose.ES512:
		k, err = ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	default:
		k, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// token signs claims with a key that is named so.
func token(t testing.TB, key any, alg jose.SignatureAlgorithm, id string, claims map[string]any) string {
	t.Helper()
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: jose.JSONWebKey{Key: key, KeyID: id}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := s.Sign(b)
	if err != nil {
		t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// good are the claims of a good token, with changes; nil takes one away.
func good(issuer string, change map[string]any) map[string]any {
	now := time.Now().Unix()
	c := map[string]any{"iss": issuer, "sub": "repo:o/r", "aud": "sts.amazonaws.com", "iat": now, "exp": now + 300}
	for k, v := range change {
		c[k] = v
		if v == nil {
			delete(c, k)
		}
	}
	return c
}

func verified(t *testing.T, v *Verifier, text string, p Provider) error {
	t.Helper()
	tok, err := Parse(text)
	if err != nil {
		return err
	}
	return v.Verify(t.Context(), tok, p)
}

func TestAlgorithms(t *testing.T) {
	i := newIssuer(t, httptest.NewServer)
	p := Provider{URL: i.URL, ClientIDs: []string{"other", "sts.amazonaws.com"}}
	for _, alg := range algorithms() {
		key := i.key(t, alg, string(alg))
		v := &Verifier{}
		if err := verified(t, v, token(t, key, alg, string(alg), good(i.URL, nil)), p); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
		if err := verified(t, v, token(t, makeKey(t, alg), alg, string(alg), good(i.URL, nil)), p); !errors.Is(err, ErrSignature) {
			t.Errorf("%s with another's key: %v", alg, err)
		}
		if err := verified(t, v, token(t, key, alg, "", good(i.URL, nil)), p); err != nil {
			t.Errorf("%s without the key's name: %v", alg, err)
		}
	}
	// What is signed with something that everybody knows, or not at all, is no token.
	if _, err := Parse(token(t, []byte(strings.Repeat("k", 32)), jose.HS256, "k", good(i.URL, nil))); !errors.Is(err, ErrMalformed) {
		t.Errorf("HS256: %v", err)
	}
	if _, err := Parse("eyJhbGciOiJub25lIn0.e30."); !errors.Is(err, ErrMalformed) {
		t.Errorf("none: %v", err)
	}
}

func TestClaims(t *testing.T) {
	i := newIssuer(t, httptest.NewServer)
	key := i.key(t, jose.ES256, "k")
	p := Provider{URL: i.URL, ClientIDs: []string{"sts.amazonaws.com"}}
	now := time.Now().Unix()
	for _, c := range []struct {
		name   string
		change map[string]any
		want   error // nil is good; a MissingError or an ExpiredError is compared by its kind
	}{
		{"good", nil, nil},
		{"several audiences", map[string]any{"aud": []string{"x", "sts.amazonaws.com"}}, nil},
		{"fractions of seconds", map[string]any{"iat": float64(now) - .5, "exp": float64(now) + 60.25}, nil},
		{"of the near future", map[string]any{"iat": now + 60, "nbf": now + 60}, nil},
		{"another audience", map[string]any{"aud": "x"}, ErrAudience},
		{"no audiences", map[string]any{"aud": []string{}}, &MissingError{"aud"}},
		{"no audience", map[string]any{"aud": nil}, &MissingError{"aud"}},
		{"no issuer", map[string]any{"iss": nil}, &MissingError{"iss"}},
		{"no subject", map[string]any{"sub": nil}, &MissingError{"sub"}},
		{"no end", map[string]any{"exp": nil}, &MissingError{"exp"}},
		{"no beginning", map[string]any{"iat": nil}, &MissingError{"iat"}},
		{"expired", map[string]any{"exp": now}, &ExpiredError{}},
		{"expired for ever", map[string]any{"exp": -1e300}, &ExpiredError{}},
		{"not yet", map[string]any{"nbf": now + 3600}, ErrNotYet},
		{"of the future", map[string]any{"iat": now + 3600}, ErrNotYet},
		{"a subject that is no text", map[string]any{"sub": 7}, ErrMalformed},
		{"an end that is no number", map[string]any{"exp": "tomorrow"}, ErrMalformed},
		{"a tag of two values", map[string]any{"https://aws.amazon.com/tags": map[string]any{"principal_tags": map[string]any{"a": []string{"1", "2"}}}}, ErrMalformed},
	} {
		err := verified(t, &Verifier{}, token(t, key, jose.ES256, "k", good(i.URL, c.change)), p)
		var missing, wanted *MissingError
		switch {
		case errors.As(c.want, &wanted):
			if !errors.As(err, &missing) || missing.Claim != wanted.Claim {
				t.Errorf("%s: %v", c.name, err)
			}
		case errors.As(c.want, new(*ExpiredError)):
			if !errors.As(err, new(*ExpiredError)) {
				t.Errorf("%s: %v", c.name, err)
			}
		case !errors.Is(err, c.want):
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestWhatTokensSay(t *testing.T) {
	text := token(t, makeKey(t, jose.ES256), jose.ES256, "k", good("https://i.example.com", map[string]any{
		"amr": "pwd", "https://aws.amazon.com/source_identity": "ada",
		"https://aws.amazon.com/tags": map[string]any{"principal_tags": map[string]any{"team": []string{"blue"}}, "transitive_tag_keys": []string{"team"}},
	}))
	got, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if got.Subject != "repo:o/r" || got.Methods[0] != "pwd" || got.Source != "ada" || got.Tags["team"] != "blue" || got.Lasting[0] != "team" {
		t.Errorf("%+v", got)
	}
}

// Keys are kept; one that is not known is asked for, but not again and again.
func TestKeysAreKept(t *testing.T) {
	i := newIssuer(t, httptest.NewServer)
	key := i.key(t, jose.ES256, "one")
	p := Provider{URL: i.URL, ClientIDs: []string{"sts.amazonaws.com"}}
	v := &Verifier{}
	for range 3 {
		if err := verified(t, v, token(t, key, jose.ES256, "one", good(i.URL, nil)), p); err != nil {
			t.Fatal(err)
		}
	}
	second := i.key(t, jose.ES256, "two")
	for range 3 {
		if err := verified(t, v, token(t, second, jose.ES256, "two", good(i.URL, nil)), p); !errors.Is(err, ErrNoKey) {
			t.Error(err)
		}
	}
	if n := i.asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
	v.keyring(p).asked = time.Now().Add(-pause)
	if err := verified(t, v, token(t, second, jose.ES256, "two", good(i.URL, nil)), p); err != nil {
		t.Error(err)
	}
	// The provider is away: keys that are known are good for a day.
	i.serve = http.NotFoundHandler()
	k := v.keyring(p)
	k.asked, k.fetched = time.Now().Add(-2*fresh), time.Now().Add(-2*fresh)
	if err := verified(t, v, token(t, key, jose.ES256, "one", good(i.URL, nil)), p); err != nil {
		t.Error(err)
	}
	k.fetched = time.Now().Add(-stale - time.Minute)
	if err := verified(t, v, token(t, key, jose.ES256, "one", good(i.URL, nil)), p); !errors.Is(err, ErrUnreachable) {
		t.Error(err)
	}
}

func TestProvidersThatAreWrong(t *testing.T) {
	say := func(text string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(text)) }) //nolint:errcheck // the client tells
	}
	for name, c := range map[string]struct {
		serve http.Handler
		claim string
		want  error
	}{
		"no such page":     {http.NotFoundHandler(), "", ErrUnreachable},
		"another issuer":   {nil, "https://other.example.com", ErrNoKey},
		"no JSON":          {say("<html>"), "", ErrNoKey},
		"no keys":          {say("{}"), "", ErrNoKey},
		"a long answer":    {say(strings.Repeat(" ", mostDocument+1)), "", ErrNoKey},
		"a redirection":    {http.RedirectHandler("http://127.0.0.1:1/", http.StatusFound), "", ErrUnreachable},
		"keys from afar":   {say(`{"issuer":"URL","jwks_uri":"http://192.0.2.1/keys"}`), "", ErrNoKey},
		"keys from a file": {say(`{"issuer":"URL","jwks_uri":"file:///etc/passwd"}`), "", ErrNoKey},
	} {
		t.Run(name, func(t *testing.T) {
			i := newIssuer(t, httptest.NewServer)
			i.serve, i.claim = c.serve, c.claim
			if f, ok := c.serve.(http.HandlerFunc); ok {
				i.serve = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					b := httptest.NewRecorder()
					f(b, r)
					w.WriteHeader(b.Code)
					w.Write([]byte(strings.ReplaceAll(b.Body.String(), "URL", i.URL))) //nolint:errcheck // the client tells
				})
			}
			key := i.key(t, jose.ES256, "k")
			if err := verified(t, &Verifier{}, token(t, key, jose.ES256, "k", good(i.URL, nil)), Provider{URL: i.URL, ClientIDs: []string{"sts.amazonaws.com"}}); !errors.Is(err, c.want) {
				t.Error(err)
			}
		})
	}
}

// A certificate of no known authority is good with its thumbprint only.
func TestThumbprints(t *testing.T) {
	i := newIssuer(t, httptest.NewTLSServer)
	i.Config.ErrorLog = log.New(io.Discard, "", 0)
	key := i.key(t, jose.RS256, "k")
	sum := sha1.Sum(i.Certificate().Raw)
	text := token(t, key, jose.RS256, "k", good(i.URL, nil))
	for name, c := range map[string]struct {
		prints []string
		want   error
	}{
		"its own":   {[]string{strings.Repeat("0", 40), strings.ToUpper(hex.EncodeToString(sum[:]))}, nil},
		"none":      {nil, ErrCertificate},
		"another's": {[]string{strings.Repeat("0", 40)}, ErrCertificate},
	} {
		if err := verified(t, &Verifier{}, text, Provider{URL: i.URL, ClientIDs: []string{"sts.amazonaws.com"}, Thumbprints: c.prints}); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// It is for no other host, thumbprint or not.
	other := strings.Replace(i.URL, "127.0.0.1", "localhost", 1)
	p := Provider{URL: other, ClientIDs: []string{"sts.amazonaws.com"}, Thumbprints: []string{hex.EncodeToString(sum[:])}}
	if err := verified(t, &Verifier{}, token(t, key, jose.RS256, "k", good(other, nil)), p); !errors.Is(err, ErrUnreachable) {
		t.Errorf("localhost: %v", err)
	}
}

// A provider that does not answer holds up no more than some, and whoever goes away is not waited for.
func TestManyWait(t *testing.T) {
	i := newIssuer(t, httptest.NewServer)
	hold := make(chan struct{})
	i.serve = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hold })
	defer close(hold)
	tok, err := Parse(token(t, makeKey(t, jose.ES256), jose.ES256, "k", good(i.URL, nil)))
	if err != nil {
		t.Fatal(err)
	}
	v, p := &Verifier{}, Provider{URL: i.URL, ClientIDs: []string{"sts.amazonaws.com"}}
	ctx, cancel := context.WithCancel(t.Context())
	v.keyring(p).turn <- struct{}{} // somebody asks it
	ended := make(chan error, mostWaiting+1)
	for range mostWaiting + 1 {
		go func() { ended <- v.Verify(ctx, tok, p) }()
	}
	if err := <-ended; !errors.Is(err, ErrUnreachable) {
		t.Error(err)
	}
	cancel()
	for range mostWaiting {
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
	if v.waiting != 0 {
		t.Errorf("%d still wait", v.waiting)
	}
}

func TestPlace(t *testing.T) {
	for in, want := range map[string]string{
		"https://token.example.com/org": "token.example.com/org", "https://token.example.com/": "token.example.com", "http://127.0.0.1:80/x": "plain 127.0.0.1:80/x",
		"http://localhost:8080": "plain localhost:8080", "http://[::1]:1": "plain [::1]:1", "http://example.com": "", "token.example.com": "", "https://": "",
		"https://u@h": "", "https://h?q": "", "https://h?": "", "https://h#f": "", "ftp://h": "", "": "", "http://127.0.0.1.example.com": "",
	} {
		place, plain, ok := Place(in)
		if plain {
			place = "plain " + place
		}
		if place != want || ok != (want != "") {
			t.Errorf("%s: %q, %v", in, place, ok)
		}
	}
}

func FuzzParse(f *testing.F) {
	key := makeKey(f, jose.ES256)
	f.Add(token(f, key, jose.ES256, "k", good("https://i.example.com", map[string]any{"amr": []string{"a"}})))
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Add("eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJpIn0.AAAA")
	f.Add("..")
	f.Fuzz(func(t *testing.T, text string) {
		tok, err := Parse(text)
		if err != nil {
			return
		}
		if tok.Issuer == "" || tok.Subject == "" || len(tok.Audiences) == 0 || tok.Expires.IsZero() {
			t.Fatalf("%+v", tok)
		}
	})
}
