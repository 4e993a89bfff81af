// Package record says what the store keeps.
package record

// Record is something with a kind and a key that is unique within the kind. One that is in the store is never changed: writers copy it, change the
// copy and put that.
type Record interface {
	Kind() Kind
	Key() string
}

// Kind names a table; it is the middle of a record's key in etcd: /berth/v1/<kind>/<key>.
type Kind string
