package awswire

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxQueryDepth bounds how deep a parameter's name may nest. No AWS shape comes near it.
const maxQueryDepth = 64

// branch is the part of a query request under one dotted prefix: its own value, and what is below it by the next segment of the name.
type branch struct {
	value    string
	set      bool // there is a parameter of exactly this name
	children map[string]*branch
}

func (b *branch) at(segment string) *branch {
	c := b.children[segment]
	if c == nil {
		if b.children == nil {
			b.children = map[string]*branch{}
		}
		c = &branch{}
		b.children[segment] = c
	}
	return c
}

// member finds a structure's member by its wire name. Query services spell a few members with a small letter (PolicyArns.member.1.arn of
// AssumeRole), so that spelling is taken too.
func (b *branch) member(name string) *branch {
	if c := b.children[name]; c != nil || len(b.children) == 0 || name == "" {
		return c
	}
	r, size := utf8.DecodeRuneInString(name)
	return b.children[string(unicode.ToLower(r))+name[size:]]
}

// grow arranges the parameters of a request by the segments of their names. A name given twice is an error: which of the two was meant?
func grow(values url.Values) (*branch, error) {
	root := &branch{}
	for name, v := range values {
		if len(v) != 1 {
			return nil, fmt.Errorf("Duplicate parameter '%s'", name)
		}
		if strings.Count(name, ".") >= maxQueryDepth {
			return nil, errors.New("A parameter's name has too many levels")
		}
		b := root
		for segment := range strings.SplitSeq(name, ".") {
			b = b.at(segment)
		}
		b.value, b.set = v[0], true
	}
	return root, nil
}

// elements are the branches of a list or map in the order of their numbers: 1, 2, 3; a gap closes. A number is refused when it is larger
// than most, the number of parameters in the request, which no honest list reaches.
func (b *branch) elements(most int) ([]*branch, error) {
	numbers := make([]int, 0, len(b.children))
	for segment := range b.children {
		n, err := strconv.Atoi(segment)
		if err != nil || n < 1 || n > most || strconv.Itoa(n) != segment {
			return nil, fmt.Errorf("'%.32s' is not an index", segment)
		}
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	out := make([]*branch, len(numbers))
	for i, n := range numbers {
		out[i] = b.children[strconv.Itoa(n)]
	}
	return out, nil
}
