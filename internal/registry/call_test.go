package registry

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	imagespec "github.com/opencontainers/image-spec/specs-go/v1"

	"berth/internal/ecr"
)

func (c Call) String() string {
	return strings.Join(strings.Fields(fmt.Sprint(c.Operation, " ", c.Scope.Account, "/", c.Name, " ", c.Tag, " ", short(c.Digest), " ", short(digest.Digest(c.Upload)), " ", c.Code)), " ")
}

func short(d digest.Digest) string { return string(d)[:min(len(d), 12)] }

// TestCalls: each request is told once, as the operation that it stands for, done or not.
func TestCalls(t *testing.T) {
	s := open(t)
	m := s.manifestOf("app", "layer")
	image, layer := digest.FromBytes(m), digest.FromString("layer")
	other := digest.FromString("other")
	begun := s.wants(202, s.ask("POST", "app/blobs/uploads/", nil)).header.Get("Location")
	upload := begun[strings.LastIndexByte(begun, '/')+1:]
	s.user.calls()
	const mediaType = "Content-Type: " + imagespec.MediaTypeImageManifest
	for _, c := range []struct{ method, path, denied, want string }{
		{"HEAD", "app/manifests/v1", "", "BatchGetImage 123456789012/app v1 MANIFEST_UNKNOWN"},
		{"PUT", "app/manifests/v1", "ecr:PutImage", "PutImage 123456789012/app v1 DENIED"},
		{"PUT", "app/manifests/v1", "", "PutImage 123456789012/app v1 " + short(image)},
		{"PUT", "app/manifests/" + other.String(), "", "PutImage 123456789012/app " + short(other) + " DIGEST_INVALID"},
		{"PUT", "none/manifests/v1", "", "PutImage 123456789012/none v1 NAME_UNKNOWN"},
		{"GET", "app/manifests/v1", "", "BatchGetImage 123456789012/app v1"},
		{"GET", "app/manifests/" + image.String(), "", "BatchGetImage 123456789012/app " + short(image)},
		{"GET", "app/manifests/v1", "ecr:BatchGetImage", "BatchGetImage 123456789012/app v1 DENIED"},
		{"HEAD", "app/blobs/" + layer.String(), "", "BatchCheckLayerAvailability 123456789012/app " + short(layer)},
		{"HEAD", "app/blobs/" + other.String(), "", "BatchCheckLayerAvailability 123456789012/app " + short(other) + " BLOB_UNKNOWN"},
		{"GET", "app/blobs/" + layer.String(), "", "GetDownloadUrlForLayer 123456789012/app " + short(layer)},
		{"GET", "app/blobs/" + other.String(), "", "GetDownloadUrlForLayer 123456789012/app " + short(other) + " BLOB_UNKNOWN"},
		{"PATCH", begun, "", "UploadLayerPart 123456789012/app " + short(digest.Digest(upload))},
		{"PUT", begun + "?digest=" + image.String(), "", "CompleteLayerUpload 123456789012/app " + short(image) + " " + short(digest.Digest(upload)) + " DIGEST_INVALID"}, // it has the manifest twice
		{"PUT", begun + "?digest=" + image.String(), "", "CompleteLayerUpload 123456789012/app " + short(digest.Digest(upload)) + " BLOB_UPLOAD_UNKNOWN"},
		{"GET", "app/tags/list", "", "ListImages 123456789012/app"},
		{"DELETE", "app/manifests/v2", "", "BatchDeleteImage 123456789012/app v2 MANIFEST_UNKNOWN"},
		{"DELETE", "app/manifests/v1", "", "BatchDeleteImage 123456789012/app v1"},
		{"POST", "app/manifests/v1", "", ""},
		{"GET", "/v2/", "", ""},
	} {
		s.user.denied = []string{c.denied}
		s.ask(c.method, c.path, m, mediaType)
		got := s.user.calls()
		switch {
		case c.want == "" && len(got) == 0:
		case len(got) != 1 || got[0].String() != c.want:
			t.Errorf("%s %s: told %v, want %s", c.method, c.path, got, c.want)
		case (got[0].Err == nil) != (got[0].Code == "") || (got[0].Status == 0) != (got[0].Code == ""):
			t.Errorf("%s %s: %+v", c.method, c.path, got[0])
		}
	}
}

// TestCallsOfUploads: an upload in one request is two calls, of which each needs its right; a layer that is taken from another repository is asked about there.
func TestCallsOfUploads(t *testing.T) {
	s := open(t)
	layer := digest.FromString("layer")
	told := func() (list []string) {
		for _, c := range s.user.calls() {
			c.Upload = ""
			list = append(list, c.String())
		}
		return list
	}
	const (
		begin    = "InitiateLayerUpload 123456789012/app"
		complete = "CompleteLayerUpload 123456789012/app"
	)
	s.user.denied = []string{"ecr:CompleteLayerUpload"}
	s.wants(403, s.ask("POST", "app/blobs/uploads/?digest="+layer.String(), []byte("layer")))
	if got, want := told(), []string{begin, complete + " DENIED"}; !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
	if left, err := names(s.layout.uploads("r-app")); err != nil || len(left) != 0 {
		t.Errorf("left of what was denied: %v, %v", left, err)
	}
	s.user.denied = nil
	s.wants(201, s.ask("POST", "app/blobs/uploads/?digest="+layer.String(), []byte("layer")))
	if got, want := told(), []string{begin, complete + " " + short(layer)}; !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}

	mount := func(from string) []string {
		s.ask("POST", "other/blobs/uploads/?mount="+layer.String()+"&from=123456789012/us-east-1/"+from, nil)
		return told()
	}
	check, download := "BatchCheckLayerAvailability 123456789012/app "+short(layer), "GetDownloadUrlForLayer 123456789012/app "+short(layer)
	const mounted = "InitiateLayerUpload 123456789012/other"
	if got, want := mount("app"), []string{check, download, mounted}; !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
	s.user.denied = []string{"ecr:GetDownloadUrlForLayer " + ecr.ARN(testScope, "app")}
	if got, want := mount("app"), []string{check, download + " DENIED", mounted}; !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
	if got, want := mount("none"), []string{"BatchCheckLayerAvailability 123456789012/none " + short(layer) + " NAME_UNKNOWN", mounted}; !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
}

// A layer's download is told when it begins, and not where nobody was asked.
func TestCallsOfDownloads(t *testing.T) {
	s := open(t)
	d := s.layer("app", []byte("layer")).Digest
	s.user.calls()
	r, err := http.NewRequest("GET", s.URL+s.LayerPath(testScope, "app", d, time.Now()), nil)
	if err != nil {
		t.Fatal(err)
	}
	s.wants(200, s.do(r))
	if got := s.user.calls(); len(got) != 0 {
		t.Errorf("a signed address: %v", got)
	}
	large := s.layer("app", make([]byte, 32<<20)).Digest // more than connections hold
	s.user.calls()
	r, err = http.NewRequest("GET", s.URL+"/v2/123456789012/us-east-1/app/blobs/"+large.String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth("AWS", "right")
	a, err := s.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close() //nolint:errcheck // it is not read
	if got := s.user.calls(); len(got) != 1 || got[0].Operation != "GetDownloadUrlForLayer" || got[0].Err != nil {
		t.Errorf("while the layer comes: %v", got)
	}
}
