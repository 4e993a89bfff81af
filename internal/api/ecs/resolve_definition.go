package ecs

import (
	"strconv"
	"strings"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// definitionName is a task definition as a request names it. Revision is 0 where only the family is given.
type definitionName struct {
	scope    arn.Scope
	family   string
	revision int
}

// parseDefinition reads a family, a family:revision or an ARN of either.
func parseDefinition(r *frontdoor.Request, name string) (definitionName, error) {
	d := definitionName{scope: r.Scope}
	short := name
	if arn.Is(name) {
		rest, err := identify(r.Scope, "task-definition", name)
		if err != nil {
			return d, err
		}
		d.scope, short = arn.ScopeOf(name), rest
	}
	family, revision, numbered := strings.Cut(short, ":")
	if err := validateName("Family", family); err != nil {
		return d, err
	}
	d.family = family
	if !numbered {
		return d, nil
	}
	n, err := strconv.ParseInt(revision, 10, 32)
	if err != nil || n < 1 {
		return d, apierr.ClientException("Invalid revision number. Number: %s", revision)
	}
	d.revision = int(n)
	return d, nil
}

// resolveDefinition finds the task definition that a request names: a family (its newest ACTIVE revision), family:revision or an ARN.
// A revision is found whatever its status; whether an INACTIVE one will do is for the caller to say.
func resolveDefinition(t *state.Tables, r *frontdoor.Request, name string) (*ecs.TaskDefinition, error) {
	n, err := parseDefinition(r, name)
	if err != nil {
		return nil, err
	}
	d := n.find(t)
	if d == nil {
		return nil, apierr.ClientException("TaskDefinition not found.")
	}
	return d, nil
}

// find looks the definition up, nil if there is none.
func (n definitionName) find(t *state.Tables) *ecs.TaskDefinition {
	if n.revision == 0 {
		return t.Definitions.Latest(n.scope, n.family)
	}
	return t.Definitions.Get(n.scope.TaskDefinition(n.family, n.revision))
}
