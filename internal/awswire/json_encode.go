package awswire

import (
	"encoding/base64"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// EncodeJSON writes v, a pointer to the plan's type, as an answer. Scalars that are no pointers are always written (a client's waiter takes
// an absent runningCount for null); nil pointers, slices and maps and empty enumerations are left out; an empty list is [].
func (p *Plan) EncodeJSON(v any) []byte {
	return appendValue(nil, p.root, reflect.ValueOf(v).Elem(), false)
}

// EncodeRecord writes v as the store keeps it: like EncodeJSON, but every zero value is left out, and members that a newer version wrote are kept.
func (p *Plan) EncodeRecord(v any) []byte {
	return appendValue(make([]byte, 0, 512), p.root, reflect.ValueOf(v).Elem(), true)
}

func appendValue(b []byte, n *node, v reflect.Value, sparse bool) []byte {
	switch n.kind {
	case kindStruct:
		return appendStruct(b, n, v, sparse)
	case kindPointer:
		return appendValue(b, n.elem, v.Elem(), sparse)
	case kindList:
		b = append(b, '[')
		for i := range v.Len() {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendElem(b, n.elem, v.Index(i), sparse)
		}
		return append(b, ']')
	case kindMap:
		return appendMap(b, n, v, sparse)
	case kindString:
		return appendString(b, v.String())
	case kindBool:
		return strconv.AppendBool(b, v.Bool())
	case kindInt:
		return strconv.AppendInt(b, v.Int(), 10)
	case kindFloat:
		return appendFloat(b, v.Float())
	case kindTime:
		return appendTime(b, v.Interface().(time.Time))
	case kindBytes:
		return append(base64.StdEncoding.AppendEncode(append(b, '"'), v.Bytes()), '"')
	case kindRaw:
		return append(b, v.Bytes()...)
	case kindHidden:
		return appendString(b, Hidden)
	}
	panic(fmt.Sprintf("awswire: cannot encode %s", n.typ))
}

// appendElem writes an element of a list or map, where an absent pointer must still take its place.
func appendElem(b []byte, n *node, v reflect.Value, sparse bool) []byte {
	if n.kind == kindPointer && v.IsNil() {
		return append(b, "null"...)
	}
	return appendValue(b, n, v, sparse)
}

func appendStruct(b []byte, n *node, v reflect.Value, sparse bool) []byte {
	b = append(b, '{')
	start := len(b)
	for i := range n.fields {
		f := &n.fields[i]
		m := v.Field(f.index)
		if absent(f.node, m, sparse) {
			continue
		}
		if len(b) > start {
			b = append(b, ',')
		}
		b = append(b, '"')
		b = append(b, f.name...)
		b = append(b, '"', ':')
		b = appendValue(b, f.node, m, sparse)
	}
	if n.unknown >= 0 {
		b = appendUnknown(b, start, v.Field(n.unknown).Interface().(Unknown))
	}
	return append(b, '}')
}

func appendUnknown(b []byte, start int, u Unknown) []byte {
	for _, name := range slices.Sorted(maps.Keys(u)) {
		if len(b) > start {
			b = append(b, ',')
		}
		b = append(appendString(b, name), ':')
		b = append(b, u[name]...)
	}
	return b
}

// absent says whether a member is left out.
func absent(n *node, v reflect.Value, sparse bool) bool {
	switch n.kind {
	case kindPointer, kindList, kindMap:
		return v.IsNil()
	case kindBytes, kindRaw:
		return v.Len() == 0
	case kindString:
		return v.Len() == 0
	case kindTime:
		return v.Interface().(time.Time).IsZero()
	case kindBool, kindInt, kindFloat, kindStruct:
		return sparse && v.IsZero()
	case kindHidden:
		return absent(n.elem, v, sparse)
	}
	return false
}

func appendMap(b []byte, n *node, v reflect.Value, sparse bool) []byte {
	keys := make([]string, 0, v.Len())
	for _, k := range v.MapKeys() {
		keys = append(keys, k.String())
	}
	slices.Sort(keys)
	b = append(b, '{')
	for i, k := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendString(b, k), ':')
		b = appendElem(b, n.elem, v.MapIndex(reflect.ValueOf(k).Convert(n.typ.Key())), sparse)
	}
	return append(b, '}')
}

// appendTime writes epoch seconds with at most three decimals.
func appendTime(b []byte, t time.Time) []byte {
	ms := t.UnixMilli()
	if ms < 0 {
		return strconv.AppendFloat(b, float64(ms)/1000, 'f', -1, 64)
	}
	b = strconv.AppendInt(b, ms/1000, 10)
	frac := ms % 1000
	if frac == 0 {
		return b
	}
	b = append(b, '.', byte('0'+frac/100), byte('0'+frac/10%10), byte('0'+frac%10))
	for b[len(b)-1] == '0' {
		b = b[:len(b)-1]
	}
	return b
}

// appendFloat writes a whole number with a decimal, 100.0, as AWS does for doubles.
func appendFloat(b []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(b, "null"...)
	}
	if f == math.Trunc(f) && math.Abs(f) < 1e15 {
		return strconv.AppendFloat(b, f, 'f', 1, 64)
	}
	return strconv.AppendFloat(b, f, 'g', -1, 64)
}

const hex = "0123456789abcdef"

func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c < utf8.RuneSelf {
			b = append(b, s[start:i]...)
			b = appendEscape(b, c)
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 {
			b = append(b, s[start:i]...)
			b = append(b, "\ufffd"...)
			start = i + 1
		}
		i += size
	}
	return append(append(b, s[start:]...), '"')
}

func appendEscape(b []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\n':
		return append(b, '\\', 'n')
	case '\r':
		return append(b, '\\', 'r')
	case '\t':
		return append(b, '\\', 't')
	}
	return append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}
