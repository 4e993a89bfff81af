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

// EncodeQuery writes v, a pointer to the plan's type, as the XML answer of an awsQuery operation. What is left out and what is always
// written is as in EncodeJSON; lists are <member> elements, maps are <entry> elements with key and value, times are ISO 8601 with milliseconds;
// in awsQuery without them where they are 0.
func (p *Plan) EncodeQuery(operation, namespace, requestID string, v any) []byte {
	b := make([]byte, 0, 512)
	b = append(append(append(b, '<'), operation...), `Response xmlns="`...)
	b = append(appendXMLText(b, namespace), `">`...)
	b = appendOpen(b, operation+"Result")
	b = listItems("member").structure(b, p.root, reflect.ValueOf(v).Elem())
	b = appendClose(b, operation+"Result")
	b = append(b, "<ResponseMetadata><RequestId>"...)
	b = append(appendXMLText(b, requestID), "</RequestId></ResponseMetadata>"...)
	return appendClose(b, operation+"Response")
}

// QueryError writes the answer of a query service to a request that failed; fault is Sender or Receiver.
func QueryError(namespace, requestID, fault, code, message string) []byte {
	b := append(make([]byte, 0, 512), "<ErrorResponse"...)
	if namespace != "" {
		b = append(appendXMLText(append(b, ` xmlns="`...), namespace), '"')
	}
	b = append(b, "><Error>"...)
	b = appendXMLElement(b, "Type", fault)
	b = appendXMLElement(b, "Code", code)
	b = appendXMLElement(b, "Message", message)
	b = append(b, "</Error>"...)
	b = appendXMLElement(b, "RequestId", requestID)
	return append(b, "</ErrorResponse>"...)
}

func appendOpen(b []byte, name string) []byte { return append(append(append(b, '<'), name...), '>') }

func appendClose(b []byte, name string) []byte {
	return append(append(append(b, '<', '/'), name...), '>')
}

func appendXMLElement(b []byte, name, text string) []byte {
	return appendClose(appendXMLText(appendOpen(b, name), text), name)
}

// listItems is what the elements of a list are called: "member" in awsQuery, "item" in ec2Query.
type listItems string

func (l listItems) structure(b []byte, n *node, v reflect.Value) []byte {
	for i := range n.fields {
		f := &n.fields[i]
		if m := v.Field(f.index); !absent(f.node, m, false) {
			b = l.value(b, f.name, f.node, m)
		}
	}
	return b
}

// value writes one element. A nil pointer, which only a list or map can hold here, is an empty one.
func (l listItems) value(b []byte, name string, n *node, v reflect.Value) []byte {
	b = appendOpen(b, name)
	for n.kind == kindPointer && !v.IsNil() {
		n, v = n.elem, v.Elem()
	}
	switch n.kind {
	case kindPointer:
	case kindStruct:
		b = l.structure(b, n, v)
	case kindList:
		for i := range v.Len() {
			b = l.value(b, string(l), n.elem, v.Index(i))
		}
	case kindMap:
		b = l.table(b, n, v)
	default:
		b = l.scalar(b, n, v)
	}
	return appendClose(b, name)
}

func (l listItems) table(b []byte, n *node, v reflect.Value) []byte {
	values := make(map[string]reflect.Value, v.Len())
	for it := v.MapRange(); it.Next(); {
		values[it.Key().String()] = it.Value()
	}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		b = appendOpen(b, "entry")
		b = appendXMLElement(b, "key", key)
		b = l.value(b, "value", n.elem, values[key])
		b = appendClose(b, "entry")
	}
	return b
}

func (l listItems) scalar(b []byte, n *node, v reflect.Value) []byte {
	switch n.kind {
	case kindString:
		return appendXMLText(b, v.String())
	case kindBool:
		return strconv.AppendBool(b, v.Bool())
	case kindInt:
		return strconv.AppendInt(b, v.Int(), 10)
	case kindFloat:
		return appendXMLFloat(b, v.Float())
	case kindTime:
		t, layout := v.Interface().(time.Time).UTC(), "2006-01-02T15:04:05.000Z"
		if l == "member" && t.Nanosecond() < int(time.Millisecond) {
			layout = time.RFC3339 // as IAM and STS, which keep seconds, write it
		}
		return t.AppendFormat(b, layout)
	case kindBytes:
		return base64.StdEncoding.AppendEncode(b, v.Bytes())
	}
	panic(fmt.Sprintf("awswire: cannot encode %s in XML", n.typ))
}

func appendXMLFloat(b []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(b, "NaN"...)
	case math.IsInf(f, 1):
		return append(b, "Infinity"...)
	case math.IsInf(f, -1):
		return append(b, "-Infinity"...)
	}
	return appendFloat(b, f)
}

// appendXMLText escapes s. What XML 1.0 cannot hold, as most control characters, becomes U+FFFD; a carriage return is written as a
// reference, because a parser would turn it into a line feed.
func appendXMLText(b []byte, s string) []byte {
	start := 0
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if escape := xmlEscape(r, size); escape != "" {
			b = append(append(b, s[start:i]...), escape...)
			start = i + size
		}
		i += size
	}
	return append(b, s[start:]...)
}

func xmlEscape(r rune, size int) string {
	switch {
	case r == '&':
		return "&amp;"
	case r == '<':
		return "&lt;"
	case r == '>':
		return "&gt;"
	case r == '"':
		return "&quot;"
	case r == '\r':
		return "&#xD;"
	case r == utf8.RuneError && size == 1, r < 0x20 && r != '\n' && r != '\t', r == 0xFFFE, r == 0xFFFF:
		return "\uFFFD"
	}
	return ""
}
