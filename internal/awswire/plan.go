// Package awswire turns bytes into the SDK's own request types and its answer types into bytes, in each protocol that AWS clients speak.
//
// A Plan is compiled once per Go type by reflection and then used for every request. awsJson 1.0 and 1.1, awsQuery and ec2Query are here;
// rpcv2Cbor walks the same plan and adds a file. Member names come from the Go field names, by the rule of the service (Names), or
// from a json tag where a record of ours has one. The same plans write the records of the store (EncodeRecord).
package awswire

import (
	"encoding/json"
	"reflect"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Names says how a service spells the members that the SDK's Go fields stand for.
type Names int

const (
	// LowerCamel is the spelling of ECS and Logs: ClusterArn is clusterArn.
	LowerCamel Names = iota
	// GoNames is the spelling of the query services and of JSON services that use upper-case names.
	GoNames
	// LowerCamelGoTags is the spelling of ECR: as LowerCamel, but a Tag has a Key and a Value.
	LowerCamelGoTags
)

// Unknown holds the members of a record that its Go type has no field for. A struct with a field of this type keeps them.
type Unknown map[string]json.RawMessage

// Compiler makes plans and shares those of nested types among them. It is used while a program is put together and not concurrently.
type Compiler struct {
	names Names
	seen  map[reflect.Type]*node
	hide  func(structure reflect.Type, member reflect.StructField) bool // nil hides nothing
}

// Hidden is what is written instead of a member that is hidden, in CloudTrail's words.
const Hidden = "HIDDEN_DUE_TO_SECURITY_REASONS"

// NewCompiler returns a compiler for services that spell their members in one way.
func NewCompiler(names Names) *Compiler {
	return &Compiler{names: names, seen: map[reflect.Type]*node{}}
}

// NewHidingCompiler returns a compiler whose plans write Hidden instead of the members that hide names, where they are there. They are for writing only.
func NewHidingCompiler(names Names, hide func(structure reflect.Type, member reflect.StructField) bool) *Compiler {
	c := NewCompiler(names)
	c.hide = hide
	return c
}

// Plan is how one Go structure is read and written. It is immutable and safe for concurrent use.
type Plan struct{ root *node }

// Plan compiles the plan of a structure type. It panics on a type that no AWS shape has (a channel, say): that is a mistake in the program.
func (c *Compiler) Plan(t reflect.Type) *Plan {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return &Plan{c.node(t)}
}

// Members lists the wire names of the structure's members in the order of its fields.
func (p *Plan) Members() []string {
	var out []string
	for _, f := range p.root.fields {
		out = append(out, f.name)
	}
	return out
}

type kind int

const (
	kindStruct kind = iota
	kindPointer
	kindList
	kindMap
	kindString
	kindBool
	kindInt
	kindFloat
	kindTime
	kindBytes
	kindRaw
	kindHidden // of a member that is there and not shown
	kindOther  // interfaces and the SDK's bookkeeping: left out
)

type node struct {
	kind    kind
	typ     reflect.Type
	elem    *node // of a pointer, list, map or hidden member
	fields  []field
	byName  map[string]int
	unknown int // index of the struct's Unknown field, -1 if it has none
}

type field struct {
	name  string
	index int
	node  *node
}

func (c *Compiler) node(t reflect.Type) *node {
	if n, ok := c.seen[t]; ok {
		return n
	}
	n := &node{typ: t, unknown: -1}
	c.seen[t] = n // before the members: types may be recursive
	switch {
	case t == reflect.TypeFor[time.Time]():
		n.kind = kindTime
	case t == reflect.TypeFor[json.RawMessage]():
		n.kind = kindRaw
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8:
		n.kind = kindBytes
	default:
		c.fill(n, t)
	}
	return n
}

func (c *Compiler) fill(n *node, t reflect.Type) {
	switch t.Kind() {
	case reflect.Struct:
		n.kind = kindStruct
		c.members(n, t)
	case reflect.Pointer:
		n.kind, n.elem = kindPointer, c.node(t.Elem())
	case reflect.Slice:
		n.kind, n.elem = kindList, c.node(t.Elem())
	case reflect.Map:
		n.kind, n.elem = kindMap, c.node(t.Elem())
	case reflect.String:
		n.kind = kindString
	case reflect.Bool:
		n.kind = kindBool
	case reflect.Int, reflect.Int32, reflect.Int64:
		n.kind = kindInt
	case reflect.Float32, reflect.Float64:
		n.kind = kindFloat
	case reflect.Interface:
		n.kind = kindOther
	default:
		panic("awswire: no AWS shape is a " + t.String())
	}
}

func (c *Compiler) members(n *node, t reflect.Type) {
	n.byName = map[string]int{}
	for i := range t.NumField() {
		f := t.Field(i)
		if !f.IsExported() || f.Name == "ResultMetadata" || f.Name == "noSmithyDocumentSerde" || f.Tag.Get("json") == "-" {
			continue
		}
		if f.Type == reflect.TypeFor[Unknown]() {
			n.unknown = i
			continue
		}
		member := c.node(f.Type)
		if member.kind == kindOther || member.elem != nil && member.elem.kind == kindOther {
			continue // a union or a document, or a list of them
		}
		if c.hide != nil && c.hide(t, f) {
			member = &node{kind: kindHidden, elem: member}
		}
		name := c.spell(t, f)
		n.byName[name] = len(n.fields)
		n.fields = append(n.fields, field{name: name, index: i, node: member})
	}
}

// lowerInGoNames says which structures of services with upper-case names spell theirs in lower camel case: an old kind of Systems Manager's filters.
func lowerInGoNames(t reflect.Type) bool {
	return t.Name() == "SessionFilter" && strings.HasSuffix(t.PkgPath(), "/service/ssm/types")
}

func (c *Compiler) spell(t reflect.Type, f reflect.StructField) string {
	if tag, _, _ := strings.Cut(f.Tag.Get("json"), ","); tag != "" {
		return tag
	}
	if c.names == GoNames && !lowerInGoNames(t) || c.names == LowerCamelGoTags && t.Name() == "Tag" {
		return f.Name
	}
	r, size := utf8.DecodeRuneInString(f.Name)
	return string(unicode.ToLower(r)) + f.Name[size:]
}
