package registry

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/distribution/distribution/v3"
	"github.com/distribution/distribution/v3/manifest/manifestlist"
	"github.com/distribution/distribution/v3/manifest/schema2"
	"github.com/opencontainers/go-digest"
	imagespec "github.com/opencontainers/image-spec/specs-go/v1"

	"berth/internal/ecr"
)

// MostManifest is how long a manifest may be, in bytes.
const MostManifest = 4 << 20

// Push is an image that is to be in a repository.
type Push struct {
	Body      []byte        // the manifest
	MediaType string        // "" for what it says itself
	Tag       string        // "" for none
	Digest    digest.Digest // what it must be, "" for whatever it is
	Fresh     bool          // refuse what is there already
}

// What keeps an image from being pushed.
var (
	// ErrNoRepository says that the repository is not there any more.
	ErrNoRepository = errors.New("no such repository")
	// ErrTagTaken says that the tag is another image's, and must stay with it.
	ErrTagTaken = errors.New("the tag is taken")
	// ErrImageExists says that the image is there, with that tag.
	ErrImageExists = errors.New("the image exists")
	// ErrOtherDigest says that the manifest has another digest than it must have.
	ErrOtherDigest = errors.New("the digest is another one")
)

// InvalidManifest says why a manifest is none.
type InvalidManifest struct{ Why string }

func (e InvalidManifest) Error() string { return "invalid manifest: " + e.Why }

// Missing says what a manifest refers to and its repository does not have.
type Missing struct {
	Digests []digest.Digest
	Images  bool // they are images; otherwise layers
}

func (e Missing) Error() string { return fmt.Sprintf("missing %s", e.Digests) }

// Push puts an image into a repository, and gives it the tag, which another one loses.
func (g *Registry) Push(ctx context.Context, arn string, p Push) (Image, error) {
	d := digest.FromBytes(p.Body)
	if p.Digest != "" && p.Digest != d {
		return Image{}, ErrOtherDigest
	}
	parsed, m, err := parse(p)
	if err != nil {
		return Image{}, err
	}
	if err := g.room(); err != nil {
		return Image{}, err
	}
	repository := g.State.View().Repositories.Get(arn)
	if repository == nil {
		return Image{}, ErrNoRepository
	}
	var pushed Image
	err = g.Alone(repository.Storage, func() error {
		repository := g.State.View().Repositories.Get(arn) // it may be gone, or others may have pushed
		if repository == nil {
			return ErrNoRepository
		}
		if err := g.mayPush(ctx, repository, p, d); err != nil {
			return err
		}
		if err := g.put(ctx, repository.Storage, parsed, m, p.Tag, d); err != nil {
			return err
		}
		pushed, err = g.image(ctx, repository.Storage, d)
		return err
	})
	return pushed, err
}

// schemaVersion is that of all manifests that are served, Docker's and OCI's.
const schemaVersion = 2

// parse reads the manifest by its media type.
func parse(p Push) (distribution.Manifest, manifest, error) {
	m, err := readManifest(p.Body)
	if err != nil {
		return nil, m, InvalidManifest{"it is not valid JSON"}
	}
	mediaType, _, _ := strings.Cut(p.MediaType, ";")
	mediaType = strings.TrimSpace(mediaType)
	switch {
	case mediaType == "" || mediaType == "application/json":
		mediaType = m.mediaType()
	case m.MediaType != "" && m.MediaType != mediaType:
		return nil, m, InvalidManifest{fmt.Sprintf("its media type is %s, not %s", m.MediaType, mediaType)}
	}
	if !slices.Contains(MediaTypes(), mediaType) {
		return nil, m, InvalidManifest{fmt.Sprintf("the media type %q is not supported", mediaType)}
	}
	if m.SchemaVersion != schemaVersion {
		return nil, m, InvalidManifest{fmt.Sprintf("its schema version is %d, not %d", m.SchemaVersion, schemaVersion)}
	}
	parsed, _, err := distribution.UnmarshalManifest(mediaType, p.Body)
	if err != nil {
		return nil, m, InvalidManifest{err.Error()}
	}
	return parsed, m, nil
}

// MediaTypes are those of the manifests that are served.
func MediaTypes() []string {
	return []string{schema2.MediaTypeManifest, manifestlist.MediaTypeManifestList, imagespec.MediaTypeImageManifest, imagespec.MediaTypeImageIndex}
}

// mediaType is what a manifest says of itself. Those of OCI need not.
func (m manifest) mediaType() string {
	switch {
	case m.MediaType != "":
		return m.MediaType
	case m.SchemaVersion != schemaVersion:
		return ""
	case m.Manifests != nil:
		return imagespec.MediaTypeImageIndex
	case m.Config != nil:
		return imagespec.MediaTypeImageManifest
	}
	return ""
}

// mayPush looks at what is there.
func (g *Registry) mayPush(ctx context.Context, repository *ecr.Repository, p Push, d digest.Digest) error {
	if p.Tag == "" {
		if _, err := os.Stat(g.layout.revision(repository.Storage, d)); p.Fresh && err == nil {
			return ErrImageExists
		}
		return nil
	}
	old, err := g.Resolve(ctx, repository.Storage, p.Tag)
	switch {
	case errors.Is(err, ErrNoImage):
		return nil
	case err != nil:
		return err
	case p.Fresh && old == d:
		return ErrImageExists
	case repository.Fixed(p.Tag):
		return ErrTagTaken
	}
	return nil
}

// put stores an image. Meanwhile no sweep takes what it refers to, and later none does because it is referred to.
func (g *Registry) put(ctx context.Context, storage string, parsed distribution.Manifest, m manifest, tag string, d digest.Digest) error {
	g.sweeping.RLock()
	defer g.sweeping.RUnlock()
	for _, needed := range append(m.needs(), d) {
		if err := g.renew(storage, needed); err != nil {
			return err
		}
	}
	all, err := g.manifests(ctx, storage)
	if err != nil {
		return err
	}
	if _, err := all.Put(ctx, parsed); err != nil {
		return refused(err, m.Manifests != nil)
	}
	now := time.Now()
	if err := os.Chtimes(g.layout.revision(storage, d), now, now); err != nil {
		return fmt.Errorf("push image: %w", err)
	}
	if tag == "" {
		return nil
	}
	tags, err := g.tags(ctx, storage)
	if err != nil {
		return err
	}
	if err := tags.Tag(ctx, tag, imagespec.Descriptor{Digest: d}); err != nil {
		return fmt.Errorf("tag image: %w", err)
	}
	return nil
}

// refused turns the engine's refusal into Missing or InvalidManifest, where it is the manifest's fault.
func refused(err error, images bool) error {
	var why distribution.ErrManifestVerification
	if !errors.As(err, &why) {
		return fmt.Errorf("push image: %w", err)
	}
	missing := Missing{Images: images}
	for _, one := range why {
		var unknown distribution.ErrManifestBlobUnknown
		if !errors.As(one, &unknown) {
			return InvalidManifest{one.Error()}
		}
		missing.Digests = append(missing.Digests, unknown.Digest)
	}
	return missing
}
