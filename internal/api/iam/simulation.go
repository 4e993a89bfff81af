package iam

import (
	"fmt"
	"iter"
	"regexp"
	"strings"

	"berth/internal/arn"
	"berth/internal/policy"

	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// simulation is what a request asks of policies: each action on each resource.
type simulation struct {
	actions, resourceARNs                           []string
	resourceOwner, resourcePolicy, handling, caller *string
	entries                                         []types.ContextEntry

	principal     policy.Principal
	own, boundary input
	ofResource    input
}

// asked is one question of a simulation.
type asked struct {
	n                int
	action, resource string
}

func (q asked) key() string { return fmt.Sprintf("%08d", q.n) }

// questions are all of them, in the order of the request.
func (s *simulation) questions() iter.Seq[asked] {
	resources := s.resourceARNs
	if len(resources) == 0 {
		resources = []string{"*"}
	}
	return func(yield func(asked) bool) {
		n := 0
		for _, action := range s.actions {
			for _, resource := range resources {
				if !yield(asked{n, action, resource}) {
					return
				}
				n++
			}
		}
	}
}

// page answers the questions of one page; the others are not even asked.
func (s *simulation) page(maxItems *int32, marker *string) ([]types.EvaluationResult, *string, error) {
	p, err := newPager(maxItems, marker)
	if err != nil {
		return nil, nil, err
	}
	ask, err := s.ready()
	if err != nil {
		return nil, nil, err
	}
	list, next := page(p, s.questions(), asked.key)
	return mapped(list, ask), next, nil
}

var actionForm = regexp.MustCompile(`^[a-zA-Z0-9-]+:[a-zA-Z0-9]+$`)

// check finds what is wrong with a request.
func (s *simulation) check() error {
	if s.handling != nil {
		return notActedOn("ResourceHandlingOption")
	}
	for _, action := range s.actions {
		if !actionForm.MatchString(action) {
			return invalid("Invalid Action: %s. An action has the form service:Action and no wildcards.", action)
		}
	}
	for _, resource := range s.resourceARNs {
		if _, err := arn.Parse(resource); err != nil && resource != "*" {
			return invalid("Invalid Resource: %s must be in ARN format or \"*\".", resource)
		}
	}
	if s.caller != nil {
		if p, err := arn.Parse(*s.caller); err != nil || p.Service != "iam" || !strings.HasPrefix(p.Resource, "user/") {
			return invalid("CallerArn must be the ARN of an IAM user: %s", *s.caller)
		}
	}
	if s.resourcePolicy != nil && s.caller == nil && !strings.Contains(s.principal.ARN, ":user/") {
		return invalid("CallerArn is required with a ResourcePolicy.")
	}
	return nil
}

// ready compiles the policies, and returns what answers a question.
func (s *simulation) ready() (func(asked) types.EvaluationResult, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	keys, err := keysOf(s.entries)
	if err != nil {
		return nil, err
	}
	r := policy.Request{Context: keys, Owner: ownerOf(s.resourceOwner)}
	if s.resourcePolicy != nil {
		d, err := policy.Parse(*s.resourcePolicy, policy.Resource)
		if err != nil {
			return nil, invalid("ResourcePolicy is not valid: %s", err)
		}
		s.ofResource.add("ResourcePolicy", "ResourcePolicy", *s.resourcePolicy, d)
		r.ResourcePolicy = policy.Compile(s.ofResource.sources...)
	}
	caller := s.principal
	if s.caller != nil {
		p, _ := arn.Parse(*s.caller)
		caller.ARN, caller.Account, caller.Kind, caller.Role = *s.caller, p.Account, policy.User, ""
	}
	caller.Grants = &policy.Grants{Identity: policy.Compile(s.own.sources...)}
	if s.boundary.sources != nil {
		caller.Grants.Boundary = policy.Compile(s.boundary.sources...)
	}
	r.Principal = &caller
	return func(q asked) types.EvaluationResult {
		r := r
		r.Action, r.Resource = q.action, q.resource
		return s.result(r)
	}, nil
}

// ownerOf is the account of a ResourceOwner: an account's ARN or its id.
func ownerOf(owner *string) string {
	if p, err := arn.Parse(text(owner)); err == nil {
		return p.Account
	}
	return text(owner)
}

func (s *simulation) result(r policy.Request) types.EvaluationResult {
	v := policy.Simulate(r)
	out := types.EvaluationResult{
		EvalActionName: &r.Action, EvalResourceName: &r.Resource, EvalDecision: decision(v.Decision), MatchedStatements: []types.Statement{},
		MissingContextValues: append([]string{}, v.Missing...),
	}
	for _, m := range v.Matched {
		if v.Decision == policy.ExplicitDeny == (m.Effect == policy.Deny) && m.Use != policy.Boundary {
			out.MatchedStatements = append(out.MatchedStatements, s.statement(m))
		}
	}
	if b := r.Principal.Grants.Boundary; b != nil {
		bounds := *r.Principal
		bounds.Grants = &policy.Grants{Identity: b}
		r.Principal, r.ResourcePolicy, r.Owner = &bounds, nil, bounds.Account
		out.PermissionsBoundaryDecisionDetail = &types.PermissionsBoundaryDecisionDetail{
			AllowedByPermissionsBoundary: policy.Decide(r).Decision == policy.Allowed,
		}
	}
	return out
}

func decision(d policy.Decision) types.PolicyEvaluationDecisionType {
	switch d {
	case policy.Allowed:
		return types.PolicyEvaluationDecisionTypeAllowed
	case policy.ExplicitDeny:
		return types.PolicyEvaluationDecisionTypeExplicitDeny
	case policy.ImplicitDeny:
	}
	return types.PolicyEvaluationDecisionTypeImplicitDeny
}

// statement shows a statement that applied: its policy, and where in the policy's text it stands.
func (s *simulation) statement(m policy.Match) types.Statement {
	from, kind := s.own.origins[m.Policy], "IAM Policy"
	if m.Use == policy.Resource {
		from, kind = s.ofResource.origins[m.Policy], "Resource Policy"
	}
	start, end := place(from.text, m.Statement)
	return types.Statement{SourcePolicyId: &from.name, SourcePolicyType: types.PolicySourceType(kind), StartPosition: start, EndPosition: end}
}
