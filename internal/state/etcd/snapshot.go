package etcd

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"go.etcd.io/etcd/etcdutl/v3/snapshot"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3client"
	"go.uber.org/zap"
)

// restoreSkips is how far a restore moves commit numbers and revisions ahead, past all that was committed after the snapshot: agents drop
// messages with numbers that they know, and followers of before must load anew.
const restoreSkips = 1 << 32

// Snapshot writes everything as of one moment, followed by a hash that Restore checks.
func (b *Backend) Snapshot(ctx context.Context, w io.Writer) error {
	if b.server != nil {
		return b.server.snapshot(w)
	}
	r, err := b.client.Snapshot(ctx)
	if err != nil {
		return fmt.Errorf("take a snapshot: %w", err)
	}
	_, err = io.Copy(w, r)
	if err = errors.Join(err, r.Close()); err != nil {
		return fmt.Errorf("write the snapshot: %w", err)
	}
	return nil
}

// snapshot writes the database and its hash as etcd's own call does, which the in-process client cannot stream.
func (s *server) snapshot(w io.Writer) error {
	snap := s.etcd.Server.Backend().Snapshot()
	sum := sha256.New()
	_, err := snap.WriteTo(io.MultiWriter(w, sum))
	if err = errors.Join(err, snap.Close()); err == nil {
		_, err = w.Write(sum.Sum(nil))
	}
	if err != nil {
		return fmt.Errorf("write the snapshot: %w", err)
	}
	return nil
}

// Restore makes the store of a data directory that has none from a snapshot file. It has done everything or nothing.
func Restore(ctx context.Context, snapshotFile, dir string) error {
	if err := restore(ctx, snapshotFile, dir); err != nil {
		return fmt.Errorf("restore %s to %s: %w", snapshotFile, dir, err)
	}
	return nil
}

func restore(ctx context.Context, file, dir string) error {
	target := filepath.Join(dir, etcdDir)
	if _, err := os.Stat(target); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(errors.New("there is a store already"), err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	work, err := os.MkdirTemp(dir, "restoring-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	fresh := filepath.Join(work, etcdDir)
	err = snapshot.NewV3(zap.NewNop()).Restore(snapshot.RestoreConfig{
		SnapshotPath: file, OutputDataDir: fresh, Name: memberName,
		PeerURLs: []string{peerURL}, InitialCluster: memberName + "=" + peerURL,
		InitialClusterToken: rand.Text(), // another cluster: members of the one before that still run must not take it for theirs
		RevisionBump:        restoreSkips, MarkCompacted: true,
	})
	if err != nil {
		return err
	}
	if err := renumber(ctx, fresh); err != nil {
		return err
	}
	return os.Rename(fresh, target)
}

// renumber moves the commit number ahead and starts a new term, whose number is above those of all terms before.
func renumber(ctx context.Context, dir string) error {
	c := Config{Dir: dir}
	if err := c.check(); err != nil {
		return err
	}
	s, err := start(ctx, c, dir)
	if err != nil {
		return fmt.Errorf("start on the restored data: %w", err)
	}
	b := newBackend(c, v3client.New(s.etcd.Server))
	b.server = s
	return errors.Join(b.skip(ctx), b.Close())
}

func (b *Backend) skip(ctx context.Context) error {
	if err := b.dropStaleLeader(ctx); err != nil {
		return err
	}
	head, err := b.Head(ctx)
	if err != nil {
		return err
	}
	if head.N == 0 {
		return errors.New("the snapshot holds no commit of Berth")
	}
	value := commitValue{Term: uint64(head.Revision), N: head.N + restoreSkips}
	_, err = b.client.Put(ctx, commitKey, value.String()) // nobody else is here to write
	if err != nil {
		return fmt.Errorf("write the new commit number: %w", err)
	}
	return nil
}
