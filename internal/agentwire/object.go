package agentwire

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Member is one member of a JSON object.
type Member struct {
	Name  string
	Value any // string, int, int64, float64, bool, nil, []string, Object or []Object
}

// Object is a JSON object whose members are written in their order: the wire is bytes, and what a server reads must not hang on it.
type Object []Member

// Order is an order of an object's members.
type Order int

// As is the captured order; the others are those that other SDKs write, or nobody.
const (
	As Order = iota
	Alphabetical
	Reversed
)

// JSON writes the object in an order, its inner objects as well.
func (o Object) JSON(order Order) []byte { return appendJSON(nil, o, order) }

// With returns the object with a member changed, or added at its end.
func (o Object) With(name string, value any) Object {
	c := slices.Clone(o)
	for i := range c {
		if c[i].Name == name {
			c[i].Value = value
			return c
		}
	}
	return append(c, Member{name, value})
}

// Without returns the object without a member.
func (o Object) Without(name string) Object {
	return slices.DeleteFunc(slices.Clone(o), func(m Member) bool { return m.Name == name })
}

func (o Object) sorted(order Order) Object {
	switch order {
	case As:
		return o
	case Alphabetical:
		c := slices.Clone(o)
		slices.SortStableFunc(c, func(a, b Member) int { return cmp.Compare(a.Name, b.Name) })
		return c
	case Reversed:
		c := slices.Clone(o)
		slices.Reverse(c)
		return c
	}
	panic(fmt.Sprintf("agentwire: order %d", order))
}

func appendJSON(b []byte, v any, order Order) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case bool:
		return strconv.AppendBool(b, v)
	case int:
		return strconv.AppendInt(b, int64(v), 10)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case float64:
		return strconv.AppendFloat(b, v, 'f', -1, 64) // the agent's SDK writes no exponents
	case time.Time:
		return appendJSON(b, Seconds(v), order)
	case string:
		text, err := json.Marshal(v)
		if err != nil { // strings always marshal
			panic(err)
		}
		return append(b, text...)
	case []string:
		return appendList(b, v, order)
	case []Object:
		return appendList(b, v, order)
	case Object:
		b = append(b, '{')
		for i, m := range v.sorted(order) {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendJSON(b, m.Name, order), ':')
			b = appendJSON(b, m.Value, order)
		}
		return append(b, '}')
	}
	panic(fmt.Sprintf("agentwire: a %T has no place in a body", v))
}

func appendList[T any](b []byte, list []T, order Order) []byte {
	b = append(b, '[')
	for i, v := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendJSON(b, v, order)
	}
	return append(b, ']')
}

// Seconds is a time as the agent writes it: epoch seconds with milliseconds as the fraction.
func Seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
