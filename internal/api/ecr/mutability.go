package ecr

import (
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"berth/internal/ecr"
)

const (
	mostExclusions = 5
	mostStars      = 2
)

var exclusionForm = regexp.MustCompile(`^[0-9a-zA-Z._*-]{1,128}$`)

// mutability is whether a repository's tags may move, in ECR's words.
func mutability(r *ecr.Repository) types.ImageTagMutability {
	switch {
	case r.Immutable && r.MutabilityExclusions != nil:
		return types.ImageTagMutabilityImmutableWithExclusion
	case r.Immutable:
		return types.ImageTagMutabilityImmutable
	case r.MutabilityExclusions != nil:
		return types.ImageTagMutabilityMutableWithExclusion
	}
	return types.ImageTagMutabilityMutable
}

func exclusions(r *ecr.Repository) (list []types.ImageTagMutabilityExclusionFilter) {
	for _, pattern := range r.MutabilityExclusions {
		list = append(list, types.ImageTagMutabilityExclusionFilter{Filter: &pattern, FilterType: types.ImageTagMutabilityExclusionFilterTypeWildcard})
	}
	return list
}

// mutability looks at a setting and its exclusions.
func (c *check) mutability(m types.ImageTagMutability, filters []types.ImageTagMutabilityExclusionFilter) {
	const member = "imageTagMutabilityExclusionFilters"
	enum(c, "imageTagMutability", m, m.Values())
	with := strings.HasSuffix(string(m), "_WITH_EXCLUSION")
	switch {
	case with && len(filters) == 0:
		c.fail(member, "must not be empty when imageTagMutability is %s", m)
	case !with && len(filters) > 0:
		c.fail(member, "must be empty unless imageTagMutability is IMMUTABLE_WITH_EXCLUSION or MUTABLE_WITH_EXCLUSION")
	}
	c.count(member, filters != nil, len(filters), 1, mostExclusions)
	for _, f := range filters {
		enum(c, member+".filterType", f.FilterType, f.FilterType.Values())
		if pattern := aws.ToString(f.Filter); f.FilterType == "" || !exclusionForm.MatchString(pattern) || strings.Count(pattern, "*") > mostStars {
			c.fail(member+".filter", "must be a WILDCARD of letters, digits, '.', '_', '-' and at most %d '*'", mostStars)
		}
	}
}

// setMutability puts a setting into a record.
func setMutability(r *ecr.Repository, m types.ImageTagMutability, filters []types.ImageTagMutabilityExclusionFilter) {
	r.Immutable = m == types.ImageTagMutabilityImmutable || m == types.ImageTagMutabilityImmutableWithExclusion
	r.MutabilityExclusions = nil
	for _, f := range filters {
		r.MutabilityExclusions = append(r.MutabilityExclusions, *f.Filter)
	}
}
