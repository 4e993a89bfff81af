package awswire

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Sent is the set of top-level members that a request had, by wire name: what tells an absent false from a false.
type Sent map[string]bool

// DecodeJSON reads body into v, a pointer to the plan's type. Members that the type does not have are ignored, as AWS does, and null is absent.
// An error is a SerializationException: its text is AWS's, with the member at fault.
func (p *Plan) DecodeJSON(body []byte, v any) (Sent, error) {
	sent := Sent{}
	if len(bytes.TrimSpace(body)) == 0 {
		return sent, nil
	}
	d := newDecoder(body)
	if d.PeekKind() != '{' {
		return nil, errors.New("Unexpected token received from parser")
	}
	if err := d.structure(p.root, reflect.ValueOf(v).Elem(), sent); err != nil {
		return nil, d.explain(err)
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, errors.New("Unexpected token received from parser")
	}
	return sent, nil
}

// DecodeRecord reads a stored record into v.
func (p *Plan) DecodeRecord(value []byte, v any) error {
	d := newDecoder(value)
	if err := d.value(p.root, reflect.ValueOf(v).Elem()); err != nil {
		return fmt.Errorf("decode %s: %w", p.root.typ, d.explain(err))
	}
	return nil
}

type decoder struct {
	*jsontext.Decoder
	path []string
}

func newDecoder(b []byte) *decoder {
	return &decoder{Decoder: jsontext.NewDecoder(bytes.NewBuffer(b), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))}
}

// mismatch is a value of the wrong type.
type mismatch struct{ text, path string }

func (m *mismatch) Error() string { return m.text + " (at '" + m.path + "')" }

func (d *decoder) mismatch(text string) error { return &mismatch{text, strings.Join(d.path, ".")} }

func (d *decoder) explain(err error) error {
	var m *mismatch
	if errors.As(err, &m) {
		return err
	}
	return errors.New("Unexpected end-of-input or invalid JSON: " + strings.TrimPrefix(err.Error(), "jsontext: "))
}

func (d *decoder) structure(n *node, v reflect.Value, sent Sent) error {
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	for d.PeekKind() != '}' {
		t, err := d.ReadToken()
		if err != nil {
			return err
		}
		name := t.String()
		i, known := n.byName[name]
		switch {
		case known && d.PeekKind() == 'n':
			err = d.SkipValue()
		case known:
			if sent != nil {
				sent[name] = true
			}
			d.path = append(d.path, name)
			err = d.value(n.fields[i].node, v.Field(n.fields[i].index))
			d.path = d.path[:len(d.path)-1]
		case n.unknown >= 0:
			err = d.keep(v.Field(n.unknown), name)
		default:
			err = d.SkipValue()
		}
		if err != nil {
			return err
		}
	}
	_, err := d.ReadToken()
	return err
}

func (d *decoder) keep(v reflect.Value, name string) error {
	raw, err := d.ReadValue()
	if err != nil {
		return err
	}
	if v.IsNil() {
		v.Set(reflect.ValueOf(Unknown{}))
	}
	v.Interface().(Unknown)[name] = json.RawMessage(raw.Clone())
	return nil
}

func (d *decoder) value(n *node, v reflect.Value) error {
	switch n.kind {
	case kindPointer:
		v.Set(reflect.New(n.elem.typ))
		return d.value(n.elem, v.Elem())
	case kindStruct:
		if err := d.expect('{', "a structure"); err != nil {
			return err
		}
		return d.structure(n, v, nil)
	case kindList:
		return d.list(n, v)
	case kindMap:
		return d.table(n, v)
	case kindRaw:
		raw, err := d.ReadValue()
		v.SetBytes(raw.Clone())
		return err
	}
	return d.scalar(n, v)
}

func (d *decoder) list(n *node, v reflect.Value) error {
	if err := d.expect('[', "a list"); err != nil {
		return err
	}
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	v.Set(reflect.MakeSlice(n.typ, 0, 0))
	for i := 1; d.PeekKind() != ']'; i++ {
		if d.PeekKind() == 'n' { // AWS drops a null from a list
			if err := d.SkipValue(); err != nil {
				return err
			}
			continue
		}
		v.Grow(1)
		v.SetLen(v.Len() + 1)
		d.path = append(d.path, strconv.Itoa(i))
		if err := d.value(n.elem, v.Index(v.Len()-1)); err != nil {
			return err
		}
		d.path = d.path[:len(d.path)-1]
	}
	_, err := d.ReadToken()
	return err
}

