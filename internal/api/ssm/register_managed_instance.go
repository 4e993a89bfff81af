package ssm

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"

	"berth/internal/access"
	"berth/internal/constraint"
	"berth/internal/frontdoor"
)

// RegisterManagedInstanceInput is what a machine sends that has an activation and no key: the SDK lacks this operation, which agents of Systems Manager call.
type RegisterManagedInstanceInput struct {
	ActivationCode, ActivationId *string
	Fingerprint                  *string // what the machine calls its hardware
	PublicKey                    *string // of its key pair: RSA, in DER (PKIX) and base64
	PublicKeyType                *string // Rsa
}

// RegisterManagedInstanceOutput is who the machine is from now on. Region and AccountId are Berth's: nobody has signed, so that a machine knows neither.
type RegisterManagedInstanceOutput struct{ InstanceId, Region, AccountId *string }

const (
	fewestKey  = 392 // characters
	mostKey    = 1024
	mostPrint  = 1024
	mostCode   = 250
	mostID     = 36
	rsaKeyType = "Rsa"
)

func (a *API) registerManagedInstance(ctx context.Context, _ *frontdoor.Request, in *RegisterManagedInstanceInput) (*RegisterManagedInstanceOutput, error) {
	var c constraint.Check
	c.Needed("activationCode", in.ActivationCode, codeLength, mostCode)
	c.Needed("activationId", in.ActivationId, mostID, mostID)
	c.Needed("fingerprint", in.Fingerprint, 1, mostPrint)
	c.Needed("publicKey", in.PublicKey, fewestKey, mostKey)
	if err := c.Err(); err != nil {
		return nil, err
	}
	if t := aws.ToString(in.PublicKeyType); t != "" && t != rsaKeyType {
		return nil, invalid("PublicKeyType %s is not supported: it can be %s.", t, rsaKeyType)
	}
	if _, err := access.ParsePublicKey(*in.PublicKey); err != nil {
		return nil, invalid("PublicKey is no RSA key of 2048 to 4096 bits in DER and base64.")
	}
	m, err := a.Redeem(ctx, *in.ActivationId, *in.ActivationCode, Machine{PublicKey: *in.PublicKey, Fingerprint: *in.Fingerprint})
	if err != nil {
		return nil, err
	}
	return &RegisterManagedInstanceOutput{InstanceId: &m.InstanceID, Region: &m.Region, AccountId: &m.Account}, nil
}
