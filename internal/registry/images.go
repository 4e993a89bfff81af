package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/distribution/distribution/v3"
	"github.com/opencontainers/go-digest"
	imagespec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Image is an image of a repository: a manifest, or an index of manifests.
type Image struct {
	Digest       digest.Digest
	MediaType    string
	ArtifactType string   // the media type of what the manifest's config is
	Size         int64    // bytes of its layers and config as they are kept; of an index, of the largest image in it
	Tags         []string // in order
	PushedAt     time.Time
	Images       []digest.Digest // of an index
}

// Tagged says whether the image has a tag.
func (i Image) Tagged(tag string) bool { return slices.Contains(i.Tags, tag) }

// ErrNoImage says that a repository does not have an image.
var ErrNoImage = errors.New("no such image")

// Images are a repository's, in the order of their digests.
func (g *Registry) Images(ctx context.Context, storage string) ([]Image, error) {
	found, err := digests(g.layout.revisions(storage))
	if err != nil {
		return nil, fmt.Errorf("list images: %w", err)
	}
	tags, err := g.tagged(ctx, storage)
	if err != nil {
		return nil, err
	}
	var list []Image
	for _, d := range found {
		one, err := g.image(ctx, storage, d)
		if errors.Is(err, ErrNoImage) { // it was removed
			continue
		}
		if err != nil {
			return nil, err
		}
		one.Tags = tags[d]
		list = append(list, one)
	}
	sizeIndexes(list)
	return list, nil
}

// sizeIndexes gives each index the size of the largest image in it.
func sizeIndexes(list []Image) {
	sizes := map[digest.Digest]int64{}
	for _, i := range list {
		sizes[i.Digest] = i.Size
	}
	for n := range list {
		for _, d := range list[n].Images {
			list[n].Size = max(list[n].Size, sizes[d])
		}
	}
}

// image is what a manifest says of itself; its tags are not in it.
func (g *Registry) image(ctx context.Context, storage string, d digest.Digest) (Image, error) {
	info, err := os.Stat(g.layout.revision(storage, d))
	if os.IsNotExist(err) {
		return Image{}, ErrNoImage
	}
	if err != nil {
		return Image{}, fmt.Errorf("image %s: %w", d, err)
	}
	body, mediaType, err := g.Manifest(ctx, storage, d)
	if err != nil {
		return Image{}, err
	}
	i := Image{Digest: d, MediaType: mediaType, PushedAt: info.ModTime().UTC()}
	m, err := readManifest(body)
	if err != nil {
		return Image{}, fmt.Errorf("image %s: %w", d, err)
	}
	i.ArtifactType = m.artifactType()
	i.Size = m.size()
	for _, one := range m.Manifests {
		i.Images = append(i.Images, one.Digest)
	}
	return i, nil
}

// manifest is what manifests and indexes, of Docker and of OCI, have in common.
type manifest struct {
	SchemaVersion int                    `json:"schemaVersion"`
	MediaType     string                 `json:"mediaType"`
	ArtifactType  string                 `json:"artifactType"`
	Config        *imagespec.Descriptor  `json:"config"`
	Layers        []imagespec.Descriptor `json:"layers"`
	Manifests     []imagespec.Descriptor `json:"manifests"`
}

func readManifest(body []byte) (m manifest, err error) {
	if err := json.Unmarshal(body, &m); err != nil {
		return m, fmt.Errorf("read manifest: %w", err)
	}
	return m, nil
}

func (m manifest) artifactType() string {
	switch {
	case m.ArtifactType != "":
		return m.ArtifactType
	case m.Config != nil:
		return m.Config.MediaType
	}
	return ""
}

func (m manifest) size() (sum int64) {
	if m.Config != nil {
		sum = m.Config.Size
	}
	for _, l := range m.Layers {
		sum += l.Size
	}
	return sum
}

// needs are the digests that a manifest refers to.
func (m manifest) needs() (list []digest.Digest) {
	if m.Config != nil {
		list = append(list, m.Config.Digest)
	}
	for _, d := range slices.Concat(m.Layers, m.Manifests) {
		list = append(list, d.Digest)
	}
	return slices.DeleteFunc(list, func(d digest.Digest) bool { return !ours(d) })
}

