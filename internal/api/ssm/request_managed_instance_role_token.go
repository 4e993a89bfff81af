package ssm

import (
	"context"
	"crypto/subtle"
	"time"

	"berth/internal/apierr"
	"berth/internal/constraint"
	"berth/internal/frontdoor"
)

// RequestManagedInstanceRoleTokenInput is what a managed instance sends, signed with its key pair.
type RequestManagedInstanceRoleTokenInput struct{ Fingerprint *string }

// RequestManagedInstanceRoleTokenOutput are credentials of the managed instance's role.
type RequestManagedInstanceRoleTokenOutput struct {
	AccessKeyId, SecretAccessKey, SessionToken *string
	TokenExpirationDate                        *time.Time
	UpdateKeyPair                              *bool // the machine is to make another key pair: never
}

// requestManagedInstanceRoleToken makes credentials for who has signed as a managed instance.
func (a *API) requestManagedInstanceRoleToken(_ context.Context, r *frontdoor.Request, in *RequestManagedInstanceRoleTokenInput) (*RequestManagedInstanceRoleTokenOutput, error) {
	var c constraint.Check
	c.Needed("fingerprint", in.Fingerprint, 1, mostPrint)
	if err := c.Err(); err != nil {
		return nil, err
	}
	t := a.store.View().Tables
	m := t.ManagedInstances.Get(r.Caller.Managed)
	if m == nil || r.AccessKeyID != m.InstanceID {
		return nil, apierr.New("AccessDeniedException", "Systems Manager's instance management role is not configured for account: %s", r.Scope.Account)
	}
	if subtle.ConstantTimeCompare([]byte(*in.Fingerprint), []byte(m.Fingerprint)) != 1 {
		return nil, apierr.New("MachineFingerprintDoesNotMatch", "Fingerprint does not match")
	}
	key, err := a.access.ManagedSession(t, m)
	if err != nil {
		return nil, apierr.New("AccessDeniedException", "Systems Manager cannot assume the role %s: it is gone, or its trust policy does not name %s.", m.IAMRole, principal).Because(err)
	}
	return &RequestManagedInstanceRoleTokenOutput{
		AccessKeyId: &key.AccessKeyID, SecretAccessKey: &key.SecretAccessKey, SessionToken: &key.SessionToken, TokenExpirationDate: &key.Expires, UpdateKeyPair: new(false),
	}, nil
}
