package policy

import (
	"bytes"
	"encoding/json"
	"slices"
)

// node is a value of a policy's JSON. Unlike encoding/json's own, it keeps the order of members and tells when one is doubled.
type node struct {
	kind    nodeKind
	text    string // of a text, a number as it was written, or true and false
	list    []node
	members []member
}

type member struct {
	name  string
	value node
}

type nodeKind int

const (
	isNull nodeKind = iota
	isText
	isNumber
	isBool
	isList
	isObject
)

// readTree reads a JSON text; false if it is none or has a member twice. json.Valid takes nothing that goes ten thousand levels deep.
func readTree(s string) (node, bool) {
	if !json.Valid([]byte(s)) {
		return node{}, false
	}
	d := json.NewDecoder(bytes.NewReader([]byte(s)))
	d.UseNumber()
	return readNode(d)
}

func readNode(d *json.Decoder) (node, bool) {
	token, err := d.Token()
	if err != nil {
		return node{}, false
	}
	switch t := token.(type) {
	case string:
		return node{kind: isText, text: t}, true
	case json.Number:
		return node{kind: isNumber, text: t.String()}, true
	case bool:
		if t {
			return node{kind: isBool, text: "true"}, true
		}
		return node{kind: isBool, text: "false"}, true
	case json.Delim:
		if t == '[' {
			return readList(d)
		}
		return readObject(d)
	}
	return node{}, true
}

func readList(d *json.Decoder) (n node, ok bool) {
	n.kind = isList
	for d.More() {
		v, ok := readNode(d)
		if !ok {
			return node{}, false
		}
		n.list = append(n.list, v)
	}
	_, err := d.Token()
	return n, err == nil
}

func readObject(d *json.Decoder) (n node, ok bool) {
	n.kind = isObject
	names := map[string]bool{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return node{}, false
		}
		s, isText := name.(string)
		v, ok := readNode(d)
		if !isText || !ok || names[s] {
			return node{}, false
		}
		names[s] = true
		n.members = append(n.members, member{s, v})
	}
	_, err := d.Token()
	return n, err == nil
}

// get is a member's value; false if there is none.
func (n *node) get(name string) (node, bool) {
	i := slices.IndexFunc(n.members, func(m member) bool { return m.name == name })
	if i < 0 {
		return node{}, false
	}
	return n.members[i].value, true
}

// texts reads one text or a list of texts. It is not nil where there are none.
func (n *node) texts() ([]string, bool) {
	if n.kind == isText {
		return []string{n.text}, true
	}
	all := make([]string, 0, len(n.list))
	for i := range n.list {
		if n.list[i].kind != isText {
			return nil, false
		}
		all = append(all, n.list[i].text)
	}
	return all, n.kind == isList
}

// scalars reads texts, numbers and truth values, one or a list of them, as texts.
func (n *node) scalars() ([]string, bool) {
	values := []node{*n}
	if n.kind == isList {
		values = n.list
	}
	all := make([]string, 0, len(values))
	for i := range values {
		switch values[i].kind {
		case isText, isNumber, isBool:
			all = append(all, values[i].text)
		case isNull, isList, isObject:
			return nil, false
		}
	}
	return all, true
}
