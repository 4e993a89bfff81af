// Package page cuts lists into pages. A token holds the key of the last item that was shown, so that what comes and goes meanwhile moves nothing else.
package page

import (
	"crypto/sha256"
	"encoding/base64"
	"iter"
	"strings"
)

// Request is what a client wants of a list: at most so many items, from behind one.
type Request struct {
	Most       int
	Descending bool // the keys come last first
	check      string
	after      string // the key of the last item of the page before, "" on the first one
}

// New reads a client's token. list says which list it is, parameters with all that decides what is on it: a token serves only the list that it came from.
// false says that this one is of another, or of none.
func New(most int, token *string, list ...string) (Request, bool) {
	sum := sha256.Sum256([]byte(strings.Join(list, "\x00")))
	r := Request{Most: most, check: string(sum[:12])}
	if token == nil || *token == "" {
		return r, true
	}
	text, err := base64.RawURLEncoding.DecodeString(*token)
	after, ok := strings.CutPrefix(string(text), r.check)
	r.after = after
	return r, err == nil && ok && after != ""
}

// Take takes the page out of rows, which come in the order of their keys, and the token of the next page, nil after the last.
func Take[T any](r Request, rows iter.Seq[T], key func(T) string) (list []T, next *string) {
	for row := range rows {
		if r.shown(key(row)) {
			continue
		}
		if len(list) == r.Most {
			token := base64.RawURLEncoding.EncodeToString([]byte(r.check + key(list[len(list)-1])))
			return list, &token
		}
		list = append(list, row)
	}
	return list, nil
}

// shown says that the item with that key was on a page before.
func (r Request) shown(key string) bool {
	switch {
	case r.after == "":
		return false
	case r.Descending:
		return key >= r.after
	}
	return key <= r.after
}
