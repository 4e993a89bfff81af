// Package record says what the store keeps.
package record

// Record is something with a kind and a key that is unique within the kind. One that is in the store is never changed: writers copy it, change the
// copy and put that.
type Record interface {
	Kind() Kind
	Key() string
}

// Tag is a tag of a resource.
type Tag struct{ Key, Value string }

// TagMap has tags by their keys. Of those with one key, the last wins.
func TagMap(lists ...[]Tag) map[string]string {
	all := map[string]string{}
	for _, list := range lists {
		for _, t := range list {
			all[t.Key] = t.Value
		}
	}
	return all
}

// Kind names a table; it is the middle of a record's key in etcd: /berth/v1/<kind>/<key>.
type Kind string