// ours says whether a digest is one that blobs are kept under.
func ours(d digest.Digest) bool { return d.Validate() == nil && d.Algorithm() == digest.SHA256 }

// Manifest is an image's manifest, byte for byte as it was pushed, and its media type; ErrNoImage where there is none.
func (g *Registry) Manifest(ctx context.Context, storage string, d digest.Digest) (body []byte, mediaType string, err error) {
	all, err := g.manifests(ctx, storage)
	if err != nil {
		return nil, "", err
	}
	m, err := all.Get(ctx, d)
	if errors.As(err, &distribution.ErrManifestUnknownRevision{}) {
		return nil, "", ErrNoImage
	}
	if err != nil {
		return nil, "", fmt.Errorf("manifest %s: %w", d, err)
	}
	mediaType, body, err = m.Payload()
	return body, mediaType, err
}

// Resolve is the digest of the image that has a tag; ErrNoImage where none has.
func (g *Registry) Resolve(ctx context.Context, storage, tag string) (digest.Digest, error) {
	tags, err := g.tags(ctx, storage)
	if err != nil {
		return "", err
	}
	found, err := tags.Get(ctx, tag)
	if errors.As(err, &distribution.ErrTagUnknown{}) {
		return "", ErrNoImage
	}
	if err != nil {
		return "", fmt.Errorf("tag %s: %w", tag, err)
	}
	return found.Digest, nil
}

// tagged are the tags of images, in order.
func (g *Registry) tagged(ctx context.Context, storage string) (map[digest.Digest][]string, error) {
	list, err := names(g.layout.tags(storage))
	if err != nil {
		return nil, fmt.Errorf("list tags: %w", err)
	}
	of := map[digest.Digest][]string{}
	for _, tag := range list {
		d, err := g.Resolve(ctx, storage, tag)
		if errors.Is(err, ErrNoImage) {
			continue
		}
		if err != nil {
			return nil, err
		}
		of[d] = append(of[d], tag)
	}
	for _, tags := range of {
		slices.SortFunc(tags, strings.Compare)
	}
	return of, nil
}

// Empty says whether a repository has no image.
func (g *Registry) Empty(storage string) (bool, error) {
	list, err := digests(g.layout.revisions(storage))
	for _, d := range list {
		if _, err := os.Stat(g.layout.revision(storage, d)); err == nil {
			return false, nil
		}
	}
	return err == nil, err
}

// Untag takes a tag from whichever image has it. It is for within Alone.
func (g *Registry) Untag(ctx context.Context, storage, tag string) error {
	tags, err := g.tags(ctx, storage)
	if err != nil {
		return err
	}
	if err := tags.Untag(ctx, tag); err != nil {
		return fmt.Errorf("untag %s: %w", tag, err)
	}
	return nil
}

// Remove removes an image with its tags. Its layers go in a sweep. It is for within Alone.
func (g *Registry) Remove(ctx context.Context, storage string, i Image) error {
	for _, tag := range i.Tags {
		if err := g.Untag(ctx, storage, tag); err != nil {
			return err
		}
	}
	all, err := g.manifests(ctx, storage)
	if err != nil {
		return err
	}
	if err := all.Delete(ctx, i.Digest); err != nil && !errors.Is(err, distribution.ErrBlobUnknown) {
		return fmt.Errorf("remove image %s: %w", i.Digest, err)
	}
	return nil
}

// Layer is the size of a layer that a repository has, in bytes; false where it has none.
func (g *Registry) Layer(ctx context.Context, storage string, d digest.Digest) (size int64, found bool, err error) {
	g.sweeping.RLock()
	defer g.sweeping.RUnlock()
	r, err := g.of(ctx, storage)
	if err != nil {
		return 0, false, err
	}
	if err := g.renew(storage, d); err != nil {
		return 0, false, err
	}
	at, err := r.Blobs(ctx).Stat(ctx, d)
	if errors.Is(err, distribution.ErrBlobUnknown) {
		return 0, false, nil
	}
	return at.Size, err == nil, err
}
