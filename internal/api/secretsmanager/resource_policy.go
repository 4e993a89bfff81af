package secretsmanager

import (
	"slices"

	"berth/internal/apierr"
	"berth/internal/policy"
)

// validatePolicy checks a resource policy. One that lets everybody in, without a condition, is refused where that is to be blocked.
func validatePolicy(text string, blockPublic bool) error {
	d, err := policy.Parse(text, policy.Resource)
	if err != nil {
		return apierr.New("MalformedPolicyDocumentException", "This resource policy contains a syntax error: ResourcePolicy: %s", err)
	}
	if blockPublic && public(d) {
		return apierr.New("PublicPolicyException", "The BlockPublicPolicy parameter is set to true, and the resource policy did not prevent broad access to the secret.")
	}
	return nil
}

// public says whether a policy lets everybody in: it allows something to all, or to all but some, and asks nothing else of them.
func public(d *policy.Document) bool {
	return slices.ContainsFunc(d.Statements, func(s policy.Statement) bool {
		everybody := s.NotPrincipals != nil || s.Principals != nil && (s.Principals.All || slices.Contains(s.Principals.AWS, "*"))
		return s.Effect == policy.Allow && everybody && len(s.Conditions) == 0
	})
}
