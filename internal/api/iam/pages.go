package iam

import (
	"encoding/base64"
	"iter"

	"berth/internal/apierr"
)

// pageSize is how many items a page has where MaxItems does not say.
const pageSize = 100

// pager cuts a list into pages.
type pager struct {
	most  int
	after string // key of the last item of the page before
}

// newPager reads MaxItems and Marker.
func newPager(maxItems *int32, marker *string) (pager, error) {
	p := pager{most: pageSize}
	if maxItems != nil {
		p.most = int(*maxItems)
	}
	if marker == nil {
		return p, nil
	}
	after, err := base64.RawURLEncoding.DecodeString(*marker)
	if err != nil || len(after) == 0 {
		return p, apierr.New("ValidationError", "Invalid Marker.")
	}
	p.after = string(after)
	return p, nil
}

// page takes the page's rows, which come in the order of their keys, and the marker of the next page, nil after the last. The list is never nil: IAM shows
// an empty one.
func page[T any](p pager, rows iter.Seq[T], key func(T) string) (list []T, marker *string) {
	list = []T{}
	for r := range rows {
		if p.after != "" && key(r) <= p.after {
			continue
		}
		if len(list) == p.most {
			token := base64.RawURLEncoding.EncodeToString([]byte(key(list[len(list)-1])))
			return list, &token
		}
		list = append(list, r)
	}
	return list, nil
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

// mapped are the shapes of records.
func mapped[R, S any](rows []R, shape func(R) S) []S {
	out := make([]S, 0, len(rows))
	for _, r := range rows {
		out = append(out, shape(r))
	}
	return out
}

func self(s string) string { return s }
