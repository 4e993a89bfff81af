package etcd

import (
	"encoding/json"
	"fmt"
	"strings"

	"go.etcd.io/etcd/api/v3/mvccpb"

	"berth/internal/ecs"
	"berth/internal/state"
)

// Everything lies under prefix: records at <kind>/<key>, and keys without a slash of their own, which are no records.
const (
	prefix     = "/berth/v1/"
	commitKey  = prefix + "commit"
	leaderKey  = prefix + "leader"
	versionKey = prefix + "record-version" // of the records that are stored; there is none as long as that is 1
	replicaKey = prefix + "replica:"       // and a replica's name: the record version that it knows
)

// commitValue is what the commit key holds: the newest commit's number, and the term of the leader that made it (its fence).
type commitValue struct {
	Term uint64 `json:"term"`
	N    uint64 `json:"n"`
}

// leaderValue is what the leader key holds, as long as the leader's lease does.
type leaderValue struct {
	Address string `json:"address"`
	Replica string `json:"replica,omitempty"` // Config.Replica
}

func (c commitValue) String() string { return fmt.Sprintf(`{"term":%d,"n":%d}`, c.Term, c.N) }

func parseCommit(value []byte) (commitValue, error) {
	var c commitValue
	if err := json.Unmarshal(value, &c); err != nil {
		return c, fmt.Errorf("read %s %q: %w", commitKey, value, err)
	}
	return c, nil
}

func recordKey(w state.Write) string { return prefix + string(w.Kind) + "/" + w.Key }

// parseRecordKey reports false for a key that holds no record.
func parseRecordKey(key string) (kind ecs.Kind, name string, ok bool) {
	rest, ok := strings.CutPrefix(key, prefix)
	if !ok {
		return "", "", false
	}
	k, name, ok := strings.Cut(rest, "/")
	return ecs.Kind(k), name, ok && k != ""
}

// record is a stored record; an empty value is not a missing one.
func record(kv *mvccpb.KeyValue) (state.Write, bool) {
	kind, name, ok := parseRecordKey(string(kv.Key))
	value := kv.Value
	if value == nil {
		value = []byte{}
	}
	return state.Write{Kind: kind, Key: name, Value: value}, ok
}
