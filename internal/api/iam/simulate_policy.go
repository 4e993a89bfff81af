package iam

import (
	"context"
	"errors"
	"strings"

	"berth/internal/frontdoor"
	"berth/internal/policy"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

func (a *API) simulateCustomPolicy(
	_ context.Context, r *frontdoor.Request, in *awsiam.SimulateCustomPolicyInput,
) (*awsiam.SimulateCustomPolicyOutput, error) {
	if in.OrderedOrganizationPolicyInputList != nil {
		return nil, notActedOn("OrderedOrganizationPolicyInputList")
	}
	s := &simulation{
		resourceARNs: in.ResourceArns, actions: in.ActionNames, resourceOwner: in.ResourceOwner, resourcePolicy: in.ResourcePolicy, handling: in.ResourceHandlingOption,
		entries: in.ContextEntries, caller: in.CallerArn, principal: policy.Principal{Account: r.Scope.Account},
	}
	if err := s.own.given("PolicyInputList", in.PolicyInputList); err != nil {
		return nil, err
	}
	if err := s.bounded(in.PermissionsBoundaryPolicyInputList); err != nil {
		return nil, err
	}
	list, marker, err := s.page(in.MaxItems, in.Marker)
	return &awsiam.SimulateCustomPolicyOutput{EvaluationResults: list, Marker: marker, IsTruncated: marker != nil}, err
}

func (a *API) simulatePrincipalPolicy(
	_ context.Context, r *frontdoor.Request, in *awsiam.SimulatePrincipalPolicyInput,
) (*awsiam.SimulatePrincipalPolicyOutput, error) {
	t := a.store.View().Tables
	source, err := a.findSource(t, r.Scope.Account, *in.PolicySourceArn)
	if err != nil {
		return nil, err
	}
	s := &simulation{
		resourceARNs: in.ResourceArns, actions: in.ActionNames, resourceOwner: in.ResourceOwner, resourcePolicy: in.ResourcePolicy, handling: in.ResourceHandlingOption,
		entries: in.ContextEntries, caller: in.CallerArn, principal: source.principal, own: source.input,
	}
	if err := s.own.given("PolicyInputList", in.PolicyInputList); err != nil {
		return nil, err
	}
	if in.PermissionsBoundaryPolicyInputList == nil && source.boundary != "" {
		p := a.lookup(t, r.Scope.Account, source.boundary)
		if p == nil {
			return nil, errors.New("the permissions boundary " + source.boundary + " is gone")
		}
		if err := s.boundary.stored(p.Arn, p.Name, p.Document()); err != nil {
			return nil, err
		}
	}
	if err := s.bounded(in.PermissionsBoundaryPolicyInputList); err != nil {
		return nil, err
	}
	list, marker, err := s.page(in.MaxItems, in.Marker)
	return &awsiam.SimulatePrincipalPolicyOutput{EvaluationResults: list, Marker: marker, IsTruncated: marker != nil}, err
}

// bounded takes the permissions boundary that a request gives: one at most.
func (s *simulation) bounded(texts []string) error {
	if len(texts) > 1 {
		return invalid("PermissionsBoundaryPolicyInputList can have only one policy.")
	}
	return s.boundary.given("PermissionsBoundaryPolicyInputList", texts)
}

// notActedOn refuses a member by name.
func notActedOn(member string) error {
	return invalid("Berth does not act on %s; leave it out. docs/coverage.md lists what it acts on.", member)
}

func getContextKeysForCustomPolicy(
	_ context.Context, _ *frontdoor.Request, in *awsiam.GetContextKeysForCustomPolicyInput,
) (*awsiam.GetContextKeysForCustomPolicyOutput, error) {
	var i input
	if err := i.given("PolicyInputList", in.PolicyInputList); err != nil {
		return nil, err
	}
	return &awsiam.GetContextKeysForCustomPolicyOutput{ContextKeyNames: contextKeys(i)}, nil
}

func (a *API) getContextKeysForPrincipalPolicy(
	_ context.Context, r *frontdoor.Request, in *awsiam.GetContextKeysForPrincipalPolicyInput,
) (*awsiam.GetContextKeysForPrincipalPolicyOutput, error) {
	s, err := a.findSource(a.store.View().Tables, r.Scope.Account, *in.PolicySourceArn)
	if err != nil {
		return nil, err
	}
	if err := s.input.given("PolicyInputList", in.PolicyInputList); err != nil {
		return nil, err
	}
	return &awsiam.GetContextKeysForPrincipalPolicyOutput{ContextKeyNames: contextKeys(s.input)}, nil
}

func contextKeys(i input) []string {
	return append([]string{}, policy.ContextKeys(policy.Compile(i.sources...))...)
}

// keysOf are the context entries of a request.
func keysOf(entries []types.ContextEntry) (policy.Keys, error) {
	var keys policy.Keys
	for _, e := range entries {
		name := text(e.ContextKeyName)
		if name == "" || len(e.ContextKeyValues) == 0 || e.ContextKeyType == "" {
			return nil, invalid("A context entry has ContextKeyName, ContextKeyType and ContextKeyValues: %s", name)
		}
		keys = append(keys, policy.Key{Name: strings.ToLower(name), Values: e.ContextKeyValues})
	}
	return keys, nil
}
