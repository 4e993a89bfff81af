package backendtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"berth/internal/ecs"
	"berth/internal/state"
)

func newStoreIsEmpty(t *testing.T, c Cluster) {
	b := c.Replica(t)
	if m := head(t, b); m.N != 0 || m.Term != 0 {
		t.Errorf("head of a new store is %+v", m)
	}
	wantRecords(t, b, 0)
	if address, err := b.Leader(deadline(t)); address != "" || err != nil {
		t.Errorf("leader of a new store is %q, %v", address, err)
	}
}

func numbersHaveNoGaps(t *testing.T, c Cluster) {
	b := c.Replica(t)
	term := lead(t, b, "a")
	refuse(t, term, 2, state.ErrRefused, put("early", 2))
	for n := uint64(1); n <= 3; n++ {
		commit(t, term, n, put("k", n))
	}
	refuse(t, term, 3, state.ErrRefused, put("again", 3))
	refuse(t, term, 5, state.ErrRefused, put("gap", 5))
	wantRecords(t, b, 3, put("k", 3))
	commit(t, term, 4)
	wantHead(t, b, 4)
}

func valuesAreIdentical(t *testing.T, c Cluster) {
	b := c.Replica(t)
	var all [256]byte
	for i := range all {
		all[i] = byte(i)
	}
	writes := []state.Write{
		{Kind: ecs.KindTask, Key: "arn:aws:ecs:us-east-1:000000000000:task/default/0123", Value: []byte(`{"a":"<&>\u00e9"}`)},
		{Kind: ecs.KindService, Key: "arn:aws:ecs:us-east-1:000000000000:task/default/0123", Value: []byte(`{"same":"key"}`)},
		{Kind: ecs.KindCluster, Key: "every byte", Value: all[:]},
		{Kind: ecs.KindCluster, Key: "empty", Value: []byte{}},
		{Kind: ecs.KindCluster, Key: "große schlüssel/ with / slashes\x00", Value: []byte{0}},
		{Kind: ecs.KindDefinition, Key: "large", Value: bytes.Repeat([]byte("0123456789abcdef"), 16<<10)},
		{Kind: ecs.KindSetting, Key: "commit", Value: []byte("not the commit key")},
		{Kind: ecs.KindSetting, Key: "leader", Value: []byte("not the leader key")},
	}
	f := follow(t, b, state.Mark{})
	commit(t, lead(t, b, "a"), 1, writes...)
	wantRecords(t, b, 1, writes...)
	byKey := cmpopts.SortSlices(func(a, b state.Write) bool { return string(a.Kind)+a.Key < string(b.Kind)+b.Key })
	if diff := cmp.Diff(writes, f.take(1).Writes, byKey); diff != "" {
		t.Errorf("followed (-want +got):\n%s", diff)
	}
}

func deletedKeysAreGone(t *testing.T, c Cluster) {
	b := c.Replica(t)
	term := lead(t, b, "a")
	f := follow(t, b, state.Mark{})
	commit(t, term, 1, put("stays", 1), put("goes", 1), put("returns", 1))
	commit(t, term, 2, remove("goes"), remove("returns"), remove("was never there"))
	commit(t, term, 3, put("returns", 3))
	wantRecords(t, b, 3, put("stays", 1), put("returns", 3))
	f.take(1)
	second := f.take(2)
	if len(second.Writes) < 2 || second.Writes[0].Value != nil || second.Writes[1].Value != nil {
		t.Errorf("followed %+v, want two deletions without a value", second.Writes)
	}
	f.take(3)
	f.wantLoaded(b)
}

// fullBatchFits commits as many writes as the store ever does, at the largest size that it ever has.
func fullBatchFits(t *testing.T, c Cluster) {
	b := c.Replica(t)
	term := lead(t, b, "a")
	var writes []state.Write
	for i := range state.MaxBatchWrites {
		key := fmt.Sprintf("arn:aws:ecs:us-east-1:000000000000:task/default/%032d", i)
		size := state.MaxBatchBytes/state.MaxBatchWrites - len(key) - len(ecs.KindTask) - 64
		writes = append(writes, state.Write{Kind: ecs.KindTask, Key: key, Value: bytes.Repeat([]byte{'v'}, size)})
	}
	commit(t, term, 1, writes...)
	wantRecords(t, b, 1, writes...)
}

