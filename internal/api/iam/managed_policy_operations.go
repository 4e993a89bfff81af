package iam

import (
	"context"
	"fmt"
	"slices"

	"berth/internal/frontdoor"
	"berth/internal/iam"
	"berth/internal/state"
)

// IAM's limits on managed policies.
const (
	mostPolicies = 1500 // of an account
	mostVersions = 5    // of a policy
)

// managedPolicyOperations are the operations on managed policies themselves.
func (a *API) managedPolicyOperations() []frontdoor.Operation {
	return []frontdoor.Operation{
		operation("CreatePolicy", onPolicy, a.createPolicy, "PolicyName", "PolicyDocument"),
		operation("GetPolicy", onPolicy, a.getPolicy, "PolicyArn"),
		operation("ListPolicies", anything, a.listPolicies),
		operation("DeletePolicy", onPolicy, a.deletePolicy, "PolicyArn"),
		operation("CreatePolicyVersion", onPolicy, a.createPolicyVersion, "PolicyArn", "PolicyDocument"),
		operation("GetPolicyVersion", onPolicy, a.getPolicyVersion, "PolicyArn", "VersionId"),
		operation("ListPolicyVersions", onPolicy, a.listPolicyVersions, "PolicyArn"),
		operation("SetDefaultPolicyVersion", onPolicy, a.setDefaultPolicyVersion, "PolicyArn", "VersionId"),
		operation("DeletePolicyVersion", onPolicy, a.deletePolicyVersion, "PolicyArn", "VersionId"),
		operation("ListEntitiesForPolicy", onPolicy, a.listEntitiesForPolicy, "PolicyArn"),
	}
}

// changePolicy stores what change makes of a copy of a policy that is the account's own. Its versions are a copy as well.
func (a *API) changePolicy(ctx context.Context, account, policy string, change func(tx *state.Tx, p *iam.Policy) error) error {
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		old, err := a.findOwnPolicy(tx.Tables, account, policy)
		if err != nil {
			return err
		}
		c := *old
		c.Versions = slices.Clone(old.Versions)
		if err := change(tx, &c); err != nil {
			return err
		}
		tx.Put(&c)
		return nil
	})
	if err != nil {
		return fmt.Errorf("change policy %s: %w", policy, err)
	}
	return nil
}

// findVersion finds a version of a policy by its id, and where it stands.
func findVersion(p *iam.Policy, id string) (int, error) {
	i := slices.IndexFunc(p.Versions, func(v iam.Version) bool { return v.ID == id })
	if i < 0 {
		return 0, noSuch("Policy %s version %s does not exist or is not attachable.", p.Arn, id)
	}
	return i, nil
}
