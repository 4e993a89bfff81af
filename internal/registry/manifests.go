package registry

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/go-digest"

	"berth/internal/ecr"
)

// manifest answers a request for /manifests/REFERENCE.
func (q *request) manifest() error {
	_, byDigest := q.digest()
	if !byDigest && !ecr.ValidTag(q.reference) {
		return fail(http.StatusBadRequest, "TAG_INVALID", "The reference '%s' is neither a tag nor a SHA-256 digest", q.reference)
	}
	switch q.r.Method {
	case http.MethodPut:
		return q.push()
	case http.MethodDelete:
		return q.remove()
	}
	d, err := q.image()
	if err != nil {
		return err
	}
	body, mediaType, err := q.Manifest(q.r.Context(), q.repository.Storage, d)
	if err != nil {
		return err
	}
	h := q.w.Header()
	h.Set("Docker-Content-Digest", d.String())
	h.Set("Etag", `"`+d.String()+`"`)
	if strings.Contains(q.r.Header.Get("If-None-Match"), d.String()) {
		q.w.WriteHeader(http.StatusNotModified)
		return nil
	}
	h.Set("Content-Type", mediaType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if q.r.Method == http.MethodHead {
		return nil
	}
	if err := q.allow(int64(len(body))); err != nil {
		return err
	}
	_, err = q.w.Write(body)
	return gone(err)
}

// image is the digest of the image that the path names.
func (q *request) image() (digest.Digest, error) {
	if d, ok := q.digest(); ok {
		return d, nil
	}
	return q.Resolve(q.r.Context(), q.repository.Storage, q.reference)
}

func (q *request) push() error {
	body, err := io.ReadAll(io.LimitReader(q.body(), MostManifest+1))
	if errors.Is(err, ErrFull) {
		return err
	}
	if err != nil {
		return fail(http.StatusBadRequest, "MANIFEST_INVALID", "The manifest could not be read")
	}
	if len(body) > MostManifest {
		return fail(http.StatusRequestEntityTooLarge, "MANIFEST_INVALID", "The manifest is longer than %d bytes", MostManifest)
	}
	p := Push{Body: body, MediaType: q.r.Header.Get("Content-Type")}
	if d, ok := q.digest(); ok {
		p.Digest = d
	} else {
		p.Tag = q.reference
	}
	pushed, err := q.Push(q.r.Context(), q.arn(), p)
	if err != nil {
		return err
	}
	q.call.Digest = pushed.Digest
	q.w.Header().Set("Docker-Content-Digest", pushed.Digest.String())
	q.w.Header().Set("Location", q.path("/manifests/"+pushed.Digest.String()))
	q.w.WriteHeader(http.StatusCreated)
	return nil
}

// remove removes an image, or only a tag.
func (q *request) remove() error {
	d, byDigest := q.digest()
	ctx, storage := q.r.Context(), q.repository.Storage
	err := q.Alone(storage, func() error {
		if !byDigest {
			if _, err := q.Resolve(ctx, storage, q.reference); err != nil {
				return err
			}
			return q.Untag(ctx, storage, q.reference)
		}
		all, err := q.Images(ctx, storage)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(all, func(one Image) bool { return one.Digest == d })
		if i < 0 {
			return ErrNoImage
		}
		if in, is := Within(all, d); is {
			return fail(http.StatusConflict, "DENIED", "The image %s is referenced by the image index %s", d, in)
		}
		return q.Remove(ctx, storage, all[i])
	})
	if err != nil {
		return err
	}
	q.w.WriteHeader(http.StatusAccepted)
	return nil
}

// Within is an index that has an image in it; false where none has.
func Within(all []Image, d digest.Digest) (index digest.Digest, is bool) {
	for _, one := range all {
		if slices.Contains(one.Images, d) {
			return one.Digest, true
		}
	}
	return "", false
}

// mostTags is how many tags a page has that asks for no number.
const mostTags = 1000

// list answers /tags/list, in pages where there are many.
func (q *request) list() error {
	query := q.r.URL.Query()
	most := mostTags
	if n := query.Get("n"); n != "" {
		asked, err := strconv.Atoi(n)
		if err != nil || asked < 0 {
			return fail(http.StatusBadRequest, "PAGINATION_NUMBER_INVALID", "n is '%s', which is not a number of tags", n)
		}
		most = min(asked, mostTags)
	}
	of, err := q.tagged(q.r.Context(), q.repository.Storage)
	if err != nil {
		return err
	}
	tags := []string{}
	for _, some := range of {
		tags = append(tags, some...)
	}
	slices.Sort(tags)
	tags = slices.DeleteFunc(tags, func(tag string) bool { return tag <= query.Get("last") })
	if len(tags) > most {
		tags = tags[:most]
		if most > 0 {
			next := url.Values{"n": {strconv.Itoa(most)}, "last": {tags[most-1]}}
			q.w.Header().Set("Link", "<"+q.path("/tags/list?"+next.Encode())+`>; rel="next"`)
		}
	}
	body, err := json.Marshal(struct {
		Name string   `json:"name"`
		Tags []string `json:"tags"`
	}{Path(q.scope, q.name), tags})
	if err != nil {
		return errors.Join(errors.New("list tags"), err)
	}
	q.w.Header().Set("Content-Type", "application/json")
	_, err = q.w.Write(body)
	return gone(err)
}
