package registry

import (
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	imagespec "github.com/opencontainers/image-spec/specs-go/v1"

	"berth/internal/ecr"
	"berth/internal/state"
)

// age makes all files older.
func (s *site) age(by time.Duration) {
	s.t.Helper()
	err := filepath.WalkDir(s.Dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		at := info.ModTime().Add(-by)
		return os.Chtimes(path, at, at)
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) sweep() {
	s.t.Helper()
	if err := s.Sweep(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

// blob says whether a blob is on the disk.
func (s *site) blob(d digest.Digest) bool {
	_, err := os.Stat(s.layout.blob(d))
	return err == nil
}

// What images have stays, what none has goes after an hour, and another repository's use of it counts.
func TestSweep(t *testing.T) {
	s := open(t)
	shared := digest.FromString("shared")
	kept, gone := s.image("app", "v1", "shared"), s.image("app", "", "only here")
	s.image("other", "v1", "shared")
	lone := s.layer("app", []byte("lone")).Digest
	index := s.index("app", s.image("app", "", "in the index"))
	s.wants(202, s.ask("DELETE", "app/manifests/"+gone.String(), nil))
	s.sweep()
	for _, d := range []digest.Digest{kept, gone, lone, shared, index, digest.FromString("only here")} {
		if !s.blob(d) {
			t.Errorf("%s has gone too soon", d)
		}
	}
	s.age(59 * time.Minute)
	s.sweep()
	if !s.blob(lone) {
		t.Error("the layer has gone too soon")
	}
	s.wants(200, s.ask("HEAD", "app/blobs/"+lone.String(), nil)) // somebody is about to push an image with it
	s.age(2 * time.Minute)
	s.sweep()
	for d, want := range map[digest.Digest]bool{kept: true, shared: true, index: true, lone: true, digest.FromString("in the index"): true,
		gone: false, digest.FromString("only here"): false} {
		if s.blob(d) != want {
			t.Errorf("%s is there: %v", d, !want)
		}
	}
	s.wants(404, s.ask("HEAD", "app/blobs/"+digest.FromString("only here").String(), nil))
	s.wants(202, s.ask("DELETE", "app/manifests/"+kept.String(), nil))
	s.age(2 * time.Hour)
	s.sweep()
	if !s.blob(shared) || s.blob(lone) {
		t.Error("the shared layer has gone, or the lone one is still there")
	}
	s.wants(404, s.ask("HEAD", "app/blobs/"+shared.String(), nil)) // it is another repository's only
	s.wants(200, s.ask("GET", "other/blobs/"+shared.String(), nil))
	s.image("app", "again", "shared")
	s.wants(200, s.ask("GET", "app/blobs/"+shared.String(), nil))
}

func TestSweepOfUploads(t *testing.T) {
	s := open(t)
	old := s.wants(202, s.ask("POST", "app/blobs/uploads/", nil)).header.Get("Location")
	s.age(23 * time.Hour)
	s.sweep()
	s.wants(202, s.ask("PATCH", old, []byte("part")))
	s.age(23 * time.Hour)
	s.sweep()
	s.wants(204, s.ask("GET", old, nil))
	s.age(2 * time.Hour)
	s.sweep()
	s.wants(404, s.ask("GET", old, nil))
}

// A deleted repository's files go; one that has just been made keeps its own.
func TestSweepOfRepositories(t *testing.T) {
	s := open(t)
	d := s.image("app", "v1", "layer")
	s.image("other", "v1", "other layer")
	err := s.State.Update(t.Context(), func(tx *state.Tx) error {
		tx.Delete(tx.Repositories.Get(ecr.ARN(testScope, "app")))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	s.age(2 * time.Hour)
	s.sweep()
	if _, err := os.Stat(s.layout.storage("r-app")); !os.IsNotExist(err) || s.blob(d) {
		t.Errorf("it is still there: %v", err)
	}
	s.wants(200, s.ask("GET", "other/manifests/v1", nil))
}

// Images that are pushed while sweeps take away layers of the same content are whole.
func TestPushesAmongSweeps(t *testing.T) {
	s := open(t)
	done := make(chan struct{})
	var sweeps sync.WaitGroup
	sweeps.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				if err := s.Sweep(t.Context()); err != nil {
					t.Error(err)
					return
				}
			}
		}
	})
	defer sweeps.Wait()
	defer close(done)
	layer := digest.FromString("layer")
	for range 10 {
		d := s.image("app", "v1", "layer")
		s.wants(202, s.ask("DELETE", "app/manifests/"+d.String(), nil))
		for _, file := range []string{s.layout.blob(layer), s.layout.layer("r-app", layer)} { // a sweep may take them from now on
			old := time.Now().Add(-2 * time.Hour)
			if err := os.Chtimes(file, old, old); err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
		}
		m := s.manifestOf("app", "layer")
		s.wants(201, s.ask("PUT", "app/manifests/v1", m, "Content-Type: "+imagespec.MediaTypeImageManifest))
		s.wants(200, s.ask("GET", "app/blobs/"+layer.String(), nil))
		s.wants(202, s.ask("DELETE", "app/manifests/"+digest.FromBytes(m).String(), nil))
	}
}

// A sweep that looked at the images before one was pushed takes nothing of it, although its layers had been there for long.
func TestPushDuringSweep(t *testing.T) {
	s := open(t)
	m, layer := s.manifestOf("app", "layer"), digest.FromString("layer")
	s.age(2 * time.Hour)
	s.wants(201, s.ask("PUT", "app/manifests/v1", m, "Content-Type: "+imagespec.MediaTypeImageManifest))
	if err := s.sweepBlobs(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if err := s.takeOld(s.layout.layer("r-app", layer)); err != nil {
		t.Fatal(err)
	}
	s.wants(200, s.ask("GET", "app/manifests/v1", nil))
	s.wants(200, s.ask("GET", "app/blobs/"+layer.String(), nil))
}
