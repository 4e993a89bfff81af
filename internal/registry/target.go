package registry

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/opencontainers/go-digest"

	"berth/internal/arn"
	"berth/internal/ecr"
)

// kind is what a path is about.
type kind int

const (
	base kind = iota + 1
	manifestOf
	blobOf
	newUpload
	uploadOf
	tagList
)

// target is what a path names: /v2/ACCOUNT/REGION/NAME/...
type target struct {
	kind      kind
	scope     arn.Scope
	name      string
	reference string // a tag or digest, a layer's digest, or the id of an upload
}

var (
	accountForm = regexp.MustCompile(`^[0-9]{12}$`)
	regionForm  = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)
	uploadForm  = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
)

// aim reads a path; false where it is none of a registry.
func aim(path string) (t target, ok bool) {
	if path == "/v2" || path == "/v2/" {
		return target{kind: base}, true
	}
	rest, ok := strings.CutPrefix(path, "/v2/")
	if !ok {
		return t, false
	}
	for _, form := range []struct {
		kind   kind
		middle string
	}{{newUpload, "/blobs/uploads/"}, {uploadOf, "/blobs/uploads/"}, {blobOf, "/blobs/"}, {manifestOf, "/manifests/"}, {tagList, "/tags/"}} {
		i := strings.LastIndex(rest, form.middle)
		if i < 0 {
			continue
		}
		t.kind, t.reference = form.kind, rest[i+len(form.middle):]
		if form.kind.fits(t.reference) && t.place(rest[:i]) {
			return t, true
		}
	}
	return target{}, false
}

// fits says whether a reference is one of that kind of path.
func (k kind) fits(reference string) bool {
	switch k {
	case newUpload:
		return reference == ""
	case uploadOf:
		return uploadForm.MatchString(reference)
	case blobOf:
		return strings.Contains(reference, ":") && !strings.Contains(reference, "/")
	case tagList:
		return reference == "list"
	}
	return reference != "" && !strings.Contains(reference, "/")
}

// place reads ACCOUNT/REGION/NAME.
func (t *target) place(path string) bool {
	account, rest, _ := strings.Cut(path, "/")
	region, name, _ := strings.Cut(rest, "/")
	t.scope, t.name = arn.Scope{Partition: "aws", Region: region, Account: account}, name
	return accountForm.MatchString(account) && regionForm.MatchString(region) && ecr.ValidName(name)
}

// arn is the repository's.
func (t target) arn() string { return ecr.ARN(t.scope, t.name) }

// path is where something of the repository is.
func (t target) path(rest string) string { return "/v2/" + Path(t.scope, t.name) + rest }

// Path is a repository's in the names of images, behind the host.
func Path(s arn.Scope, name string) string { return s.Account + "/" + s.Region + "/" + name }

// digest is the reference where it is one.
func (t target) digest() (digest.Digest, bool) {
	d := digest.Digest(t.reference)
	return d, strings.Contains(t.reference, ":") && ours(d)
}

// action is what the caller must be allowed to do for a request; false where the method is not one of the path's.
func (t target) action(method string) (name string, ok bool) {
	name, ok = map[kind]map[string]string{
		manifestOf: {
			http.MethodGet: "ecr:BatchGetImage", http.MethodHead: "ecr:BatchGetImage",
			http.MethodPut: "ecr:PutImage", http.MethodDelete: "ecr:BatchDeleteImage",
		},
		blobOf:    {http.MethodGet: "ecr:GetDownloadUrlForLayer", http.MethodHead: "ecr:BatchCheckLayerAvailability"},
		newUpload: {http.MethodPost: "ecr:InitiateLayerUpload"},
		uploadOf: {
			http.MethodGet: "ecr:UploadLayerPart", http.MethodPatch: "ecr:UploadLayerPart", http.MethodPut: "ecr:CompleteLayerUpload",
			http.MethodDelete: "ecr:CompleteLayerUpload",
		},
		tagList: {http.MethodGet: "ecr:ListImages"},
	}[t.kind][method]
	return name, ok
}
