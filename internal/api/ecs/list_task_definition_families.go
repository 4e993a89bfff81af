package ecs

import (
	"context"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// listTaskDefinitionFamilies lists the names of families that begin with a prefix: those with an ACTIVE revision, those without, or all.
// By default it lists all, as AWS's reference says.
func (a *API) listTaskDefinitionFamilies(
	_ context.Context, r *frontdoor.Request, in *awsecs.ListTaskDefinitionFamiliesInput,
) (*awsecs.ListTaskDefinitionFamiliesOutput, error) {
	if err := validateEnum("status", in.Status); err != nil {
		return nil, err
	}
	if err := validateFamilyPrefix(in.FamilyPrefix); err != nil {
		return nil, err
	}
	all := ecs.FamilyKey(r.Scope, "")
	prefix := all + text(in.FamilyPrefix)
	l, err := newListing("ListTaskDefinitionFamilies", pageSize{100, 100}, in.MaxResults, in.NextToken, prefix, string(in.Status))
	if err != nil {
		return nil, err
	}
	from := ""
	if l.after != "" {
		from = all + l.after
	}
	t := a.store.View().Tables
	rows := where(t.Families.Under(prefix, from), func(f *ecs.Family) bool { return familyListed(t, r, familyName(f), in.Status) })
	found, next := page(l, rows, familyName)
	return &awsecs.ListTaskDefinitionFamiliesOutput{Families: texts(found, familyName), NextToken: next}, nil
}

// familyListed reports whether a family has the status that is asked for. One whose revisions are all gone has none.
func familyListed(t *state.Tables, r *frontdoor.Request, family string, status types.TaskDefinitionFamilyStatus) bool {
	active := t.Definitions.Latest(r.Scope, family) != nil
	switch {
	case active:
		return status != types.TaskDefinitionFamilyStatusInactive
	case status == types.TaskDefinitionFamilyStatusActive:
		return false
	}
	for range t.Definitions.Family(r.Scope, family) {
		return true
	}
	return false
}
