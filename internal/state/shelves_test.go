package state

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"berth/internal/ecs"
)

// Every kind of Shelves is put, found, counted, copied, written and read, with all members of its record.
func TestShelves(t *testing.T) {
	c := newCodec()
	for _, k := range shelved() {
		t.Run(string(k), func(t *testing.T) {
			r := fresh(k)
			fill(reflect.ValueOf(r).Elem(), 1)
			if r.Kind() != k {
				t.Fatalf("its record is of kind %s", r.Kind())
			}
			before := newTables()
			after := before.copy()
			if old := after.put(r, false); old != nil {
				t.Errorf("put replaced %v", old)
			}
			if after.find(k, r.Key()) != r || before.find(k, r.Key()) != nil {
				t.Error("put is not found, or is seen by an older copy")
			}
			for kind, n := range after.Sizes() {
				if want := map[bool]int{true: 1}[kind == k]; n != want {
					t.Errorf("%d of %s", n, kind)
				}
			}
			if changed := after.Identities() != before.Identities(); changed != strings.HasPrefix(string(k), "iam-") {
				t.Errorf("the mark of identities changed: %v", changed)
			}
			read, err := c.record(c.write(Change{New: r}))
			if diff := cmp.Diff(r, read); err != nil || diff != "" {
				t.Errorf("%v %s", err, diff)
			}
			if old := after.put(r, true); old != r || after.find(k, r.Key()) != nil {
				t.Error("it is not removed")
			}
		})
	}
	if fresh("none") != nil || new(Shelves).shelf(ecs.KindTask) != nil {
		t.Error("a kind of others has a shelf")
	}
}

// fill gives every member of a record a value of its own.
func fill(v reflect.Value, n int) {
	for i := range v.NumField() {
		f, name := v.Field(i), v.Type().Field(i).Name
		switch {
		case name == "Unknown":
		case f.Type() == reflect.TypeFor[time.Time]():
			f.Set(reflect.ValueOf(time.Unix(int64(n*100+i), 0).UTC()))
		case f.Kind() == reflect.Struct:
			fill(f, n*10+i)
		case f.Kind() == reflect.String:
			f.SetString(name)
		case f.CanInt():
			f.SetInt(int64(n*100 + i))
		case f.Kind() == reflect.Bool:
			f.SetBool(true)
		case f.Type() == reflect.TypeFor[[]byte]():
			f.SetBytes([]byte(name))
		case f.Kind() == reflect.Slice:
			f.Set(reflect.MakeSlice(f.Type(), 1, 1))
			if one := f.Index(0); one.Kind() == reflect.Struct {
				fill(one, n*10+i)
			} else {
				one.SetString(name)
			}
		default:
			panic("fill: " + name)
		}
	}
}
