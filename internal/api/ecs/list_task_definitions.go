package ecs

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// listTaskDefinitions lists revisions in the order of family and number, or the other way round: ACTIVE ones unless another status is
// asked for. A family prefix is the whole name of one family, as on AWS.
func (a *API) listTaskDefinitions(
	_ context.Context, r *frontdoor.Request, in *awsecs.ListTaskDefinitionsInput,
) (*awsecs.ListTaskDefinitionsOutput, error) {
	if err := validateEnum("status", in.Status); err != nil {
		return nil, err
	}
	if err := validateEnum("sort", in.Sort); err != nil {
		return nil, err
	}
	if err := validateFamilyPrefix(in.FamilyPrefix); err != nil {
		return nil, err
	}
	status := in.Status
	if status == "" {
		status = types.TaskDefinitionStatusActive
	}
	l, err := newListing("ListTaskDefinitions", pageSize{100, 100}, in.MaxResults, in.NextToken,
		string(r.Scope.TaskDefinition(text(in.FamilyPrefix), 0)), string(status), string(in.Sort))
	if err != nil {
		return nil, err
	}
	all := revisions{t: a.store.View().Tables, scope: r.Scope, after: l.after, descending: in.Sort == types.SortOrderDesc}.of(text(in.FamilyPrefix))
	rows := where(all, func(d *ecs.TaskDefinition) bool { return d.Definition.Status == status })
	found, next := page(l, rows, revisionKey)
	return &awsecs.ListTaskDefinitionsOutput{TaskDefinitionArns: texts(found, (*ecs.TaskDefinition).Key), NextToken: next}, nil
}

// validateFamilyPrefix checks what the name of a family is to begin with, if anything. An error is an InvalidParameterException.
func validateFamilyPrefix(prefix *string) error {
	if blank(prefix) {
		return nil
	}
	return validateName("Family", *prefix)
}

// revisionKey sorts as text as revisions of one family do by number.
func revisionKey(d *ecs.TaskDefinition) string {
	return fmt.Sprintf("%s:%010d", d.ARN().Family(), d.ARN().Revision())
}

// revisions is a walk over task definitions that begins where a page ended. It costs a step for each family and revision that it yields.
type revisions struct {
	t          *state.Tables
	scope      arn.Scope
	after      string // revisionKey of the last one of the page before, "" for the beginning
	descending bool
}

// of yields the revisions of a family, or of all families where it is "".
func (w revisions) of(family string) iter.Seq[*ecs.TaskDefinition] {
	from, _, _ := strings.Cut(w.after, ":")
	return func(yield func(*ecs.TaskDefinition) bool) {
		if family != "" {
			w.family(family, yield)
			return
		}
		for f := range w.families(from) {
			name := familyName(f)
			if w.descending && from != "" && name > from {
				continue
			}
			if !w.family(name, yield) {
				return
			}
		}
	}
}

func (w revisions) families(from string) iter.Seq[*ecs.Family] {
	prefix := ecs.FamilyKey(w.scope, "")
	if w.descending {
		return w.t.Families.Backward(prefix)
	}
	return w.t.Families.Under(prefix, prefix+from)
}

// family yields the revisions of one family that come after the walk's beginning, and reports whether to go on.
func (w revisions) family(name string, yield func(*ecs.TaskDefinition) bool) bool {
	all := slices.Collect(w.t.Definitions.Family(w.scope, name)) // the newest first
	if !w.descending {
		slices.Reverse(all)
	}
	for _, d := range all {
		passed := w.after != "" && sameFamily(w.after, name) && (revisionKey(d) <= w.after) != w.descending
		if !passed && !yield(d) {
			return false
		}
	}
	return true
}

func sameFamily(key, family string) bool { return strings.HasPrefix(key, family+":") }

// familyName is the short name of a family.
func familyName(f *ecs.Family) string { return f.Scope[strings.LastIndexByte(f.Scope, '/')+1:] }