func tooLarge(t *testing.T, c Cluster) {
	b := c.Replica(t)
	term := lead(t, b, "a")
	var many []state.Write
	for i := range 2 * state.MaxBatchWrites {
		many = append(many, put(fmt.Sprint(i), 1))
	}
	refuse(t, term, 1, errDefinite, many...)
	big := state.Write{Kind: ecs.KindTask, Key: "big", Value: []byte(strings.Repeat("x", 2*state.MaxBatchBytes))}
	refuse(t, term, 1, errDefinite, put("beside", 1), big)
	wantRecords(t, b, 0)
	commit(t, term, 1, put("small", 1))
	wantRecords(t, b, 1, put("small", 1))
}

func keyTwice(t *testing.T, c Cluster) {
	b := c.Replica(t)
	term := lead(t, b, "a")
	refuse(t, term, 1, errDefinite, put("k", 1), put("other", 1), put("k", 2))
	refuse(t, term, 1, errDefinite, put("k", 1), remove("k"))
	wantRecords(t, b, 0)
	commit(t, term, 1, put("k", 1))
}

func noSpace(t *testing.T, c Cluster) {
	b := c.Replica(t)
	term := lead(t, b, "a")
	commit(t, term, 1, put("before", 1))
	b.Next(NoSpace)
	refuse(t, term, 2, state.ErrNoSpace, put("k", 2))
	wantRecords(t, b, 1, put("before", 1))
	commit(t, term, 2, put("k", 2))
	wantRecords(t, b, 2, put("before", 1), put("k", 2))
}

func unknownApplied(t *testing.T, c Cluster) {
	b := c.Replica(t)
	term := lead(t, b, "a")
	commit(t, term, 1, put("k", 1))
	b.Next(LostAnswer)
	refuse(t, term, 2, state.ErrUnknown, put("k", 2))
	wantRecords(t, b, 2, put("k", 2))
	commit(t, term, 3, put("k", 3))
	wantHead(t, b, 3)
}

func unknownNotApplied(t *testing.T, c Cluster) {
	b := c.Replica(t)
	term := lead(t, b, "a")
	commit(t, term, 1, put("k", 1))
	b.Next(LostRequest)
	refuse(t, term, 2, state.ErrUnknown, put("k", 2))
	wantRecords(t, b, 1, put("k", 1))
	commit(t, term, 2, put("k", 22))
	wantRecords(t, b, 2, put("k", 22))
}

// unknownLate is why a leader takes a lost commit's number with an empty one before it tells anybody that nothing was done.
func unknownLate(t *testing.T, c Cluster) {
	b := c.Replica(t)
	term := lead(t, b, "a")
	commit(t, term, 1, put("k", 1))
	b.Next(Late)
	refuse(t, term, 2, state.ErrUnknown, put("k", 2))
	wantHead(t, b, 1)
	commit(t, term, 2)
	b.Arrive()
	wantRecords(t, b, 2, put("k", 1))

	b.Next(Late)
	refuse(t, term, 3, state.ErrUnknown, put("k", 3))
	b.Arrive()
	wantRecords(t, b, 3, put("k", 3))
	refuse(t, term, 3, state.ErrRefused)
	commit(t, term, 4)
}

func cutShort(t *testing.T, c Cluster) {
	b := c.Replica(t)
	term := lead(t, b, "a")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := term.Commit(ctx, 1, []state.Write{put("k", 1)}); !errors.Is(err, state.ErrUnknown) {
		t.Fatalf("commit with an ended context: %v, want ErrUnknown", err)
	}
	n := head(t, b).N + 1
	err := term.Commit(deadline(t), n, []state.Write{put("k", 2)})
	if errors.Is(err, state.ErrRefused) { // it was under way all the same, and arrived after the newest commit was read
		n++
		err = term.Commit(deadline(t), n, []state.Write{put("k", 2)})
	}
	if err != nil {
		t.Fatalf("commit %d: %v", n, err)
	}
	wantRecords(t, b, n, put("k", 2))
}
