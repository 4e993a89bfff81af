package registry

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
	imagespec "github.com/opencontainers/image-spec/specs-go/v1"

	"berth/internal/ecr"
	"berth/internal/state"
)

// What was pushed is there byte for byte, by tag and by digest, and is shown with its size and tags.
func TestPushAndPull(t *testing.T) {
	s := open(t)
	m := s.manifestOf("app", "the layer")
	pushed := s.wants(201, s.ask("PUT", "app/manifests/v1", m, "Content-Type: "+imagespec.MediaTypeImageManifest))
	d := digest.FromBytes(m)
	if pushed.header.Get("Docker-Content-Digest") != d.String() || pushed.header.Get("Location") != "/v2/123456789012/us-east-1/app/manifests/"+d.String() {
		t.Errorf("%v", pushed.header)
	}
	for _, reference := range []string{"v1", d.String()} {
		got := s.wants(200, s.ask("GET", "app/manifests/"+reference, nil))
		head := s.wants(200, s.ask("HEAD", "app/manifests/"+reference, nil))
		if got.body != string(m) || head.body != "" || head.header.Get("Docker-Content-Digest") != d.String() ||
			head.header.Get("Content-Type") != imagespec.MediaTypeImageManifest || head.header.Get("Content-Length") != fmt.Sprint(len(m)) {
			t.Errorf("%s: %+v, %+v", reference, got, head)
		}
		s.wants(304, s.ask("GET", "app/manifests/"+reference, nil, `If-None-Match: "`+d.String()+`"`))
	}
	layer := digest.FromString("the layer").String()
	if got := s.wants(200, s.ask("GET", "app/blobs/"+layer, nil)); got.body != "the layer" {
		t.Errorf("%+v", got)
	}
	if got := s.wants(206, s.ask("GET", "app/blobs/"+layer, nil, "Range: bytes=4-")); got.body != "layer" {
		t.Errorf("%+v", got)
	}
	if head := s.wants(200, s.ask("HEAD", "app/blobs/"+layer, nil)); head.header.Get("Content-Length") != "9" {
		t.Errorf("%+v", head)
	}
	s.wants(201, s.ask("PUT", "app/manifests/latest", m, "Content-Type: "+imagespec.MediaTypeImageManifest))
	images, err := s.Images(t.Context(), "r-app")
	if err != nil || len(images) != 1 {
		t.Fatalf("%v, %v", images, err)
	}
	one := images[0]
	if age := time.Since(one.PushedAt); age < 0 || age > time.Minute {
		t.Errorf("pushed %s ago", age)
	}
	one.PushedAt = time.Time{}
	want := Image{Digest: d, MediaType: imagespec.MediaTypeImageManifest, ArtifactType: imagespec.MediaTypeImageConfig, Size: 9 + int64(len(`{"of":"the layer"}`)), Tags: []string{"latest", "v1"}}
	if diff := cmp.Diff(want, one); diff != "" {
		t.Error(diff)
	}
}

// An upload comes in any number of parts, tells how far it is, and goes on after it was cut short.
func TestUploads(t *testing.T) {
	s := open(t)
	begun := s.wants(202, s.ask("POST", "app/blobs/uploads/", nil))
	at := begun.header.Get("Location")
	if begun.header.Get("Range") != "0-0" || at != "/v2/123456789012/us-east-1/app/blobs/uploads/"+begun.header.Get("Docker-Upload-Uuid") {
		t.Errorf("%+v", begun)
	}
	s.wants(202, s.ask("PATCH", at, []byte("one, "), "Content-Range: 0-4"))
	s.wants(416, s.ask("PATCH", at, []byte("three"), "Content-Range: 10-14"))
	s.wants(416, s.ask("PATCH", at, []byte("three"), "Content-Range: x"))
	if got := s.wants(204, s.ask("GET", at, nil)); got.header.Get("Range") != "0-4" {
		t.Errorf("%+v", got)
	}
	if got := s.wants(202, s.ask("PATCH", at, []byte("two, "))); got.header.Get("Range") != "0-9" {
		t.Errorf("%+v", got)
	}
	d := digest.FromString("one, two, three")
	done := s.wants(201, s.ask("PUT", at+"?digest="+d.String(), []byte("three")))
	if done.header.Get("Docker-Content-Digest") != d.String() {
		t.Errorf("%+v", done)
	}
	if got := s.wants(200, s.ask("GET", done.header.Get("Location"), nil)); got.body != "one, two, three" {
		t.Errorf("%+v", got)
	}
	s.wants(404, s.ask("GET", at, nil))
	whole := digest.FromString("whole")
	s.wants(201, s.ask("POST", "app/blobs/uploads/?digest="+whole.String(), []byte("whole")))
	s.wants(200, s.ask("HEAD", "app/blobs/"+whole.String(), nil))
	s.wants(404, s.ask("HEAD", "other/blobs/"+whole.String(), nil)) // it is another repository's
}

