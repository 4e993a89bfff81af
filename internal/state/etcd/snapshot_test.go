package etcd

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"berth/internal/ecs"
	"berth/internal/state"
)

func snapshotFile(t *testing.T, b *Backend) string {
	t.Helper()
	var snapshot bytes.Buffer
	if err := b.Snapshot(t.Context(), &snapshot); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "snapshot")
	if err := os.WriteFile(file, snapshot.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestRestore: after a restore there is what the snapshot holds and nothing newer, and numbers, terms and revisions are above all of before.
func TestRestore(t *testing.T) {
	b := openTest(t, Config{Dir: t.TempDir()})
	term := lead(t, b)
	commit(t, term, 1, put("a", 1), put("b", 1))
	commit(t, term, 2, put("a", 2), state.Write{Kind: ecs.KindTask, Key: "b"})
	file := snapshotFile(t, b)
	commit(t, term, 3, put("after the snapshot", 3))
	_, before := keys(t, b)

	dir := t.TempDir()
	if err := Restore(t.Context(), file, dir); err != nil {
		t.Fatal(err)
	}
	restored := openTest(t, Config{Dir: dir})
	var got []state.Write
	m, err := restored.Load(t.Context(), func(w state.Write) error {
		got = append(got, w)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]state.Write{put("a", 2)}, got); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
	if m.N != 2+1<<32 || m.Term <= before.Term || m.Revision <= before.Revision {
		t.Errorf("restored as %+v, and it was %+v", m, before)
	}
	err = restored.Follow(t.Context(), before, func(state.Mark, []state.Write) error { return nil })
	if !errors.Is(err, state.ErrCompacted) {
		t.Errorf("a follower of before: %v, want ErrCompacted", err)
	}
	next := lead(t, restored)
	if uint64(next.fence) <= m.Term {
		t.Errorf("term %d follows %d", next.fence, m.Term)
	}
	commit(t, next, m.N+1, put("goes on", 1))
	if err := Restore(t.Context(), file, dir); err == nil {
		t.Error("restored over a store")
	}
}

func TestRestoreRefuses(t *testing.T) {
	b := openTest(t, Config{Dir: t.TempDir()})
	empty := snapshotFile(t, b)
	commit(t, lead(t, b), 1, put("a", 1))
	good, err := os.ReadFile(snapshotFile(t, b))
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string, content []byte) string {
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	flipped := bytes.Clone(good)
	flipped[len(flipped)/2] ^= 1
	for name, file := range map[string]string{
		"nothing of Berth": empty,
		"a changed byte":   write("flipped", flipped),
		"cut short":        write("short", good[:len(good)-4096]),
		"no hash":          write("bare", good[:len(good)-32]),
		"not there":        filepath.Join(t.TempDir(), "none"),
	} {
		dir := t.TempDir()
		if err := Restore(t.Context(), file, dir); err == nil {
			t.Errorf("%s: restored", name)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
			t.Errorf("%s: left %v behind, %v", name, left, err)
		}
	}
}

// TestRestoreExternal moves from an external cluster, as old as Debian's, to an embedded one.
func TestRestoreExternal(t *testing.T) {
	b := openTest(t, Config{Endpoints: []string{startProcess(t)}})
	commit(t, lead(t, b), 1, put("a", 1))
	dir := t.TempDir()
	if err := Restore(t.Context(), snapshotFile(t, b), dir); err != nil {
		t.Fatal(err)
	}
	if got, m := keys(t, openTest(t, Config{Dir: dir})); len(got) != 1 || m.N != 1+1<<32 {
		t.Errorf("loaded %q as of %+v", got, m)
	}
}
