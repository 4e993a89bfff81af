package registry

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/opencontainers/go-digest"
)

const (
	// layersWait is how long a layer stays that no image has: its image may be about to be pushed.
	layersWait = time.Hour
	// uploadsWait is how long an upload stays that nothing was added to.
	uploadsWait = 24 * time.Hour
)

// Sweep takes away what is not needed any more: deleted repositories, uploads that were given up, and layers and manifests that no image of a
// repository has. Pushes go on meanwhile. It is for the leader to call, now and then; what one call leaves, the next one sees as it is.
func (g *Registry) Sweep(ctx context.Context) error {
	storages, err := names(g.layout.storages()) // before the state is looked at: a repository is in it before it has files
	if err != nil {
		return fmt.Errorf("sweep registry: %w", err)
	}
	there := map[string]bool{}
	for r := range g.State.View().Repositories.All() {
		there[r.Storage] = true
	}
	needed := map[digest.Digest]bool{}
	for _, storage := range storages {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !there[storage] {
			err = os.RemoveAll(g.layout.storage(storage))
		} else {
			err = g.sweepRepository(ctx, storage, needed)
		}
		if err != nil {
			return fmt.Errorf("sweep registry: %w", err)
		}
	}
	if err := g.sweepBlobs(ctx, needed); err != nil {
		return fmt.Errorf("sweep registry: %w", err)
	}
	return nil
}

// sweepRepository adds what a repository's images need, and takes away its old uploads and its links to layers that none of them has.
func (g *Registry) sweepRepository(ctx context.Context, storage string, needed map[digest.Digest]bool) error {
	own := map[digest.Digest]bool{}
	images, err := digests(g.layout.revisions(storage))
	if err != nil {
		return err
	}
	for _, d := range images {
		if err := g.need(ctx, storage, d, own); err != nil {
			return err
		}
	}
	for d := range own {
		needed[d] = true
	}
	layers, err := digests(g.layout.layers(storage))
	if err != nil {
		return err
	}
	for _, d := range layers {
		if !own[d] {
			if err := g.takeOld(g.layout.layer(storage, d)); err != nil {
				return err
			}
		}
	}
	return g.sweepUploads(storage)
}

// need adds an image's manifest and what it refers to.
func (g *Registry) need(ctx context.Context, storage string, d digest.Digest, needed map[digest.Digest]bool) error {
	if _, err := os.Stat(g.layout.revision(storage, d)); os.IsNotExist(err) { // it was removed
		return nil
	}
	body, _, err := g.Manifest(ctx, storage, d)
	if errors.Is(err, ErrNoImage) {
		return nil
	}
	if err != nil {
		return err
	}
	m, err := readManifest(body)
	if err != nil {
		return fmt.Errorf("image %s: %w", d, err)
	}
	needed[d] = true
	for _, one := range m.needs() {
		needed[one] = true
	}
	return nil
}

func (g *Registry) sweepUploads(storage string) error {
	uploads, err := names(g.layout.uploads(storage))
	if err != nil {
		return err
	}
	for _, id := range uploads {
		folder := filepath.Join(g.layout.uploads(storage), id)
		newest, err := newestIn(folder)
		if err != nil {
			return err
		}
		if time.Since(newest) > uploadsWait {
			if err := os.RemoveAll(folder); err != nil {
				return err
			}
		}
	}
	return nil
}

// newestIn is when something of a folder's files was last written.
func newestIn(folder string) (newest time.Time, err error) {
	list, err := names(folder)
	for _, name := range append(list, ".") {
		info, err := os.Stat(filepath.Join(folder, name))
		if err == nil && info.ModTime().After(newest) {
			newest = info.ModTime()
		}
	}
	return newest, err
}

// sweepBlobs takes away the blobs that are not needed.
func (g *Registry) sweepBlobs(ctx context.Context, needed map[digest.Digest]bool) error {
	begins, err := names(g.layout.blobs())
	if err != nil {
		return err
	}
	for _, first := range begins {
		if err := ctx.Err(); err != nil {
			return err
		}
		blobs, err := digests(filepath.Join(g.layout.blobs(), first))
		if err != nil {
			return err
		}
		for _, d := range blobs {
			if !needed[d] {
				if err := g.takeOld(g.layout.blob(d)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// takeOld takes away the folder of a file, unless somebody has marked it as new meanwhile.
func (g *Registry) takeOld(file string) error {
	g.sweeping.Lock()
	defer g.sweeping.Unlock()
	info, err := os.Stat(file)
	if err == nil && time.Since(info.ModTime()) <= layersWait {
		return nil
	}
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	return os.RemoveAll(filepath.Dir(file))
}
