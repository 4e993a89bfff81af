package ecs

import (
	"context"
	"fmt"
	"iter"
	"strings"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/ecs"
	"berth/internal/frontdoor"
)

// listTaskDefinitions lists revisions in the order of family and revision: ACTIVE ones unless another status is asked for.
func (a *API) listTaskDefinitions(_ context.Context, r *frontdoor.Request, in *awsecs.ListTaskDefinitionsInput) (*awsecs.ListTaskDefinitionsOutput, error) {
	if err := validateEnum("status", in.Status); err != nil {
		return nil, err
	}
	if err := validateEnum("sort", in.Sort); err != nil {
		return nil, err
	}
	l, err := newListing("ListTaskDefinitions", pageSize{100, 100}, in.MaxResults, in.NextToken, text(in.FamilyPrefix), string(in.Status), string(in.Sort), r.Scope.Account, r.Scope.Region)
	if err != nil {
		return nil, err
	}
	status := in.Status
	if status == "" {
		status = types.TaskDefinitionStatusActive
	}
	rows := where(a.store.View().Definitions.InOrder(r.Scope), func(d *ecs.TaskDefinition) bool {
		return d.Definition.Status == status && (text(in.FamilyPrefix) == "" || d.ARN().Family() == *in.FamilyPrefix)
	})
	if in.Sort == types.SortOrderDesc {
		rows = reversed(rows)
	}
	found, next := page(l, since(l, rows, sortKey), sortKey)
	return &awsecs.ListTaskDefinitionsOutput{TaskDefinitionArns: texts(found, func(d *ecs.TaskDefinition) string { return string(d.ARN()) }), NextToken: next}, nil
}

// sortKey orders definitions by family and then by number.
func sortKey(d *ecs.TaskDefinition) string {
	return fmt.Sprintf("%s:%012d", d.ARN().Family(), d.ARN().Revision())
}

// since leaves out the rows up to the one that the page before ended with.
func since[T any](l listing, rows iter.Seq[T], key func(T) string) iter.Seq[T] {
	if l.after == "" {
		return rows
	}
	return func(yield func(T) bool) {
		passed := false
		for r := range rows {
			if passed && !yield(r) {
				return
			}
			passed = passed || key(r) == l.after
		}
	}
}

func reversed[T any](rows iter.Seq[T]) iter.Seq[T] {
	var all []T
	for r := range rows {
		all = append(all, r)
	}
	return func(yield func(T) bool) {
		for i := len(all) - 1; i >= 0; i-- {
			if !yield(all[i]) {
				return
			}
		}
	}
}

// listTaskDefinitionFamilies lists families: with ACTIVE revisions, without, or all.
func (a *API) listTaskDefinitionFamilies(_ context.Context, r *frontdoor.Request, in *awsecs.ListTaskDefinitionFamiliesInput) (*awsecs.ListTaskDefinitionFamiliesOutput, error) {
	if err := validateEnum("status", in.Status); err != nil {
		return nil, err
	}
	l, err := newListing("ListTaskDefinitionFamilies", pageSize{100, 100}, in.MaxResults, in.NextToken, text(in.FamilyPrefix), string(in.Status), r.Scope.Account, r.Scope.Region)
	if err != nil {
		return nil, err
	}
	v := a.store.View()
	rows := func(yield func(string) bool) {
		for f := range v.Families.Under(ecs.FamilyKey(r.Scope, ""), "") {
			name := f.Scope[strings.LastIndexByte(f.Scope, '/')+1:]
			if !strings.HasPrefix(name, text(in.FamilyPrefix)) {
				continue
			}
			active := v.Definitions.Latest(r.Scope, name) != nil
			wanted := in.Status == types.TaskDefinitionFamilyStatusAll || active == (in.Status != types.TaskDefinitionFamilyStatusInactive)
			if wanted && !yield(name) {
				return
			}
		}
	}
	same := func(s string) string { return s }
	found, next := page(l, since(l, iter.Seq[string](rows), same), same)
	return &awsecs.ListTaskDefinitionFamiliesOutput{Families: found, NextToken: next}, nil
}
