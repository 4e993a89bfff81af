package iam

import (
	"berth/internal/state"
)

// checkBoundary checks that a permissions boundary, where there is one, is a managed policy.
func (a *API) checkBoundary(t *state.Tables, account, policy string) error {
	if policy == "" {
		return nil
	}
	if err := policyARN(policy); err != nil {
		return err
	}
	if a.lookup(t, account, policy) == nil {
		return noSuch("Scope ARN: %s does not exist or is not attachable.", policy)
	}
	return nil
}
