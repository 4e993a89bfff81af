package etcd

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"berth/internal/state"
)

// overwrite writes the same few large records, 800 KiB, with the next commit, and returns its number.
func overwrite(t *testing.T, term *Term, n uint64) uint64 {
	t.Helper()
	var batch []state.Write
	for i := range 100 {
		batch = append(batch, put(fmt.Sprint(i), 8<<10))
	}
	commit(t, term, n+1, batch...)
	return n + 1
}

// TestNoSpace writes more than the quota, nearly all of it overwritten: the alarm comes and goes, and no commit fails.
func TestNoSpace(t *testing.T) {
	const quota = 24 << 20
	b := openTest(t, Config{Dir: t.TempDir(), Quota: quota})
	term := lead(t, b)
	n := uint64(0)
	for b.room.last.IsZero() { // etcd counts what it has written to disk, which a fast machine does long after it has taken it
		if n = overwrite(t, term, n); n > 1000 {
			t.Fatal("the quota was never reached")
		}
	}
	for range 10 {
		n = overwrite(t, term, n)
	}
	alarms, err := b.client.AlarmList(t.Context())
	if err != nil || len(alarms.Alarms) != 0 {
		t.Errorf("alarms: %v, %v", alarms, err)
	}
	if got, m := keys(t, b); len(got) != 100 || m.N != n {
		t.Errorf("%d records as of %+v, want 100 as of %d", len(got), m, n)
	}
}

// TestReallyFull: what does not fit is a definite error and harms nothing; a start with a larger quota goes on.
func TestReallyFull(t *testing.T) {
	dir := t.TempDir()
	b := openTest(t, Config{Dir: dir, Quota: 4 << 20})
	term := lead(t, b)
	var err error
	n := uint64(0)
	for err == nil && n < 1000 { // etcd counts what it has written to disk, which is some time later
		if err = term.Commit(t.Context(), n+1, []state.Write{put(fmt.Sprint("unique ", n), 256<<10)}); err == nil {
			n++
		}
	}
	if !errors.Is(err, state.ErrNoSpace) || errors.Is(err, state.ErrUnknown) {
		t.Fatalf("commit %d to a full store: %v, want ErrNoSpace", n+1, err)
	}
	if got, m := keys(t, b); len(got) != int(n) || m.N != n {
		t.Errorf("%d records as of %+v, want %d", len(got), m, n)
	}
	if _, err := b.guard.measure(); err != nil {
		t.Fatal(err)
	}
	if free, level := b.Space(); level != Critical || free > 1<<20 {
		t.Errorf("space in a full store: %d, %v", free, level)
	}
	closeTest(t, b)

	b = openTest(t, Config{Dir: dir})
	commit(t, lead(t, b), n+1, put("more", 1<<20-100))
}

func TestCompaction(t *testing.T) {
	b := openTest(t, Config{Dir: t.TempDir(), Compact: 100 * time.Millisecond})
	term := lead(t, b)
	commit(t, term, 1, put("k", 1))
	commit(t, term, 2, put("k", 2))
	for deadline := time.Now().Add(30 * time.Second); ; {
		ended := errors.New("all is still there")
		err := b.Follow(t.Context(), state.Mark{}, func(state.Mark, []state.Write) error { return ended })
		if errors.Is(err, state.ErrCompacted) {
			break
		}
		if !errors.Is(err, ended) || time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	commit(t, term, 3, put("k", 3))
}

// TestDefragmentedAtStart: a database that is mostly free gives its space back when it is opened.
func TestDefragmentedAtStart(t *testing.T) {
	dir := t.TempDir()
	b := openTest(t, Config{Dir: dir})
	for term, n := lead(t, b), uint64(0); n < 50; {
		n = overwrite(t, term, n)
	}
	now, err := b.revision(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := b.compact(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	before := b.server.etcd.Server.Backend().Size()
	closeTest(t, b)

	b = openTest(t, Config{Dir: dir})
	if after := b.server.etcd.Server.Backend().Size(); after > before/4 {
		t.Errorf("the database has %d bytes, and had %d", after, before)
	}
	if got, _ := keys(t, b); len(got) != 100 {
		t.Errorf("%d records, want 100", len(got))
	}
}

// TestExternalIsLeftAlone: a cluster that Berth does not maintain is neither compacted nor defragmented.
func TestExternalIsLeftAlone(t *testing.T) {
	endpoint := startProcess(t)
	b := openTest(t, Config{Endpoints: []string{endpoint}, Compact: 50 * time.Millisecond})
	if b.makeRoom(t.Context()) {
		t.Error("room was made in a cluster of others")
	}
	maintained := openTest(t, Config{Endpoints: []string{endpoint}, Maintain: true})
	if !maintained.makeRoom(t.Context()) {
		t.Error("no room was made in a cluster that is Berth's to maintain")
	}
	if _, level := b.Space(); level != OK {
		t.Errorf("space of an external cluster is %v", level)
	}
}
