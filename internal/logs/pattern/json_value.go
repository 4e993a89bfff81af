package pattern

import (
	"encoding/json"
	"io"
	"strings"
)

// decode reads a message that is a JSON object.
func decode(message string) (any, bool) {
	trimmed := strings.TrimLeft(message, " \t\r\n")
	if trimmed == "" || trimmed[0] != '{' {
		return nil, false
	}
	d := json.NewDecoder(strings.NewReader(trimmed))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, false
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, false
	}
	return v, true
}

// some reports whether a value that the selector leads to satisfies f.
func (s selector) some(v any, f func(any) bool) bool {
	for i, one := range s {
		if one.all {
			return s[i+1:].someOf(v, f)
		}
		switch c := v.(type) {
		case map[string]any:
			inner, ok := c[one.property]
			if !ok || one.index >= 0 {
				return false
			}
			v = inner
		case []any:
			if one.index < 0 || one.index >= len(c) {
				return false
			}
			v = c[one.index]
		default:
			return false
		}
	}
	return f(v)
}

// someOf is some of any of the values inside v.
func (s selector) someOf(v any, f func(any) bool) bool {
	switch c := v.(type) {
	case map[string]any:
		for _, inner := range c {
			if s.some(inner, f) {
				return true
			}
		}
	case []any:
		for _, inner := range c {
			if s.some(inner, f) {
				return true
			}
		}
	}
	return false
}

// scalar is the text of a value that is compared: neither null, nor an object, nor an array.
func scalar(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		if v {
			return "true", true
		}
		return "false", true
	}
	return "", false
}
