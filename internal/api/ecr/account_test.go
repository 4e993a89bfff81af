package ecr

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"testing/cryptotest"
	"time"

	"github.com/opencontainers/go-digest"
	imagespec "github.com/opencontainers/image-spec/specs-go/v1"

	"berth/internal/access"
	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/awswire"
	"berth/internal/frontdoor"
	"berth/internal/policy"
	"berth/internal/registry"
	"berth/internal/state"
	"berth/internal/state/statetest"
)

var testScope = arn.Scope{Partition: "aws", Region: "us-east-1", Account: "123456789012"}

// account is an AWS account with a registry, and a way to ask ECR's operations as a client does: in JSON.
type account struct {
	store    *state.Store
	registry *registry.Registry
	api      *API
	caller   policy.Principal
	ops      map[string]frontdoor.Operation
	plans    map[reflect.Type]*awswire.Plan
}

// everything may be done by whoever asks the registry.
type everything struct{}

func (everything) May(string, string) (func(*registry.Call), error) {
	return func(*registry.Call) {}, nil
}

func newAccount(t testing.TB) *account {
	t.Helper()
	store := statetest.Open(t)
	g, err := registry.Open(registry.Config{Dir: t.TempDir(), State: store, Key: []byte("key"), Log: slog.New(slog.DiscardHandler),
		Authorize: func(*http.Request, string, string) (registry.Caller, error) { return everything{}, nil }})
	if err != nil {
		t.Fatal(err)
	}
	token := func(_ context.Context, r *frontdoor.Request) (string, time.Time, error) {
		return "password of " + r.Caller.ARN, now().Add(12 * time.Hour), nil
	}
	a := &account{
		store: store, registry: g, api: New(Config{State: store, Registry: g, Token: token}), caller: access.Admin(testScope.Account),
		ops: map[string]frontdoor.Operation{}, plans: map[reflect.Type]*awswire.Plan{},
	}
	names := awswire.NewCompiler(a.api.Service().Names)
	for _, o := range a.api.Service().Operations {
		a.ops[o.Name] = o
		a.plans[o.Input], a.plans[o.Output] = names.Plan(o.Input), names.Plan(o.Output)
	}
	return a
}

// ask makes one call and returns the answer as JSON, or the API's error.
func (a *account) ask(t testing.TB, operation, body string) ([]byte, *apierr.Error) {
	t.Helper()
	o, ok := a.ops[operation]
	if !ok {
		t.Fatalf("no operation %s", operation)
	}
	in := reflect.New(o.Input)
	sent, err := a.plans[o.Input].DecodeJSON([]byte(body), in.Interface())
	if err != nil {
		t.Fatalf("%s %s: %v", operation, body, err)
	}
	r := &frontdoor.Request{Scope: testScope, Sent: sent, Caller: a.caller, Host: "127.0.0.1:3270"}
	if o.Resources != nil {
		for _, resource := range o.Resources(r, in.Interface()) {
			if o.ResourcePolicy != nil {
				o.ResourcePolicy(r, resource)
			}
		}
	}
	out, err := o.Call(t.Context(), r, in.Interface())
	if err != nil {
		return nil, apierr.As(err)
	}
	return a.plans[o.Output].EncodeJSON(out), nil
}

// must asks a request that succeeds, and reads the answer.
func (a *account) must(t testing.TB, operation, body string) map[string]any {
	t.Helper()
	out, failed := a.ask(t, operation, body)
	if failed != nil {
		t.Fatalf("%s %.300s: %v", operation, body, failed)
	}
	var answer map[string]any
	if err := json.Unmarshal(out, &answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

// tell asks a line's request and returns the answer for a golden file.
func (a *account) tell(t testing.TB, line string) string {
	t.Helper()
	operation, body, _ := strings.Cut(line, " ")
	out, failed := a.ask(t, operation, body)
	if failed != nil {
		return fmt.Sprintf("%s: %s\n", failed.Code, failed.Message)
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, out, "", "  "); err != nil {
		t.Fatal(err)
	}
	return pretty.String() + "\n"
}

// send asks the registry, as docker does.
func (a *account) send(t testing.TB, method, path string, body []byte) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, bytes.NewReader(body))
	r.SetBasicAuth("AWS", "x")
	w := httptest.NewRecorder()
	a.registry.ServeHTTP(w, r)
	return w
}

