package ssm

import (
	"context"
	"crypto/rand"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsssm "github.com/aws/aws-sdk-go-v2/service/ssm"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/constraint"
	"berth/internal/frontdoor"
	"berth/internal/iam"
	"berth/internal/policy"
	"berth/internal/seal"
	"berth/internal/secret"
	"berth/internal/state"
)

const (
	mostDescription   = 256
	mostRole          = 64
	mostRegistrations = 1000
	mostActivations   = 10_000 // of the installation
	usualExpiration   = 24 * time.Hour
	mostExpiration    = 30 * 24 * time.Hour
	codeLength        = 20
)

var instanceName = regexp.MustCompile(`^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$`)

// createActivation makes an activation. Its code is in this answer and nowhere else.
func (a *API) createActivation(ctx context.Context, r *frontdoor.Request, in *awsssm.CreateActivationInput) (*awsssm.CreateActivationOutput, error) {
	at := now()
	if err := validateActivation(in, at); err != nil {
		return nil, err
	}
	code := rand.Text()[:codeLength]
	made := &secret.Activation{
		Account: r.Scope.Account, Region: r.Scope.Region, ActivationID: seal.NewUUID(), CodeHash: seal.HashToken(code), Description: aws.ToString(in.Description),
		DefaultInstanceName: aws.ToString(in.DefaultInstanceName), IAMRole: *in.IamRole, RegistrationLimit: 1, CreatedDate: at,
		ExpirationDate: at.Add(usualExpiration), Tags: withTags(nil, in.Tags),
	}
	if in.RegistrationLimit != nil {
		made.RegistrationLimit = *in.RegistrationLimit
	}
	if in.ExpirationDate != nil {
		made.ExpirationDate = in.ExpirationDate.UTC().Truncate(time.Millisecond)
	}
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		if err := validateRole(tx.Tables, r.Scope, *in.IamRole); err != nil {
			return err
		}
		if tx.Activations.Len() >= mostActivations {
			return apierr.New("InvalidParameters", "There can be at most %d activations. Delete those that have expired.", mostActivations)
		}
		tx.Put(made)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &awsssm.CreateActivationOutput{ActivationId: &made.ActivationID, ActivationCode: &code}, nil
}

func validateActivation(in *awsssm.CreateActivationInput, at time.Time) error {
	var c constraint.Check
	c.Needed("iamRole", in.IamRole, 1, mostRole)
	c.Text("description", in.Description, 0, mostDescription)
	c.Text("defaultInstanceName", in.DefaultInstanceName, 0, mostDescription)
	c.Pattern("defaultInstanceName", in.DefaultInstanceName, instanceName)
	constraint.Number(&c, "registrationLimit", in.RegistrationLimit, 1, mostRegistrations)
	if err := c.Err(); err != nil {
		return err
	}
	switch {
	case in.ExpirationDate != nil && !in.ExpirationDate.After(at):
		return invalid("ExpirationDate must be in the future.")
	case in.ExpirationDate != nil && in.ExpirationDate.After(at.Add(mostExpiration)):
		return invalid("ExpirationDate can be at most 30 days in the future.")
	case len(in.RegistrationMetadata) > 0:
		return notActedOn("RegistrationMetadata")
	}
	return validateTags(in.Tags)
}

// principal is the service whose role machines that register take.
const principal = "ssm.amazonaws.com"

// validateRole wants a role that is there and trusts Systems Manager. A role may be named with the path before its name.
func validateRole(t *state.Tables, s arn.Scope, named string) error {
	name := named[strings.LastIndexByte(named, '/')+1:]
	if role := t.Roles.Get(iam.Key(s.Account, name)); role != nil && trusts(role.Trust) {
		return nil
	}
	return invalid("Nonexistent role or missing ssm service principal in trust policy: %s", iam.ARN(s.Account, "role", "/", named))
}

// trusts says whether a trust policy lets Systems Manager take the role.
func trusts(trust string) bool {
	d, err := policy.Parse(trust, policy.Trust)
	return err == nil && slices.ContainsFunc(d.Statements, func(s policy.Statement) bool {
		return s.Effect == policy.Allow && s.Principals != nil && slices.Contains(s.Principals.Service, principal)
	})
}
