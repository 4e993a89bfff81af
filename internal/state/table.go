package state

import (
	"iter"
	"sort"
	"strings"

	"github.com/tidwall/btree"

	"berth/internal/ecs"
)

// Table holds the records of one kind by key. It is copy-on-write: copying is O(1), and a copy never sees later changes.
// R is a record type; its methods have pointer receivers.
type Table[K ~string, R any] struct {
	rows btree.Map[string, *R]
}

// Get returns the record with that key, nil if there is none. It must not be changed: copy it and put the copy.
func (t *Table[K, R]) Get(k K) *R {
	r, _ := t.rows.Get(string(k))
	return r
}

// Len is the number of records.
func (t *Table[K, R]) Len() int { return t.rows.Len() }

// All yields every record in the order of the keys.
func (t *Table[K, R]) All() iter.Seq[*R] { return t.From("") }

// From yields the records from key k on, k itself included.
func (t *Table[K, R]) From(k K) iter.Seq[*R] {
	return func(yield func(*R) bool) {
		t.rows.Ascend(string(k), func(_ string, r *R) bool { return yield(r) })
	}
}

// Under yields the records whose keys begin with prefix, from key start on (or from the first where start is "").
func (t *Table[K, R]) Under(prefix string, start K) iter.Seq[*R] {
	return func(yield func(*R) bool) {
		t.rows.Ascend(max(prefix, string(start)), func(k string, r *R) bool {
			return strings.HasPrefix(k, prefix) && yield(r)
		})
	}
}

// Backward yields the records whose keys begin with prefix, last first.
func (t *Table[K, R]) Backward(prefix string) iter.Seq[*R] {
	return func(yield func(*R) bool) {
		t.rows.Descend(prefix+"\xff", func(k string, r *R) bool {
			return strings.HasPrefix(k, prefix) && yield(r)
		})
	}
}

// numbered gives access by number to the n records whose keys begin with prefix, in the order of the keys.
func (t *Table[K, R]) numbered(prefix string) (n int, at func(i int) *R) {
	before := func(key string) int { // how many keys are
		return sort.Search(t.rows.Len(), func(i int) bool {
			k, _, _ := t.rows.GetAt(i)
			return k >= key
		})
	}
	first := before(prefix)
	return before(prefix+"\xff") - first, func(i int) *R {
		_, r, _ := t.rows.GetAt(first + i)
		return r
	}
}

func (t *Table[K, R]) copy() Table[K, R] { return Table[K, R]{rows: *t.rows.Copy()} }

// swap puts r (or removes the record where r is nil) and returns what was there.
func (t *Table[K, R]) swap(key string, r *R) *R {
	if r == nil {
		old, _ := t.rows.Delete(key)
		return old
	}
	old, _ := t.rows.Set(key, r)
	return old
}

// index orders some records of a table by other fields than the key.
type index[R any] struct{ tree *btree.BTreeG[*R] }

func newIndex[R any](less func(a, b *R) bool) index[R] {
	return index[R]{btree.NewBTreeGOptions(less, btree.Options{NoLocks: true, Degree: 16})}
}

func (x index[R]) copy() index[R] { return index[R]{x.tree.Copy()} }

func (x index[R]) move(old, new *R, in func(*R) bool) {
	if old != nil && in(old) {
		x.tree.Delete(old)
	}
	if new != nil && in(new) {
		x.tree.Set(new)
	}
}

// from yields the records from pivot on while the condition holds.
func (x index[R]) from(pivot *R, while func(*R) bool) iter.Seq[*R] {
	return func(yield func(*R) bool) {
		x.tree.Ascend(pivot, func(r *R) bool { return while(r) && yield(r) })
	}
}

// tally keeps a sum by key in the same transaction as the records that it sums up. A sum that is zero again goes.
type tally[V comparable] struct {
	sums btree.Map[string, V]
}

func (t *tally[V]) copy() tally[V] { return tally[V]{sums: *t.sums.Copy()} }

func (t *tally[V]) get(k string) V { v, _ := t.sums.Get(k); return v }

func (t *tally[V]) add(k string, sum func(V) V) {
	var zero V
	if v := sum(t.get(k)); v != zero {
		t.sums.Set(k, v)
	} else {
		t.sums.Delete(k)
	}
}

// along reads sums whose keys are prefix and a name, for names that come in ascending order: a step costs less than a lookup.
func (t *tally[V]) along(prefix string) *alongside[V] {
	return &alongside[V]{prefix: prefix, it: t.sums.Iter()}
}

// alongside is a place in a tally that only moves forward.
type alongside[V comparable] struct {
	prefix string
	it     btree.MapIter[string, V]
	begun  bool
	here   bool
}

// at is the sum of a name that is not before the last one asked for; the zero value where there is none.
func (a *alongside[V]) at(name string) (v V) {
	if !a.begun {
		a.begun, a.here = true, a.it.Seek(a.prefix+name)
	}
	for a.here {
		k, ok := strings.CutPrefix(a.it.Key(), a.prefix)
		switch {
		case !ok:
			a.here = false
			return v
		case k == name:
			return a.it.Value()
		case k > name:
			return v
		}
		a.here = a.it.Next()
	}
	return v
}

var _ ecs.Record = (*ecs.Task)(nil)