// layer pushes a layer, or a config.
func (a *account) layer(t testing.TB, name, mediaType string, content []byte) imagespec.Descriptor {
	t.Helper()
	d := digest.FromBytes(content)
	if w := a.send(t, "POST", "/v2/123456789012/us-east-1/"+name+"/blobs/uploads/?digest="+d.String(), content); w.Code != http.StatusCreated {
		t.Fatalf("layer: %d %s", w.Code, w.Body)
	}
	return imagespec.Descriptor{MediaType: mediaType, Digest: d, Size: int64(len(content))}
}

// manifest is one of an image of one layer, which is pushed.
func (a *account) manifest(t testing.TB, name, content string) []byte {
	t.Helper()
	m := imagespec.Manifest{MediaType: imagespec.MediaTypeImageManifest, Config: a.layer(t, name, imagespec.MediaTypeImageConfig, []byte("{}"))}
	m.SchemaVersion = 2
	m.Layers = []imagespec.Descriptor{a.layer(t, name, imagespec.MediaTypeImageLayerGzip, []byte(content))}
	body, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// push pushes an image of one layer, by its digest where the tag is "-".
func (a *account) push(t testing.TB, name, tag, content string) digest.Digest {
	t.Helper()
	m := a.manifest(t, name, content)
	a.put(t, name, tag, m)
	return digest.FromBytes(m)
}

func (a *account) put(t testing.TB, name, tag string, manifest []byte) {
	t.Helper()
	if tag == "-" {
		tag = digest.FromBytes(manifest).String()
	}
	if w := a.send(t, "PUT", "/v2/123456789012/us-east-1/"+name+"/manifests/"+tag, manifest); w.Code != http.StatusCreated {
		t.Fatalf("push: %d %s", w.Code, w.Body)
	}
}

// index pushes an index of images by its digest.
func (a *account) index(t testing.TB, name string, images ...digest.Digest) digest.Digest {
	t.Helper()
	x := imagespec.Index{MediaType: imagespec.MediaTypeImageIndex}
	x.SchemaVersion = 2
	for _, d := range images {
		x.Manifests = append(x.Manifests, imagespec.Descriptor{MediaType: imagespec.MediaTypeImageManifest, Digest: d, Size: 1})
	}
	body, err := json.Marshal(x)
	if err != nil {
		t.Fatal(err)
	}
	a.put(t, name, "-", body)
	return digest.FromBytes(body)
}

// wrong is a request that must be refused, and how.
type wrong struct{ operation, body, code, message string }

// refuses checks that each wrong request gets its error and that neither the store nor the images of the repository app have changed.
func (a *account) refuses(t *testing.T, tests []wrong) {
	t.Helper()
	before, images := a.store.View().N, a.images(t)
	for _, test := range tests {
		t.Run(fmt.Sprintf("%s %.80s", test.operation, test.body), func(t *testing.T) {
			out, err := a.ask(t, test.operation, test.body)
			if err == nil {
				t.Fatalf("accepted: %s", out)
			}
			if err.Code != test.code || err.Message != test.message {
				t.Errorf("got  %s: %s\nwant %s: %s", err.Code, err.Message, test.code, test.message)
			}
			if n := a.store.View().N; n != before {
				t.Errorf("the store has changed: commit %d after %d", n, before)
			}
		})
	}
	if after := a.images(t); after != images {
		t.Errorf("images have changed: %s after %s", after, images)
	}
}

// images are those of the repository app.
func (a *account) images(t testing.TB) string {
	t.Helper()
	return fmt.Sprint(a.must(t, "ListImages", `{"repositoryName":"app"}`))
}

func seeded(t *testing.T) *account {
	t.Helper()
	cryptotest.SetGlobalRandom(t, 1)
	return newAccount(t)
}