// One request at a time adds to an upload: a layer that is there is what its digest says, whatever another request is still sending.
func TestOneAtATime(t *testing.T) {
	s := open(t)
	at := s.wants(202, s.ask("POST", "app/blobs/uploads/", nil)).header.Get("Location")
	first, rest := strings.Repeat("a", 64<<10), "and more"
	body, write := io.Pipe()
	defer write.Close()
	r, err := http.NewRequest("PATCH", s.URL+at, body)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth("AWS", "right")
	sent := make(chan answer, 1)
	go func() {
		defer close(sent)
		sent <- s.do(r)
	}()
	io.WriteString(write, first) //nolint:errcheck // what did not come is seen
	for s.wants(204, s.ask("GET", at, nil)).header.Get("Range") != fmt.Sprintf("0-%d", len(first)-1) {
		runtime.Gosched()
	}
	d := digest.FromString(first)
	busy := `{"errors":[{"code":"BLOB_UPLOAD_INVALID","message":"Another request is under way for the upload"}]}`
	for _, test := range []struct{ method, path string }{{"PUT", at + "?digest=" + d.String()}, {"PATCH", at}, {"DELETE", at}} {
		if got := s.wants(409, s.ask(test.method, test.path, nil)); got.body != busy {
			t.Errorf("%s: %s", test.method, got.body)
		}
	}
	io.WriteString(write, rest) //nolint:errcheck // as above
	write.Close()
	s.wants(202, <-sent)
	if s.blob(d) {
		t.Error("the layer was made of a part of it")
	}
	whole := digest.FromString(first + rest).String()
	s.wants(201, s.ask("PUT", at+"?digest="+whole, nil))
	if got := s.wants(200, s.ask("GET", "app/blobs/"+whole, nil)); got.body != first+rest {
		t.Errorf("%d bytes came back", len(got.body))
	}
}

// A layer is mounted from a repository that the caller may read, and from no other.
func TestMount(t *testing.T) {
	s := open(t)
	d := s.layer("app", []byte("shared")).Digest.String()
	mount := func(from string) string {
		return "other/blobs/uploads/?mount=" + d + "&from=123456789012/us-east-1/" + from
	}
	s.user.denied = []string{"ecr:GetDownloadUrlForLayer " + ecr.ARN(testScope, "app")}
	s.wants(202, s.ask("POST", mount("app"), nil))
	s.user.denied = nil
	s.wants(202, s.ask("POST", mount("fixed"), nil))
	s.wants(202, s.ask("POST", mount("none"), nil))
	s.wants(202, s.ask("POST", "other/blobs/uploads/?mount="+d+"&from=app", nil))
	s.wants(202, s.ask("POST", "other/blobs/uploads/?mount="+d, nil))
	s.wants(404, s.ask("HEAD", "other/blobs/"+d, nil))
	if got := s.wants(201, s.ask("POST", mount("app"), nil)); got.header.Get("Docker-Content-Digest") != d {
		t.Errorf("%+v", got)
	}
	if got := s.wants(200, s.ask("GET", "other/blobs/"+d, nil)); got.body != "shared" {
		t.Errorf("%+v", got)
	}
}

func TestTagLists(t *testing.T) {
	s := open(t)
	for _, tag := range []string{"b", "a", "c"} {
		s.image("app", tag, tag)
	}
	list := func(query string) (tags []string, next string) {
		a := s.wants(200, s.ask("GET", query, nil))
		var read struct {
			Name string
			Tags []string
		}
		if err := json.Unmarshal([]byte(a.body), &read); err != nil || read.Name != "123456789012/us-east-1/app" {
			t.Errorf("%s: %v", a.body, err)
		}
		next, _, _ = strings.Cut(strings.TrimPrefix(a.header.Get("Link"), "<"), ">")
		return read.Tags, next
	}
	if all, next := list("app/tags/list"); !slices.Equal(all, []string{"a", "b", "c"}) || next != "" {
		t.Errorf("%v %s", all, next)
	}
	first, next := list("app/tags/list?n=2")
	second, end := list(next)
	if !slices.Equal(slices.Concat(first, second), []string{"a", "b", "c"}) || end != "" {
		t.Errorf("%v %v %s", first, second, end)
	}
	s.wants(400, s.ask("GET", "app/tags/list?n=x", nil))
}

