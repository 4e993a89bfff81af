package ecs

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/cql"
	"berth/internal/ecs"
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
				return apierr.InvalidParameter("distinctInstance expression should not be specified.")
			}
		case types.PlacementConstraintTypeMemberOf:
			if err := validateExpression("memberOf expression", c.Expression); err != nil {
				return err
			}
		default:
			return oneOf("placementConstraints type", string(c.Type), c.Type.Values())
		}
	}
	return nil
}

// constraintsInAll checks that a request's constraints and its task definition's are not more than a task can have. An error is an
// InvalidParameterException.
func constraintsInAll(constraints []types.PlacementConstraint, d *ecs.TaskDefinition) error {
	if len(constraints)+len(d.Definition.PlacementConstraints) > mostConstraints {
		return apierr.InvalidParameter("Maximum number of constraints is %d", mostConstraints)
	}
	return nil
}

// validateExpression checks an expression of the cluster query language. what begins the error's text. An error is an
// InvalidParameterException.
func validateExpression(what string, expression *string) error {
	if blank(expression) {
		return apierr.InvalidParameter("%s should be specified", what)
	}
	if _, err := cql.Parse(*expression); err != nil {
		return apierr.InvalidParameter("%s '%s' is invalid: %s", what, shortened(*expression), err)
	}
	return nil
}

// shortened is an expression as errors show it.
func shortened(s string) string {
	const most = 200
	for n := range s {
		if n > most {
			return s[:n] + "..."
		}
	}
	return s
}

// zoneConstrained reports whether constraints choose instances by their availability zone.
func zoneConstrained(constraints []types.PlacementConstraint) bool {
	return slices.ContainsFunc(constraints, func(c types.PlacementConstraint) bool {
		e, err := cql.Parse(text(c.Expression))
		return err == nil && e.UsesAttribute(ecs.AttributeZone)
	})
}

// storedStrategies are strategies as ECS keeps them: host is another word for instanceId.
func storedStrategies(strategies []types.PlacementStrategy) []types.PlacementStrategy {
	var out []types.PlacementStrategy
	for _, s := range strategies {
		if s.Type == types.PlacementStrategyTypeSpread && strings.EqualFold(text(s.Field), "host") {
			s.Field = new("instanceId")
		}
		out = append(out, s)
	}
	return out
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
