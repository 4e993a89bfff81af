package iam

import (
	"context"
	"fmt"
	"strings"

	"berth/internal/frontdoor"
	"berth/internal/iam"
	"berth/internal/seal"
	"berth/internal/state"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
)

func (a *API) createPolicy(ctx context.Context, r *frontdoor.Request, in *awsiam.CreatePolicyInput) (*awsiam.CreatePolicyOutput, error) {
	p, err := newPolicy(r.Scope.Account, in)
	if err != nil {
		return nil, err
	}
	err = a.store.Update(ctx, func(tx *state.Tx) error {
		n := 0
		for other := range policies(tx.Tables, r.Scope.Account) {
			if n++; strings.EqualFold(other.Name, p.Name) {
				return exists("A policy called %s already exists. Duplicate names are not allowed.", p.Name)
			}
		}
		if n >= mostPolicies {
			return quota("PoliciesPerAccount", mostPolicies)
		}
		tx.Put(p)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("create policy %s: %w", p.Name, err)
	}
	shape := policyShape(p, uses{})
	shape.Tags = tags(p.Tags)
	return &awsiam.CreatePolicyOutput{Policy: &shape}, nil
}

func newPolicy(account string, in *awsiam.CreatePolicyInput) (*iam.Policy, error) {
	if err := managedDocument(*in.PolicyDocument); err != nil {
		return nil, err
	}
	all, err := merged(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	at, path := now(), "/"
	if in.Path != nil {
		path = *in.Path
	}
	return &iam.Policy{
		Arn: iam.ARN(account, "policy", path, *in.PolicyName), Name: *in.PolicyName, ID: seal.NewID(policyPrefix), Path: path, Description: text(in.Description),
		CreateDate: at, UpdateDate: at, Default: "v1", Last: 1, Tags: all,
		Versions: []iam.Version{{ID: "v1", Document: *in.PolicyDocument, CreateDate: at}},
	}, nil
}

// managedDocument checks the document of a managed policy.
func managedDocument(document string) error {
	if err := identityPolicy(document); err != nil {
		return err
	}
	if size(document) > mostManaged {
		return quota("PolicySize", mostManaged)
	}
	return nil
}