// A tag moves to the newest image, unless it is fixed; an image goes by its digest, a tag by its name, and what an index has in it stays.
func TestTagsAndDeletion(t *testing.T) {
	s := open(t)
	one, two := s.image("app", "latest", "one"), s.image("app", "latest", "two")
	if got := s.wants(200, s.ask("HEAD", "app/manifests/latest", nil)); got.header.Get("Docker-Content-Digest") != two.String() {
		t.Errorf("%v", got.header)
	}
	s.wants(202, s.ask("DELETE", "app/manifests/"+two.String(), nil))
	s.wants(404, s.ask("HEAD", "app/manifests/latest", nil))
	s.wants(404, s.ask("HEAD", "app/manifests/"+two.String(), nil))
	s.wants(404, s.ask("DELETE", "app/manifests/"+two.String(), nil))
	index := s.index("app", one)
	s.wants(409, s.ask("DELETE", "app/manifests/"+one.String(), nil))
	s.wants(202, s.ask("DELETE", "app/manifests/"+index.String(), nil))
	s.wants(202, s.ask("DELETE", "app/manifests/"+one.String(), nil))
	if empty, err := s.Empty("r-app"); !empty || err != nil {
		t.Errorf("%v, %v", empty, err)
	}
	s.image("app", "x", "three")
	s.wants(202, s.ask("DELETE", "app/manifests/x", nil))
	if images, err := s.Images(t.Context(), "r-app"); err != nil || len(images) != 1 || images[0].Tags != nil {
		t.Errorf("%v, %v", images, err)
	}
	s.image("fixed", "v1", "one")
	s.image("fixed", "free-1", "one")
	s.image("fixed", "free-1", "two")
	for _, content := range []string{"one", "two"} {
		m := s.manifestOf("fixed", content)
		got := s.wants(400, s.ask("PUT", "fixed/manifests/v1", m, "Content-Type: "+imagespec.MediaTypeImageManifest))
		if want := `{"errors":[{"code":"TAG_INVALID","message":"The image tag 'v1' already exists in the 'fixed' repository and cannot be overwritten because the repository is immutable."}]}`; got.body != want {
			t.Error(got.body)
		}
	}
}

// An index has the size of the largest image in it.
func TestIndexes(t *testing.T) {
	s := open(t)
	d := s.index("app", s.image("app", "", "small"), s.image("app", "", strings.Repeat("large", 100)))
	images, err := s.Images(t.Context(), "r-app")
	if err != nil || len(images) != 3 {
		t.Fatalf("%v, %v", images, err)
	}
	for _, i := range images {
		if i.Digest == d && (i.Size < 500 || i.MediaType != imagespec.MediaTypeImageIndex || len(i.Images) != 2) {
			t.Errorf("%+v", i)
		}
	}
}

