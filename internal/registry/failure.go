package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/distribution/distribution/v3"

	"berth/internal/apierr"
)

// failure is an error as clients of registries read it.
type failure struct {
	status        int
	code, message string
}

func (f failure) Error() string { return f.code + ": " + f.message }

func fail(status int, code, format string, args ...any) failure {
	if len(args) > 0 {
		format = fmt.Sprintf(format, args...)
	}
	return failure{status, code, format}
}

func (t target) unknown() failure {
	return fail(http.StatusNotFound, "NAME_UNKNOWN", "The repository with name '%s' does not exist in the registry with id '%s'", t.name, t.scope.Account)
}

func noBlob() failure {
	return fail(http.StatusNotFound, "BLOB_UNKNOWN", "The specified layer does not exist in the repository")
}

func noManifest() failure {
	return fail(http.StatusNotFound, "MANIFEST_UNKNOWN", "Requested image not found")
}

func noUpload() failure {
	return fail(http.StatusNotFound, "BLOB_UPLOAD_UNKNOWN", "The specified upload does not exist")
}

func badDigest(d string) failure {
	return fail(http.StatusBadRequest, "DIGEST_INVALID", "The digest '%s' is not a SHA-256 digest of what was sent", d)
}

// denied is why a caller may not do something.
func denied(err error) error {
	e := apierr.As(err)
	if e.Status >= http.StatusInternalServerError {
		return fail(e.Status, "UNAVAILABLE", "%s", e.Message)
	}
	return fail(http.StatusForbidden, "DENIED", "%s", e.Message)
}

// unauthorized is why a password is not taken.
func unauthorized(err error) error {
	e := apierr.As(err)
	switch {
	case e.Code == "ExpiredTokenException":
		return fail(http.StatusForbidden, "DENIED", "Your authorization token has expired. Reauthenticate and try again.")
	case e.Status >= http.StatusInternalServerError:
		return fail(e.Status, "UNAVAILABLE", "%s", e.Message)
	}
	return fail(http.StatusUnauthorized, "UNAUTHORIZED", "%s", e.Message)
}

// failed is any error as a failure; one that is none of them is ours.
func (t target) failed(err error) failure {
	var f failure
	var invalid InvalidManifest
	var missing Missing
	switch {
	case errors.As(err, &f):
	case errors.As(err, &invalid):
		f = fail(http.StatusBadRequest, "MANIFEST_INVALID", "%s", invalid.Error())
	case errors.As(err, &missing) && missing.Images:
		f = t.missing("Images", missing)
	case errors.As(err, &missing):
		f = t.missing("Layers", missing)
	case errors.Is(err, ErrTagTaken):
		f = fail(http.StatusBadRequest, "TAG_INVALID", "The image tag '%s' already exists in the '%s' repository and cannot be overwritten because the repository is immutable.",
			t.reference, t.name)
	case errors.Is(err, ErrOtherDigest):
		f = badDigest(t.reference)
	case errors.Is(err, ErrFull):
		f = fail(http.StatusInsufficientStorage, "UNAVAILABLE", "The registry has no room for more images.")
	case errors.Is(err, ErrNoRepository):
		f = t.unknown()
	case errors.Is(err, ErrNoImage):
		f = noManifest()
	case errors.Is(err, distribution.ErrBlobUnknown):
		f = noBlob()
	case errors.Is(err, distribution.ErrBlobUploadUnknown):
		f = noUpload()
	default:
		f = fail(http.StatusInternalServerError, "UNKNOWN", "The registry failed. Its log says why.")
	}
	return f
}

func (t target) missing(what string, m Missing) failure {
	return fail(http.StatusNotFound, "MANIFEST_BLOB_UNKNOWN", "%s with digests '%s' required for pushing image into repository with name '%s' in the registry with id '%s' do not exist",
		what, m.Digests, t.name, t.scope.Account)
}

// Refuse answers a request with why it is not served at all.
func Refuse(w http.ResponseWriter, e *apierr.Error) {
	fail(e.Status, "UNAVAILABLE", "%s", e.Message).write(w)
}

// write answers with a failure.
func (f failure) write(w http.ResponseWriter) {
	type one struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	body, err := json.Marshal(map[string][]one{"errors": {{f.code, f.message}}})
	if err != nil { // texts are always written
		panic(err)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(f.status)
	_, _ = w.Write(body) // the client is gone
}
