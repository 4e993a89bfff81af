package registry

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"

	"github.com/distribution/distribution/v3"
	"github.com/distribution/distribution/v3/registry/storage"
	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	imagespec "github.com/opencontainers/image-spec/specs-go/v1"

	"berth/internal/ecr"
)

// blob answers a request for a layer.
func (q *request) blob() error {
	d, ok := q.digest()
	if !ok {
		return badDigest(q.reference)
	}
	size, found, err := q.Layer(q.r.Context(), q.repository.Storage, d)
	if err != nil {
		return err
	}
	if !found {
		return noBlob()
	}
	if err := q.allow(size); err != nil {
		return err
	}
	q.tell(nil) // as ECR, which has given an address when the layer begins to come
	return q.engine.Blobs(q.r.Context()).ServeBlob(q.r.Context(), q.w, q.r, d)
}

// begin begins the upload of a layer, which is over at once where the layer is in a repository that the caller may read.
func (q *request) begin() error {
	if err := q.room(); err != nil {
		return err
	}
	query := q.r.URL.Query()
	ctx, blobs := q.r.Context(), q.engine.Blobs(q.r.Context())
	if d := digest.Digest(query.Get("mount")); d != "" {
		if !ours(d) {
			return badDigest(d.String())
		}
		mounted, err := q.mount(blobs, query.Get("from"), d)
		if mounted || err != nil {
			return err
		}
	}
	upload, err := blobs.Create(ctx)
	if err != nil {
		return err
	}
	q.call.Upload = upload.ID()
	if query.Has("digest") {
		q.tell(nil)
		if err := q.may("ecr:CompleteLayerUpload"); err != nil {
			return errors.Join(err, upload.Cancel(ctx))
		}
		q.call.Upload = upload.ID()
		return q.finish(upload)
	}
	return q.stay(upload, http.StatusAccepted)
}

// mount takes a layer from another repository; false where it is not there, or the caller may not have it.
func (q *request) mount(blobs distribution.BlobStore, from string, d digest.Digest) (bool, error) {
	var source target
	if !source.place(from) {
		return false, nil
	}
	other := q.lends(source, d)
	if other == nil {
		return false, nil
	}
	named, err := reference.WithName(other.Storage)
	if err != nil {
		return false, fmt.Errorf("mount layer: %w", err)
	}
	there, err := reference.WithDigest(named, d)
	if err != nil {
		return false, fmt.Errorf("mount layer: %w", err)
	}
	q.sweeping.RLock()
	defer q.sweeping.RUnlock()
	upload, err := blobs.Create(q.r.Context(), storage.WithMountFrom(there))
	if errors.As(err, &distribution.ErrBlobMounted{}) {
		if err := q.renew(q.repository.Storage, d); err != nil {
			return false, err
		}
		q.complete(d)
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("mount layer: %w", err)
	}
	return false, upload.Cancel(q.r.Context()) // the layer is not there
}

// lends is a repository that the caller may take a layer from, nil where it may not or there is none. Each question is a call of its own.
func (q *request) lends(from target, d digest.Digest) (other *ecr.Repository) {
	for _, action := range [...]string{"ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer"} {
		ask := &request{target: from, Registry: q.Registry, caller: q.caller}
		err := ask.may(action)
		if err == nil {
			if other = q.State.View().Repositories.Get(from.arn()); other == nil {
				err = from.unknown()
			}
		}
		ask.call.Digest = d
		ask.tell(err)
		if err != nil {
			return nil
		}
	}
	return other
}

// upload answers a request for an upload that has begun. One request at a time adds to it: another would go on writing into the file of the layer that this
// one has completed.
func (q *request) upload() error {
	if q.r.Method != http.MethodGet {
		key := q.repository.Storage + " " + q.reference
		if !q.uploads.enter(key) {
			return fail(http.StatusConflict, "BLOB_UPLOAD_INVALID", "Another request is under way for the upload")
		}
		defer q.uploads.leave(key)
	}
	upload, err := q.engine.Blobs(q.r.Context()).Resume(q.r.Context(), q.reference)
	if err != nil {
		return err
	}
	switch q.r.Method {
	case http.MethodPatch:
		return q.add(upload)
	case http.MethodPut:
		return q.finish(upload)
	case http.MethodDelete:
		if err := upload.Cancel(q.r.Context()); err != nil {
			return fmt.Errorf("cancel upload: %w", err)
		}
		q.w.WriteHeader(http.StatusNoContent)
		return nil
	}
	return q.stay(upload, http.StatusNoContent)
}

var rangeForm = regexp.MustCompile(`^(?:bytes )?([0-9]+)-([0-9]+)(?:/.*)?$`)

// add adds a part to an upload.
func (q *request) add(upload distribution.BlobWriter) error {
	if given := q.r.Header.Get("Content-Range"); given != "" {
		m := rangeForm.FindStringSubmatch(given)
		if m == nil || m[1] != strconv.FormatInt(upload.Size(), 10) {
			return errors.Join(fail(http.StatusRequestedRangeNotSatisfiable, "BLOB_UPLOAD_INVALID",
				"The part %q does not begin behind the last byte received, %d", given, upload.Size()-1), upload.Close())
		}
	}
	if _, err := io.Copy(upload, q.body()); err != nil {
		return errors.Join(notSent(err), upload.Close())
	}
	return q.stay(upload, http.StatusAccepted)
}

// notSent is the failure of an upload whose rest did not come, or could not be kept.
func notSent(err error) error {
	return fmt.Errorf("receive layer: %w", err)
}

// stay ends a request of an upload that goes on.
func (q *request) stay(upload distribution.BlobWriter, status int) error {
	if err := upload.Close(); err != nil {
		return fmt.Errorf("keep upload: %w", err)
	}
	h := q.w.Header()
	h.Set("Location", q.path("/blobs/uploads/"+upload.ID()))
	h.Set("Docker-Upload-Uuid", upload.ID())
	h.Set("Range", "0-"+strconv.FormatInt(max(upload.Size()-1, 0), 10))
	q.w.WriteHeader(status)
	return nil
}

// finish receives the rest of an upload and makes a layer of it, if it has the digest that it must have; otherwise nothing of it stays.
func (q *request) finish(upload distribution.BlobWriter) error {
	ctx := q.r.Context()
	d := digest.Digest(q.r.URL.Query().Get("digest"))
	q.call.Digest = d
	if !ours(d) {
		return errors.Join(badDigest(d.String()), upload.Close())
	}
	if _, err := io.Copy(upload, q.body()); err != nil {
		return errors.Join(notSent(err), upload.Close())
	}
	q.sweeping.RLock()
	defer q.sweeping.RUnlock()
	_, err := upload.Commit(ctx, imagespec.Descriptor{Digest: d})
	if errors.As(err, &distribution.ErrBlobInvalidDigest{}) {
		return errors.Join(badDigest(d.String()), q.drop(upload.ID()))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("complete upload: %w", err), q.drop(upload.ID()))
	}
	if err := q.renew(q.repository.Storage, d); err != nil {
		return err
	}
	q.complete(d)
	return nil
}

// drop takes an upload away that could not be completed. The engine does not, since it has closed it.
func (q *request) drop(id string) error {
	return os.RemoveAll(filepath.Join(q.layout.uploads(q.repository.Storage), id))
}

// complete says that a layer is there.
func (q *request) complete(d digest.Digest) {
	q.w.Header().Set("Location", q.path("/blobs/"+d.String()))
	q.w.Header().Set("Docker-Content-Digest", d.String())
	q.w.WriteHeader(http.StatusCreated)
}
