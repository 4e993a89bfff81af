package ec2

import (
	"encoding/base64"
	"iter"

	"berth/internal/apierr"
)

// pageSize is what a page may have: EC2's usual limits.
const (
	fewestResults = 5
	mostResults   = 1000
)

// pager cuts a Describe operation's answer into pages. Without MaxResults all is one page.
type pager struct {
	most  int
	after string // key of the last item of the page before
}

// newPager reads MaxResults and NextToken. ids and MaxResults together are refused, as EC2 does.
func newPager(maxResults *int32, token *string, ids []string) (pager, error) {
	p := pager{most: mostResults}
	if maxResults != nil {
		if *maxResults < fewestResults {
			return p, invalid("Value ( %d ) for parameter maxResults is invalid. Expecting a value greater than %d.", *maxResults, fewestResults)
		}
		if len(ids) > 0 {
			return p, combination("The parameter MaxResults cannot be used with the parameter that names resources")
		}
		p.most = min(int(*maxResults), mostResults)
	}
	if text(token) == "" {
		return p, nil
	}
	after, err := base64.RawURLEncoding.DecodeString(*token)
	if err != nil || len(after) == 0 {
		return p, apierr.New("InvalidNextToken", "The token '%.64s' is invalid", *token)
	}
	p.after = string(after)
	return p, nil
}

// page takes the page's rows, which come in the order of their keys from p.after on, and the token of the next page, nil after the last.
func page[T any](p pager, rows iter.Seq[T], key func(T) string) (list []T, next *string) {
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
