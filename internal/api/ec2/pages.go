package ec2

import (
	"encoding/base64"
	"iter"
	"strings"

	"berth/internal/apierr"
)

// What a page may have: EC2's usual limits.
const (
	fewestResults = 5
	mostResults   = 1000
)

// pager cuts a Describe operation's answer into pages. Without MaxResults a page is as long as one may be.
type pager struct {
	list  string // what is listed: a token of another list is none of this one
	most  int
	after string // key of the last item of the page before
}

// newPager reads MaxResults and NextToken. ids and MaxResults together are refused, as EC2 does.
func newPager(list string, maxResults *int32, token *string, ids []string) (pager, error) {
	return newPagerOf(list, fewestResults, maxResults, token, ids)
}

// newPagerOf is newPager for an operation that has pages of fewer than the usual.
func newPagerOf(list string, fewest int32, maxResults *int32, token *string, ids []string) (pager, error) {
	p := pager{list: list + " ", most: mostResults}
	if maxResults != nil {
		if *maxResults < fewest {
			return p, invalid("Value ( %d ) for parameter maxResults is invalid. Expecting a value greater than %d.", *maxResults, fewest)
		}
		if len(ids) > 0 {
			return p, combination("The parameter MaxResults cannot be used with the parameter that names resources")
		}
		p.most = min(int(*maxResults), mostResults)
	}
	if text(token) == "" {
		return p, nil
	}
	decoded, err := base64.RawURLEncoding.DecodeString(*token)
	after, ok := strings.CutPrefix(string(decoded), p.list)
	if err != nil || !ok || after == "" {
		return p, apierr.New("InvalidNextToken", "The token '%.64s' is invalid", *token)
	}
	p.after = after
	return p, nil
}

// page takes the page's rows, which come in the order of their keys from p.after on, and the token of the next page, nil after the last.
func page[T any](p pager, rows iter.Seq[T], key func(T) string) (list []T, next *string) {
	for r := range rows {
		if p.after != "" && key(r) <= p.after {
			continue
		}
		if len(list) == p.most {
			token := base64.RawURLEncoding.EncodeToString([]byte(p.list + key(list[len(list)-1])))
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