func TestRefusals(t *testing.T) {
	s := open(t)
	m := s.manifestOf("app", "layer")
	d := digest.FromBytes(m).String()
	nothing := digest.FromString("nothing").String()
	lacking := fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":"%s","config":{"mediaType":"x","digest":"%s","size":1},"layers":[]}`, imagespec.MediaTypeImageManifest, nothing)
	upload := s.wants(202, s.ask("POST", "app/blobs/uploads/", nil)).header.Get("Location")
	notThere := "The repository with name 'none' does not exist in the registry with id '123456789012'"
	doNotExist := func(what string) string {
		return what + " with digests '[" + nothing + "]' required for pushing image into repository with name 'app' in the registry with id '123456789012' do not exist"
	}
	for _, test := range []struct {
		method, path string
		body         []byte
		status       int
		code, text   string
	}{
		{"GET", "/v2/x", nil, 404, "UNSUPPORTED", ""},
		{"GET", "/v2/_catalog", nil, 404, "UNSUPPORTED", ""},
		{"GET", "/v2/app/manifests/v1", nil, 404, "UNSUPPORTED", ""},
		{"GET", "UPPER/manifests/v1", nil, 404, "UNSUPPORTED", ""},
		{"GET", "../app/manifests/v1", nil, 404, "UNSUPPORTED", ""},
		{"POST", "none/blobs/uploads/", nil, 404, "NAME_UNKNOWN", notThere},
		{"GET", "none/manifests/v1", nil, 404, "NAME_UNKNOWN", notThere},
		{"PATCH", "app/manifests/v1", nil, 405, "UNSUPPORTED", "The operation is unsupported."},
		{"DELETE", "app/blobs/" + nothing, nil, 405, "UNSUPPORTED", ""},
		{"GET", "app/manifests/none", nil, 404, "MANIFEST_UNKNOWN", "Requested image not found"},
		{"GET", "app/manifests/" + nothing, nil, 404, "MANIFEST_UNKNOWN", "Requested image not found"},
		{"GET", "app/manifests/sha256:x", nil, 400, "TAG_INVALID", "The reference 'sha256:x' is neither a tag nor a SHA-256 digest"},
		{"GET", "app/manifests/-x", nil, 400, "TAG_INVALID", ""},
		{"GET", "app/blobs/" + nothing, nil, 404, "BLOB_UNKNOWN", "The specified layer does not exist in the repository"},
		{"GET", "app/blobs/sha256:x", nil, 400, "DIGEST_INVALID", ""},
		{"GET", "app/blobs/uploads/" + strings.Repeat("a", 8) + "-aaaa-aaaa-aaaa-" + strings.Repeat("a", 12), nil, 404, "BLOB_UPLOAD_UNKNOWN", "The specified upload does not exist"},
		{"GET", "app/blobs/uploads/../../x", nil, 404, "UNSUPPORTED", ""},
		{"PUT", upload, nil, 400, "DIGEST_INVALID", ""},
		{"PUT", upload + "?digest=md5:00", nil, 400, "DIGEST_INVALID", ""},
		{"POST", "app/blobs/uploads/?mount=x&from=123456789012/us-east-1/other", nil, 400, "DIGEST_INVALID", ""},
		{"PUT", "app/manifests/v1", []byte("{"), 400, "MANIFEST_INVALID", "invalid manifest: it is not valid JSON"},
		{"PUT", "app/manifests/v1", []byte(`{"schemaVersion":1}`), 400, "MANIFEST_INVALID", `invalid manifest: the media type "" is not supported`},
		{"PUT", "app/manifests/v1", []byte(`{"schemaVersion":2,"mediaType":"x"}`), 400, "MANIFEST_INVALID", `invalid manifest: the media type "x" is not supported`},
		{"PUT", "app/manifests/v1", bytes.Replace(m, []byte(`"schemaVersion":2`), []byte(`"schemaVersion":1`), 1), 400, "MANIFEST_INVALID", "invalid manifest: its schema version is 1, not 2"},
		{"PUT", "app/manifests/v1", bytes.Replace(indexOf(t), []byte(`"schemaVersion":2`), []byte(`"schemaVersion":3`), 1), 400, "MANIFEST_INVALID", "invalid manifest: its schema version is 3, not 2"},
		{"PUT", "app/manifests/v1", fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":"%s"}`, imagespec.MediaTypeImageManifest), 400, "MANIFEST_INVALID", ""},
		{"PUT", "app/manifests/v1", fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":"%s","layers":7}`, imagespec.MediaTypeImageManifest), 400, "MANIFEST_INVALID", ""},
		{"PUT", "app/manifests/v1", fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":"%s","manifests":[{"digest":"x"}]}`, imagespec.MediaTypeImageIndex), 400, "MANIFEST_INVALID", ""},
		{"PUT", "app/manifests/v1", []byte("null"), 400, "MANIFEST_INVALID", ""},
		{"PUT", "app/manifests/v1", lacking, 404, "MANIFEST_BLOB_UNKNOWN", doNotExist("Layers")},
		{"PUT", "app/manifests/v1", indexOf(t, digest.Digest(nothing)), 404, "MANIFEST_BLOB_UNKNOWN", doNotExist("Images")},
		{"PUT", "app/manifests/" + nothing, m, 400, "DIGEST_INVALID", ""},
		{"PUT", "app/manifests/v1", make([]byte, MostManifest+1), 413, "MANIFEST_INVALID", ""},
		{"PUT", "other/manifests/" + d, m, 404, "MANIFEST_BLOB_UNKNOWN", ""},
	} {
		t.Run(fmt.Sprintf("%s %.60s", test.method, test.path), func(t *testing.T) {
			got := s.ask(test.method, test.path, test.body)
			var read struct {
				Errors []struct{ Code, Message string }
			}
			if err := json.Unmarshal([]byte(got.body), &read); err != nil || len(read.Errors) != 1 {
				t.Fatalf("%d %s: %v", got.status, got.body, err)
			}
			if e := read.Errors[0]; got.status != test.status || e.Code != test.code || test.text != "" && e.Message != test.text || e.Message == "" {
				t.Errorf("%d %+v", got.status, e)
			}
		})
	}
	for _, name := range []string{"app", "other", "fixed"} {
		if empty, err := s.Empty("r-" + name); !empty || err != nil {
			t.Errorf("%s is not empty: %v", name, err)
		}
	}
}

// A layer of another digest than was said is not kept, and its upload is over.
func TestWrongDigest(t *testing.T) {
	s := open(t)
	at := s.wants(202, s.ask("POST", "app/blobs/uploads/", nil)).header.Get("Location")
	d := digest.FromString("right").String()
	s.wants(400, s.ask("PUT", at+"?digest="+d, []byte("wrong")))
	s.wants(404, s.ask("HEAD", "app/blobs/"+d, nil))
	s.wants(404, s.ask("GET", at, nil))
}

// A repository that is deleted and made again has nothing of the old one.
func TestSameNameAgain(t *testing.T) {
	s := open(t)
	d := s.image("app", "v1", "layer").String()
	err := s.State.Update(t.Context(), func(tx *state.Tx) error {
		again := *tx.Repositories.Get(ecr.ARN(testScope, "app"))
		again.Storage = "r-again"
		tx.Put(&again)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	s.wants(404, s.ask("GET", "app/manifests/v1", nil))
	s.wants(404, s.ask("GET", "app/manifests/"+d, nil))
	s.wants(404, s.ask("GET", "app/blobs/"+digest.FromString("layer").String(), nil))
}

// A full disk takes nothing more in, but gives out and lets go what is there.
func TestFull(t *testing.T) {
	s := open(t)
	m := s.manifestOf("app", "layer")
	d := s.image("app", "v1", "layer")
	upload := s.wants(202, s.ask("POST", "app/blobs/uploads/", nil)).header.Get("Location")
	free := s.MinFree
	s.MinFree = 1 << 62
	for path, method := range map[string]string{"app/blobs/uploads/": "POST", upload: "PATCH", "app/manifests/v2": "PUT"} {
		if got := s.wants(507, s.ask(method, path, m)); got.body != `{"errors":[{"code":"UNAVAILABLE","message":"The registry has no room for more images."}]}` {
			t.Errorf("%s: %s", path, got.body)
		}
	}
	if _, err := s.Push(t.Context(), ecr.ARN(testScope, "app"), Push{Body: m, Tag: "v2"}); !errors.Is(err, ErrFull) {
		t.Errorf("%v", err)
	}
	s.wants(200, s.ask("GET", "app/manifests/v1", nil))
	s.wants(202, s.ask("DELETE", "app/manifests/"+d.String(), nil))
	s.sweep()
	s.MinFree = free
	s.wants(202, s.ask("PATCH", upload, []byte("layer")))
}

func FuzzPaths(f *testing.F) {
	for _, path := range []string{"/v2/", "/v2/123456789012/us-east-1/a/b/manifests/v1", "/v2/123456789012/us-east-1/a/blobs/uploads/", "/v2/123456789012/r/a/blobs/sha256:00"} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		target, ok := aim(path)
		if !ok || target.kind == base {
			return
		}
		if !ecr.ValidName(target.name) || strings.Contains(target.reference, "/") || strings.Contains(target.name, "..") {
			t.Errorf("%q is %+v", path, target)
		}
		middle := map[kind]string{manifestOf: "/manifests/", blobOf: "/blobs/", newUpload: "/blobs/uploads/", uploadOf: "/blobs/uploads/", tagList: "/tags/"}[target.kind]
		if got := target.path(middle + target.reference); got != path {
			t.Errorf("%q is read as %q", path, got)
		}
	})
}
