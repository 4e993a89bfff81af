package etcd

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"berth/internal/ecs"
	"berth/internal/state"
)

func TestRecordKeys(t *testing.T) {
	for key, want := range map[string]state.Write{
		"/berth/v1/task/arn:aws:ecs:r:1:task/c/id": {Kind: ecs.KindTask, Key: "arn:aws:ecs:r:1:task/c/id", Value: []byte{}},
		"/berth/v1/setting/commit":                 {Kind: ecs.KindSetting, Key: "commit", Value: []byte{}},
		"/berth/v1/later-kind/":                    {Kind: "later-kind", Key: "", Value: []byte{}},
	} {
		got, ok := record(&mvccpb.KeyValue{Key: []byte(key)})
		if diff := cmp.Diff(want, got); diff != "" || !ok || recordKey(got) != key {
			t.Errorf("%s (-want +got):\n%s", key, diff)
		}
	}
	for _, key := range []string{commitKey, leaderKey, "/berth/v1/", "/berth/v1//x", "/berth/v2/task/x", "", "task/x"} {
		if w, ok := record(&mvccpb.KeyValue{Key: []byte(key)}); ok {
			t.Errorf("%q is taken for the record %+v", key, w)
		}
	}
}

func FuzzParseRecordKey(f *testing.F) {
	f.Add("/berth/v1/task/arn:aws:ecs:us-east-1:000000000000:task/default/1")
	f.Add(commitKey)
	f.Fuzz(func(t *testing.T, key string) {
		if kind, name, ok := parseRecordKey(key); ok && recordKey(state.Write{Kind: kind, Key: name}) != key {
			t.Errorf("%q is read as %q, %q", key, kind, name)
		}
	})
}

func FuzzParseCommit(f *testing.F) {
	f.Add([]byte(`{"term":2,"n":1}`))
	f.Add([]byte(`{"n":18446744073709551616}`))
	f.Fuzz(func(t *testing.T, value []byte) {
		c, err := parseCommit(value)
		if err != nil {
			return
		}
		if again, err := parseCommit([]byte(c.String())); err != nil || again != c {
			t.Errorf("%q is %v, written and read again it is %v, %v", value, c, again, err)
		}
	})
}

// TestGather cuts a stream of events wherever it likes: a commit is complete with the commit key's event and never before.
func TestGather(t *testing.T) {
	event := func(revision int64, key, value string) *clientv3.Event {
		return &clientv3.Event{Type: clientv3.EventTypePut, Kv: &mvccpb.KeyValue{ModRevision: revision, Key: []byte(key), Value: []byte(value)}}
	}
	var got []seen
	g := gather{last: 6, apply: func(m state.Mark, w []state.Write) error {
		got = append(got, seen{m, w})
		return nil
	}}
	gone := event(12, "/berth/v1/task/a", "")
	gone.Type = clientv3.EventTypeDelete
	for _, e := range []*clientv3.Event{
		event(9, "/berth/v1/task/torn", "half of a revision that is no commit"),
		event(10, leaderKey, `{"address":"x"}`),
		event(11, "/berth/v1/task/a", "1"), event(11, "/berth/v1/task/b", ""), event(11, commitKey, `{"term":10,"n":7}`),
		gone, event(12, commitKey, `{"term":10,"n":8}`),
	} {
		if err := g.add(e); err != nil {
			t.Fatal(err)
		}
	}
	want := []seen{
		{state.Mark{N: 7, Term: 10, Revision: 11}, []state.Write{{Kind: "task", Key: "a", Value: []byte("1")}, {Kind: "task", Key: "b", Value: []byte{}}}},
		{state.Mark{N: 8, Term: 10, Revision: 12}, []state.Write{{Kind: "task", Key: "a"}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("commits (-want +got):\n%s", diff)
	}
	if err := g.add(event(13, commitKey, `{"term":10,"n":10}`)); err == nil {
		t.Error("a gap in the numbers was followed")
	}
	if err := g.add(event(14, commitKey, `{`)); err == nil {
		t.Error("a commit key that is no JSON was followed")
	}
}

type seen struct {
	Mark   state.Mark
	Writes []state.Write
}
