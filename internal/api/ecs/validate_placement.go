package ecs

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
)

// AWS's limits on a request's placement.
const (
	mostStrategies  = 5
	mostConstraints = 10
)

// validateStrategies checks the placement strategies of RunTask and of services. An error is an InvalidParameterException.
func validateStrategies(strategies []types.PlacementStrategy) error {
	if len(strategies) > mostStrategies {
		return apierr.InvalidParameter("Maximum number of strategies is %d", mostStrategies)
	}
	for _, s := range strategies {
		field := ""
		if s.Field != nil {
			field = *s.Field
		}
		switch s.Type {
		case types.PlacementStrategyTypeBinpack:
			if !strings.EqualFold(field, "cpu") && !strings.EqualFold(field, "memory") {
				return apierr.InvalidParameter("binpack field '%s' is invalid", field)
			}
		case types.PlacementStrategyTypeSpread:
			if !spreadField(field) {
				return apierr.InvalidParameter("spread field '%s' is invalid", field)
			}
		case types.PlacementStrategyTypeRandom:
			if field != "" {
				return apierr.InvalidParameter("random field should not be specified")
			}
		default:
			return oneOf("placementStrategy type", string(s.Type), s.Type.Values())
		}
	}
	return nil
}

// spreadField reports whether tasks can be spread by field: the instance itself, or an attribute ("attribute:rack", "ecs.availability-zone").
func spreadField(field string) bool {
	if strings.EqualFold(field, "instanceId") || strings.EqualFold(field, "host") {
		return true
	}
	name, named := strings.CutPrefix(field, "attribute:")
	return name != "" && len(name) <= 128 && (named || strings.HasPrefix(name, "ecs."))
}

// validateConstraints checks the placement constraints of RunTask and of services. An error is an InvalidParameterException.
func validateConstraints(constraints []types.PlacementConstraint) error {
	if len(constraints) > mostConstraints {
		return apierr.InvalidParameter("Maximum number of constraints is %d", mostConstraints)
	}
	for _, c := range constraints {
		switch c.Type {
		case types.PlacementConstraintTypeDistinctInstance:
			if c.Expression != nil && *c.Expression != "" {
				return apierr.InvalidParameter("distinctInstance expression should not be specified")
			}
		case types.PlacementConstraintTypeMemberOf:
			return notActedOn("placementConstraints of type memberOf")
		default:
			return oneOf("placementConstraints type", string(c.Type), c.Type.Values())
		}
	}
	return nil
}

// oneOf is the error for a value that is not among those of its type; nil if it is.
func oneOf[E ~string](what, value string, known []E) error {
	if slices.Contains(known, E(value)) {
		return nil
	}
	names := make([]string, len(known))
	for i, k := range known {
		names[i] = string(k)
	}
	return apierr.InvalidParameter("%s should be one of [%s], but was '%s'", what, strings.Join(names, ","), value)
}
