package ec2

import (
	"iter"
	"slices"
	"strings"

	"berth/internal/arn"
	"berth/internal/record"
	"berth/internal/state"
	"berth/internal/vpc"
)

// resource is a record that has an id.
type resource interface {
	Key() string
	ID() vpc.ID
}

// asked is what a Describe operation was asked for.
type asked struct {
	filters    []Filter
	ids        []string
	maxResults *int32
	token      *string
}

// described is how the resources of a kind are found and shown: R is the record, S the shape.
type described[R resource, S any] struct {
	filters string // known ones, besides those of tags; separated by spaces
	find    func(t *state.Tables, s arn.Scope, id string) (R, error)
	rows    func(t *state.Tables, prefix, start string) iter.Seq[R]
	kind    record.Kind
	facts   func(t *state.Tables, s arn.Scope, r R) facts
	show    func(t *state.Tables, s arn.Scope, r R) S
}

// page answers a Describe operation: the resources that were asked for, or a page of them, and the next page's token.
func (d described[R, S]) page(t *state.Tables, s arn.Scope, a asked) (list []S, next *string, err error) {
	p, err := newPager(string(d.kind), a.maxResults, a.token, a.ids)
	if err != nil {
		return nil, nil, err
	}
	wanted, err := newSelection(a.filters, a.ids, strings.Fields(d.filters)...)
	if err != nil {
		return nil, nil, err
	}
	rows := d.rows(t, vpc.Prefix(s, d.kind), p.after)
	if len(a.ids) > 0 {
		named, err := d.named(t, s, a.ids)
		if err != nil {
			return nil, nil, err
		}
		rows = slices.Values(named)
	}
	rows = where(rows, func(r R) bool { return len(a.filters) == 0 || wanted.takes(r.ID(), d.facts(t, s, r)) })
	found, next := page(p, rows, R.Key)
	list = []S{}
	for _, r := range found {
		list = append(list, d.show(t, s, r))
	}
	return list, next, nil
}

// named are the resources with those ids, each once, in the order of their keys.
func (d described[R, S]) named(t *state.Tables, s arn.Scope, ids []string) (list []R, err error) {
	for _, id := range ids {
		r, err := d.find(t, s, id)
		if err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	slices.SortFunc(list, func(x, y R) int { return strings.Compare(x.Key(), y.Key()) })
	return slices.CompactFunc(list, func(x, y R) bool { return x.Key() == y.Key() }), nil
}
