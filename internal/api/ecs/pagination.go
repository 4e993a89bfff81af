package ecs

import (
	"crypto/sha256"
	"encoding/base64"
	"iter"
	"strings"

	"berth/internal/apierr"
)

// listing is one page of a list operation: what was asked for, and where the page begins.
type listing struct {
	check string // of the operation and its parameters
	limit int    // items on the page
	after string // key of the last item of the page before, "" on the first page
}

// pageSize is how many items an operation answers with: by default, and at most.
type pageSize struct{ normal, most int }

// newListing reads a list request. params are all its parameters that decide what is listed, so that a token serves only the list that it
// came from. A maxResults out of range and a token of another request are InvalidParameterExceptions.
func newListing(operation string, size pageSize, maxResults *int32, token *string, params ...string) (listing, error) {
	sum := sha256.Sum256([]byte(operation + "\x00" + strings.Join(params, "\x00")))
	l := listing{check: string(sum[:12]), limit: size.normal}
	if maxResults != nil {
		if *maxResults < 1 || int(*maxResults) > size.most {
			return l, apierr.InvalidParameter("maxResults must be between 1 and %d.", size.most)
		}
		l.limit = int(*maxResults)
	}
	if token == nil || *token == "" {
		return l, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(*token)
	after, ok := strings.CutPrefix(string(text), l.check)
	if err != nil || !ok || after == "" {
		return l, apierr.InvalidParameter("Invalid token: nextToken is not one that %s answered to these parameters.", operation)
	}
	l.after = after
	return l, nil
}

// page takes the listing's page out of rows and returns the token of the next one, nil after the last. rows come in an order of their own
// and begin at the listing's after key or wherever it would be: an item with just that key, which the page before ended with, is left out.
func page[T any](l listing, rows iter.Seq[T], key func(T) string) ([]T, *string) {
	out := make([]T, 0, min(l.limit, 16))
	for r := range rows {
		if l.after != "" && key(r) == l.after {
			continue
		}
		if len(out) == l.limit {
			token := base64.RawURLEncoding.EncodeToString([]byte(l.check + key(out[len(out)-1])))
			return out, &token
		}
		out = append(out, r)
	}
	return out, nil
}

// where yields the rows that keep.
func where[T any](rows iter.Seq[T], keep func(T) bool) iter.Seq[T] {
	return func(yield func(T) bool) {
		for r := range rows {
			if keep(r) && !yield(r) {
				return
			}
		}
	}
}

// texts turns rows into the strings that list answers consist of.
func texts[T any](rows []T, text func(T) string) []string {
	out := make([]string, len(rows))
	for i, r := range rows {
		out[i] = text(r)
	}
	return out
}
