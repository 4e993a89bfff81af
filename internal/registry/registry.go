// Package registry is the registry of images: docker push and pull, on distribution's storage engine with files in the data directory. Which repositories
// there are is in the state; who may do what, it is told. ECR's API works on the same images.
package registry

import (
	"cmp"
	"context"
	"fmt"
	"hash/maphash"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/distribution/distribution/v3"
	"github.com/distribution/distribution/v3/registry/storage"
	"github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	"github.com/sirupsen/logrus"

	"berth/internal/state"
)

// mostFiles is how many files the engine has open at once.
const mostFiles = 512

// Caller is whoever a password belongs to.
type Caller interface {
	// May has no error where the caller may do an action ("ecr:PutImage") on a repository's ARN; otherwise it says why not, in AWS's words. What becomes of it
	// is told to told, once, which does not wait.
	May(action, resource string) (told func(*Call), err error)
}

// Config is what a registry needs.
type Config struct {
	Dir   string // where images are kept; nothing else is there
	State *state.Store
	// MinFree is how many bytes stay free on the disk: with less, nothing more is taken in. Default 1 GiB.
	MinFree uint64
	// Key makes the signatures of addresses that layers can be had from without a password; all replicas have the same.
	Key []byte
	// Authorize says who the password of a request belongs to. An API error of code ExpiredTokenException tells that it was right, too long ago; one of
	// status 500 or more that it cannot be told now.
	Authorize func(r *http.Request, user, password string) (Caller, error)
	Log       *slog.Logger
}

// Registry is the registry of one installation. It is an http.Handler for all below /v2/. It has no goroutines and nothing to close.
type Registry struct {
	Config
	engine  distribution.Namespace
	layout  layout
	seed    maphash.Seed
	uploads uploads
	pushes  [64]sync.Mutex // one is for each repository, shared with others: one push or removal of an image at a time
	// sweeping is held by whoever takes blobs away. Whoever relies on one that is there marks it as new while it holds it for reading.
	sweeping sync.RWMutex
}

// Open opens the registry of a directory, which is made where it is missing.
func Open(c Config) (*Registry, error) {
	c.MinFree = cmp.Or(c.MinFree, minFree)
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("open registry: %w", err)
	}
	logrus.SetOutput(io.Discard) // the engine's log, which has no other user and cannot be set otherwise: what fails is also told to its caller
	files := filesystem.New(filesystem.DriverParameters{RootDirectory: c.Dir, MaxThreads: mostFiles})
	engine, err := storage.NewRegistry(context.Background(), files, storage.EnableDelete, storage.EnableValidateImageIndexImagesExist)
	if err != nil {
		return nil, fmt.Errorf("open registry: %w", err)
	}
	return &Registry{Config: c, engine: engine, layout: inside(c.Dir), seed: maphash.MakeSeed()}, nil
}

// Alone runs f while no image is pushed to a repository or removed from it.
func (g *Registry) Alone(storage string, f func() error) error {
	m := &g.pushes[maphash.String(g.seed, storage)%uint64(len(g.pushes))]
	m.Lock()
	defer m.Unlock()
	return f()
}

// of is the engine's view of a repository.
func (g *Registry) of(ctx context.Context, storage string) (distribution.Repository, error) {
	named, err := reference.WithName(storage)
	if err != nil {
		return nil, fmt.Errorf("storage of repository %q: %w", storage, err)
	}
	return g.engine.Repository(ctx, named)
}

func (g *Registry) manifests(ctx context.Context, storage string) (distribution.ManifestService, error) {
	r, err := g.of(ctx, storage)
	if err != nil {
		return nil, err
	}
	return r.Manifests(ctx)
}

func (g *Registry) tags(ctx context.Context, storage string) (distribution.TagService, error) {
	r, err := g.of(ctx, storage)
	if err != nil {
		return nil, err
	}
	return r.Tags(ctx), nil
}

// renew marks a blob of a repository as new, so that no sweep takes it. What is not there stays so.
func (g *Registry) renew(storage string, d digest.Digest) error {
	now := time.Now()
	for _, file := range []string{g.layout.blob(d), g.layout.layer(storage, d)} {
		if err := os.Chtimes(file, now, now); err != nil && !os.IsNotExist(err) {
			return fmt.Errorf("mark %s as new: %w", filepath.Base(filepath.Dir(file)), err)
		}
	}
	return nil
}