func (d *decoder) table(n *node, v reflect.Value) error {
	if err := d.expect('{', "a map"); err != nil {
		return err
	}
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	v.Set(reflect.MakeMap(n.typ))
	for d.PeekKind() != '}' {
		t, err := d.ReadToken()
		if err != nil {
			return err
		}
		name := t.String()
		if d.PeekKind() == 'n' {
			if err := d.SkipValue(); err != nil {
				return err
			}
			continue
		}
		d.path = append(d.path, name)
		e := reflect.New(n.elem.typ).Elem()
		if err := d.value(n.elem, e); err != nil {
			return err
		}
		d.path = d.path[:len(d.path)-1]
		v.SetMapIndex(reflect.ValueOf(name).Convert(n.typ.Key()), e)
	}
	_, err := d.ReadToken()
	return err
}

func (d *decoder) scalar(n *node, v reflect.Value) error {
	k := d.PeekKind()
	if k == '{' || k == '[' {
		return d.unexpected(k, "")
	}
	t, err := d.ReadToken()
	if err != nil {
		return err
	}
	switch n.kind {
	case kindString:
		if k != '"' {
			return d.unexpected(k, "a String")
		}
		v.SetString(t.String())
	case kindBool:
		if k != 't' && k != 'f' {
			return d.unexpected(k, "a Boolean")
		}
		v.SetBool(t.Bool())
	case kindInt:
		return d.integer(k, t, v)
	case kindFloat:
		if k != '0' {
			return d.unexpected(k, "a Double")
		}
		f, err := t.Float()
		if err != nil {
			return d.mismatch("NUMBER_VALUE is out of the range of a Double")
		}
		v.SetFloat(f)
	case kindTime:
		return d.time(k, t, v)
	case kindBytes:
		if k != '"' {
			return d.unexpected(k, "a Blob")
		}
		b, err := base64.StdEncoding.DecodeString(t.String())
		if err != nil {
			return d.mismatch("Invalid base64 data")
		}
		v.SetBytes(b)
	}
	return nil
}

func (d *decoder) integer(k jsontext.Kind, t jsontext.Token, v reflect.Value) error {
	name := "an Integer"
	if v.Kind() == reflect.Int64 {
		name = "a Long"
	}
	if k != '0' {
		return d.unexpected(k, name)
	}
	i, err := t.Int()
	if err != nil { // AWS truncates a fraction
		f, ferr := t.Float()
		if ferr != nil || math.Abs(f) > 1e18 {
			return d.mismatch("NUMBER_VALUE is out of the range of " + name)
		}
		i = int64(f)
	}
	if v.OverflowInt(i) {
		return d.mismatch("NUMBER_VALUE is out of the range of " + name)
	}
	v.SetInt(i)
	return nil
}

// time takes epoch seconds, and ISO 8601 text as some clients send it.
func (d *decoder) time(k jsontext.Kind, t jsontext.Token, v reflect.Value) error {
	var at time.Time
	switch k {
	case '0':
		f, err := t.Float()
		if err != nil || math.Abs(f) > 253402300799 { // year 9999
			return d.mismatch("NUMBER_VALUE is out of the range of a Timestamp")
		}
		at = time.UnixMilli(int64(math.Round(f * 1000))).UTC()
	case '"':
		var err error
		if at, err = time.Parse(time.RFC3339Nano, t.String()); err != nil {
			return d.mismatch("STRING_VALUE can not be converted to a Timestamp")
		}
	default:
		return d.unexpected(k, "a Timestamp")
	}
	v.Set(reflect.ValueOf(at.UTC()))
	return nil
}

func (d *decoder) expect(k jsontext.Kind, name string) error {
	if got := d.PeekKind(); got != k {
		return d.unexpected(got, name)
	}
	return nil
}

// unexpected is AWS's text for a value of kind k where want should be.
func (d *decoder) unexpected(k jsontext.Kind, want string) error {
	switch k {
	case '{':
		return d.mismatch("Start of structure or map found where not expected.")
	case '[':
		return d.mismatch("Start of list found where not expected")
	case '"':
		return d.mismatch("STRING_VALUE can not be converted to " + want)
	case '0':
		return d.mismatch("NUMBER_VALUE can not be converted to " + want)
	case 't':
		return d.mismatch("TRUE_VALUE can not be converted to " + want)
	case 'f':
		return d.mismatch("FALSE_VALUE can not be converted to " + want)
	}
	_, err := d.ReadToken()
	if err == nil {
		err = d.mismatch("Unexpected token")
	}
	return err
}
