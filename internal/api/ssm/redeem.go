package ssm

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"slices"

	"berth/internal/apierr"
	"berth/internal/seal"
	"berth/internal/secret"
	"berth/internal/state"
)

// Machine is what a machine says of itself when it registers.
type Machine struct {
	ComputerName    string
	IPAddress       string
	PlatformName    string // "Debian GNU/Linux"
	PlatformVersion string // "12"
	AgentVersion    string
	PublicKey       string // RSA, in DER (PKIX) and base64: what it asks for its role's credentials with
	Fingerprint     string // what it calls its hardware
}

// Redeem registers a machine with an activation and returns it: its account and region are the activation's, its id is new, and its role is
// what its credentials are for. Nobody is asked who calls: the code is what lets in. An id or a code that is wrong, and an activation with which enough
// machines have registered, are InvalidActivation errors, and one that has expired is ActivationExpired. They change nothing.
func (a *API) Redeem(ctx context.Context, id, code string, m Machine) (*secret.ManagedInstance, error) {
	var made *secret.ManagedInstance
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		one, err := redeemable(tx.Tables, id, code)
		if err != nil {
			return err
		}
		made = &secret.ManagedInstance{
			Account: one.Account, Region: one.Region, InstanceID: newInstanceID(tx.Tables, one), ActivationID: one.ActivationID, IAMRole: one.IAMRole,
			Name: one.DefaultInstanceName, ComputerName: m.ComputerName, IPAddress: m.IPAddress, PlatformName: m.PlatformName,
			PlatformVersion: m.PlatformVersion, AgentVersion: m.AgentVersion, PublicKey: m.PublicKey, Fingerprint: m.Fingerprint, RegistrationDate: now(), Tags: slices.Clone(one.Tags),
		}
		tx.Put(made)
		used := *one
		used.RegistrationsCount++
		tx.Put(&used)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return made, nil
}

// redeemable is the activation with that id and code, with which one more machine can register.
func redeemable(t *state.Tables, id, code string) (*secret.Activation, error) {
	for one := range t.Activations.All() {
		if one.ActivationID != id || subtle.ConstantTimeCompare([]byte(seal.HashToken(code)), []byte(one.CodeHash)) == 0 {
			continue
		}
		switch {
		case one.Expired(now()):
			return nil, apierr.New("ActivationExpired", "The activation has expired.")
		case one.RegistrationsCount >= one.RegistrationLimit:
			return nil, invalidActivation("The registration limit of the activation is reached.")
		}
		return one, nil
	}
	return nil, invalidActivation("The activation is not valid. The activation might have been deleted, or the ActivationId and the ActivationCode do not match.")
}

func invalidActivation(message string) error { return apierr.New("InvalidActivation", "%s", message) }

// newInstanceID is one that no machine of the account and region has.
func newInstanceID(t *state.Tables, of *secret.Activation) string {
	for {
		var b [9]byte
		rand.Read(b[:]) //nolint:errcheck // it never fails
		id := "mi-" + hex.EncodeToString(b[:])[:17]
		if t.ManagedInstances.Get(secret.RegionKey(of.Account, of.Region, id)) == nil {
			return id
		}
	}
}
