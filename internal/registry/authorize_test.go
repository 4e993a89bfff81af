package registry

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	imagespec "github.com/opencontainers/image-spec/specs-go/v1"

	"berth/internal/ecr"
)

// Each request is asked about by its action, and nothing is told or changed without it.
func TestAuthorization(t *testing.T) {
	s := open(t)
	m := s.manifestOf("app", "layer")
	d := s.image("app", "v1", "layer").String()
	layer := digest.FromString("layer").String()
	upload := s.wants(202, s.ask("POST", "app/blobs/uploads/", nil)).header.Get("Location")
	for _, test := range []struct{ method, path, action string }{
		{"GET", "app/manifests/v1", "ecr:BatchGetImage"},
		{"HEAD", "app/manifests/v1", "ecr:BatchGetImage"},
		{"PUT", "app/manifests/v2", "ecr:PutImage"},
		{"DELETE", "app/manifests/" + d, "ecr:BatchDeleteImage"},
		{"GET", "app/blobs/" + layer, "ecr:GetDownloadUrlForLayer"},
		{"HEAD", "app/blobs/" + layer, "ecr:BatchCheckLayerAvailability"},
		{"POST", "app/blobs/uploads/", "ecr:InitiateLayerUpload"},
		{"GET", upload, "ecr:UploadLayerPart"},
		{"PATCH", upload, "ecr:UploadLayerPart"},
		{"PUT", upload + "?digest=" + layer, "ecr:CompleteLayerUpload"},
		{"DELETE", upload, "ecr:CompleteLayerUpload"},
		{"GET", "app/tags/list", "ecr:ListImages"},
	} {
		s.user.denied = []string{test.action}
		got := s.wants(403, s.ask(test.method, test.path, m, "Content-Type: "+imagespec.MediaTypeImageManifest))
		want := `{"errors":[{"code":"DENIED","message":"User: u is not authorized to perform: ` + test.action + ` on resource: arn:aws:ecr:us-east-1:123456789012:repository/app"}]}`
		if test.method != "HEAD" && got.body != want {
			t.Errorf("%s %s: %s", test.method, test.path, got.body)
		}
		s.user.denied = []string{test.action + " " + ecr.ARN(testScope, "none")} // what is not there is not told to who may not know
		s.wants(403, s.ask(test.method, strings.Replace(strings.TrimPrefix(test.path, "/v2/123456789012/us-east-1/"), "app/", "none/", 1), nil))
	}
	if images, err := s.Images(t.Context(), "r-app"); err != nil || len(images) != 1 || !slices.Equal(images[0].Tags, []string{"v1"}) {
		t.Errorf("%v, %v", images, err)
	}
	s.user.denied = nil
	s.wants(204, s.ask("DELETE", upload, nil))
	s.wants(404, s.ask("GET", upload, nil))
}

func TestPasswords(t *testing.T) {
	s := open(t)
	get := func(password string) answer {
		r, err := http.NewRequest("GET", s.URL+"/v2/", nil)
		if err != nil {
			t.Fatal(err)
		}
		if password != "" {
			r.SetBasicAuth("AWS", password)
		}
		return s.do(r)
	}
	if a := s.wants(200, get("right")); a.body != "{}" || a.header.Get("Docker-Distribution-Api-Version") != "registry/2.0" {
		t.Errorf("%+v", a)
	}
	for _, password := range []string{"", "wrong"} {
		if a := s.wants(401, get(password)); !strings.HasPrefix(a.header.Get("WWW-Authenticate"), `Basic realm="127.0.0.1:`) {
			t.Errorf("%+v", a)
		}
	}
	if a := s.wants(403, get("old")); !strings.Contains(a.body, "Your authorization token has expired. Reauthenticate and try again.") {
		t.Errorf("%+v", a)
	}
	if a := s.wants(500, get("unknown")); strings.Contains(a.body, "gone") {
		t.Errorf("%+v", a)
	}
}

// A signed address serves one layer for an hour, to everybody, and nothing else.
func TestSignedAddresses(t *testing.T) {
	s := open(t)
	d := s.layer("app", []byte("layer")).Digest
	other := s.layer("app", []byte("other")).Digest
	get := func(method, path string) answer {
		r, err := http.NewRequest(method, s.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		return s.do(r)
	}
	path := s.LayerPath(testScope, "app", d, time.Now())
	if a := s.wants(200, get("GET", path)); a.body != "layer" {
		t.Errorf("%+v", a)
	}
	s.wants(401, get("HEAD", path))
	s.wants(401, get("GET", strings.Replace(path, d.String(), other.String(), 1)))
	s.wants(401, get("GET", strings.Replace(path, "Expires=1", "Expires=2", 1)))
	s.wants(401, get("GET", s.LayerPath(testScope, "app", d, time.Now().Add(-time.Hour))))
	s.wants(404, get("GET", s.LayerPath(testScope, "other", d, time.Now())))
}
