package registry

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/opencontainers/go-digest"
	imagespec "github.com/opencontainers/image-spec/specs-go/v1"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/ecr"
	"berth/internal/state/statetest"
)

var testScope = arn.Scope{Partition: "aws", Region: "us-east-1", Account: "123456789012"}

// site is a registry behind a listener, with the repositories app, other and fixed (whose tags are immutable).
type site struct {
	*Registry
	*httptest.Server
	t    testing.TB
	user *user
}

// user may do everything but what is denied, and keeps what is told.
type user struct {
	denied []string

	mu   sync.Mutex
	told []Call
}

func (u *user) May(action, resource string) (func(*Call), error) {
	tell := func(c *Call) {
		u.mu.Lock()
		defer u.mu.Unlock()
		u.told = append(u.told, *c)
	}
	if slices.Contains(u.denied, action) || slices.Contains(u.denied, action+" "+resource) {
		return tell, apierr.New("AccessDeniedException", "User: u is not authorized to perform: %s on resource: %s", action, resource)
	}
	return tell, nil
}

// calls are what was told since the last time.
func (u *user) calls() []Call {
	u.mu.Lock()
	defer u.mu.Unlock()
	told := u.told
	u.told = nil
	return told
}

func open(t testing.TB) *site {
	t.Helper()
	s := &site{t: t, user: &user{}}
	store := statetest.Open(t, repository("app", false), repository("other", false), repository("fixed", true))
	authorize := func(_ *http.Request, name, password string) (Caller, error) {
		switch password {
		case "right":
			return s.user, nil
		case "old":
			return nil, apierr.New("ExpiredTokenException", "expired")
		case "unknown":
			return nil, errors.New("the store is gone")
		}
		return nil, apierr.New("UnrecognizedClientException", "The authorization token is invalid.")
	}
	g, err := Open(Config{Dir: t.TempDir(), State: store, Key: []byte("key"), Authorize: authorize, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	s.Registry, s.Server = g, httptest.NewServer(g)
	t.Cleanup(s.Close)
	return s
}

func repository(name string, immutable bool) *ecr.Repository {
	return &ecr.Repository{Arn: ecr.ARN(testScope, name), Name: name, Storage: "r-" + name, Immutable: immutable, MutabilityExclusions: []string{"free*"}}
}

// answer is what a request was answered.
type answer struct {
	status int
	header http.Header
	body   string
}

// ask asks as a client does whose password is right. The path is one of /v2/, or that of a repository from its name on.
func (s *site) ask(method, path string, body []byte, header ...string) answer {
	s.t.Helper()
	path = strings.TrimPrefix(path, s.URL) // the plain registry tells whole addresses
	if !strings.HasPrefix(path, "/") {
		path = "/v2/123456789012/us-east-1/" + path
	}
	r, err := http.NewRequest(method, s.URL+path, bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.SetBasicAuth("AWS", "right")
	for _, h := range header {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	return s.do(r)
}

func (s *site) do(r *http.Request) answer {
	s.t.Helper()
	a, err := s.Client().Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer a.Body.Close() //nolint:errcheck // it is read
	body, err := io.ReadAll(a.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer{a.StatusCode, a.Header, string(body)}
}

// wants checks an answer's status.
func (s *site) wants(status int, a answer) answer {
	s.t.Helper()
	if a.status != status {
		s.t.Fatalf("status %d instead of %d: %s", a.status, status, a.body)
	}
	return a
}

// layer pushes a layer in one part.
func (s *site) layer(name string, content []byte) imagespec.Descriptor {
	s.t.Helper()
	d := digest.FromBytes(content)
	begun := s.wants(http.StatusAccepted, s.ask("POST", name+"/blobs/uploads/", nil))
	sent := s.wants(http.StatusAccepted, s.ask("PATCH", begun.header.Get("Location"), content)).header.Get("Location")
	and := "?"
	if strings.Contains(sent, and) {
		and = "&"
	}
	s.wants(http.StatusCreated, s.ask("PUT", sent+and+"digest="+d.String(), nil))
	return imagespec.Descriptor{MediaType: imagespec.MediaTypeImageLayerGzip, Digest: d, Size: int64(len(content))}
}

// manifestOf is a manifest of one layer, and its config, which are pushed.
func (s *site) manifestOf(name, content string) []byte {
	s.t.Helper()
	config := s.layer(name, fmt.Appendf(nil, `{"of":%q}`, content))
	config.MediaType = imagespec.MediaTypeImageConfig
	m := imagespec.Manifest{MediaType: imagespec.MediaTypeImageManifest, Config: config, Layers: []imagespec.Descriptor{s.layer(name, []byte(content))}}
	m.SchemaVersion = 2
	return encoded(s.t, m)
}

func encoded(t testing.TB, v any) []byte {
	t.Helper()
	body, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// image pushes an image of one layer with a tag, or by its digest, and returns its digest.
func (s *site) image(name, reference, content string) digest.Digest {
	s.t.Helper()
	m := s.manifestOf(name, content)
	if reference == "" {
		reference = digest.FromBytes(m).String()
	}
	a := s.wants(http.StatusCreated, s.ask("PUT", name+"/manifests/"+reference, m, "Content-Type: "+imagespec.MediaTypeImageManifest))
	return digest.Digest(a.header.Get("Docker-Content-Digest"))
}

// index pushes an index of images by its digest, and returns its digest.
func (s *site) index(name string, images ...digest.Digest) digest.Digest {
	s.t.Helper()
	body := indexOf(s.t, images...)
	d := digest.FromBytes(body)
	s.wants(http.StatusCreated, s.ask("PUT", name+"/manifests/"+d.String(), body, "Content-Type: "+imagespec.MediaTypeImageIndex))
	return d
}

func indexOf(t testing.TB, images ...digest.Digest) []byte {
	t.Helper()
	x := imagespec.Index{MediaType: imagespec.MediaTypeImageIndex}
	x.SchemaVersion = 2
	for _, d := range images {
		x.Manifests = append(x.Manifests, imagespec.Descriptor{MediaType: imagespec.MediaTypeImageManifest, Digest: d, Size: 1})
	}
	return encoded(t, x)
}
