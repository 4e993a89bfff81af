package awswire

import (
	"encoding/base64"
	"math"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// DecodeQuery reads the parameters of an awsQuery request into v, a pointer to the plan's type: Name=x, Tags.member.1.Key=k (or Tags.1.Key=k
// of a flattened list), Context.entry.1.key=k and .value=v. Action, Version and parameters that the type does not have are ignored.
// A list or map given as an empty parameter is empty, not absent. An error names the parameter at fault.
func (p *Plan) DecodeQuery(values url.Values, v any) (Sent, error) {
	root, err := grow(values)
	if err != nil {
		return nil, err
	}
	d := &queryDecoder{most: len(values)}
	sent := Sent{}
	if err := d.structure(p.root, root, reflect.ValueOf(v).Elem(), sent); err != nil {
		return nil, err
	}
	return sent, nil
}

type queryDecoder struct {
	most int // no list has more elements than the request has parameters
	path []string
}

func (d *queryDecoder) mismatch(text string) error { return &mismatch{text, strings.Join(d.path, ".")} }

func (d *queryDecoder) push(segments ...string) { d.path = append(d.path, segments...) }

func (d *queryDecoder) pop(n int) { d.path = d.path[:len(d.path)-n] }

func (d *queryDecoder) structure(n *node, b *branch, v reflect.Value, sent Sent) error {
	for i := range n.fields {
		f := &n.fields[i]
		member := b.member(f.name)
		if member == nil {
			continue
		}
		if sent != nil {
			sent[f.name] = true
		}
		d.push(f.name)
		if err := d.value(f.node, member, v.Field(f.index)); err != nil {
			return err
		}
		d.pop(1)
	}
	return nil
}

func (d *queryDecoder) value(n *node, b *branch, v reflect.Value) error {
	switch n.kind {
	case kindPointer:
		v.Set(reflect.New(n.elem.typ))
		return d.value(n.elem, b, v.Elem())
	case kindStruct:
		return d.structure(n, b, v, nil)
	case kindList:
		return d.list(n, b, v)
	case kindMap:
		return d.table(n, b, v)
	}
	if !b.set {
		return d.mismatch("Start of structure or map found where not expected.")
	}
	return d.scalar(n, b.value, v)
}

func (d *queryDecoder) list(n *node, b *branch, v reflect.Value) error {
	elements, depth, err := d.collection(b, "member")
	if err != nil {
		return err
	}
	v.Set(reflect.MakeSlice(n.typ, len(elements), len(elements)))
	for i, e := range elements {
		d.push(strconv.Itoa(i + 1))
		if err := d.value(n.elem, e, v.Index(i)); err != nil {
			return err
		}
		d.pop(1)
	}
	d.pop(depth)
	return nil
}

func (d *queryDecoder) table(n *node, b *branch, v reflect.Value) error {
	entries, depth, err := d.collection(b, "entry")
	if err != nil {
		return err
	}
	v.Set(reflect.MakeMapWithSize(n.typ, len(entries)))
	for i, e := range entries {
		d.push(strconv.Itoa(i + 1))
		key, value := e.children["key"], e.children["value"]
		if key == nil || !key.set || value == nil {
			return d.mismatch("A map entry has a key and a value")
		}
		x := reflect.New(n.elem.typ).Elem()
		d.push("value")
		if err := d.value(n.elem, value, x); err != nil {
			return err
		}
		d.pop(2)
		v.SetMapIndex(reflect.ValueOf(key.value).Convert(n.typ.Key()), x)
	}
	d.pop(depth)
	return nil
}

// collection finds the elements of a list or map, which may stand under wrapper ("member", "entry") or, flattened, at once. depth is how
// many segments it left on the path.
func (d *queryDecoder) collection(b *branch, wrapper string) (elements []*branch, depth int, err error) {
	if w := b.children[wrapper]; w != nil {
		if len(b.children) > 1 {
			return nil, 0, d.mismatch("A list has one form")
		}
		d.push(wrapper)
		b, depth = w, 1
	}
	if b.set && (b.value != "" || len(b.children) > 0) {
		return nil, 0, d.mismatch("STRING_VALUE can not be converted to a list or map")
	}
	elements, err = b.elements(d.most)
	if err != nil {
		return nil, 0, d.mismatch(err.Error())
	}
	return elements, depth, nil
}

func (d *queryDecoder) scalar(n *node, s string, v reflect.Value) error {
	switch n.kind {
	case kindString:
		v.SetString(s)
	case kindBool:
		on := strings.EqualFold(s, "true")
		if !on && !strings.EqualFold(s, "false") {
			return d.mismatch("STRING_VALUE can not be converted to a Boolean")
		}
		v.SetBool(on)
	case kindInt:
		i, err := strconv.ParseInt(s, 10, v.Type().Bits())
		if err != nil {
			return d.mismatch("STRING_VALUE can not be converted to " + integerName(v))
		}
		v.SetInt(i)
	case kindFloat:
		f, err := strconv.ParseFloat(s, v.Type().Bits())
		if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			return d.mismatch("STRING_VALUE can not be converted to a Double")
		}
		v.SetFloat(f)
	case kindTime:
		at, ok := parseQueryTime(s)
		if !ok {
			return d.mismatch("STRING_VALUE can not be converted to a Timestamp")
		}
		v.Set(reflect.ValueOf(at))
	case kindBytes:
		b, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			return d.mismatch("Invalid base64 data")
		}
		v.SetBytes(b)
	default:
		return d.mismatch("This member cannot be given in a query")
	}
	return nil
}

func integerName(v reflect.Value) string {
	if v.Kind() == reflect.Int64 {
		return "a Long"
	}
	return "an Integer"
}

// parseQueryTime reads ISO 8601 text, without a zone in UTC, and epoch seconds, which AWS takes too. The year stays within four digits.
func parseQueryTime(s string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02"} {
		if at, err := time.Parse(layout, s); err == nil {
			at = at.UTC()
			return at, at.Year() >= 0 && at.Year() <= 9999
		}
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(f) || math.Abs(f) > 253402300799 {
		return time.Time{}, false
	}
	at := time.UnixMilli(int64(math.Round(f * 1000))).UTC()
	return at, at.Year() >= 0
}
