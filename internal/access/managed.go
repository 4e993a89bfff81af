package access

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/iam"
	"berth/internal/policy"
	"berth/internal/secret"
	"berth/internal/state"
)

// managedPrefix begins the ids of managed instances, by which they sign with their key pairs.
const managedPrefix = "mi-"

// managedService is who assumes the roles of managed instances.
const managedService = "ssm.amazonaws.com"

// ManagedLife is how long the credentials of a managed instance's role are good.
const ManagedLife = time.Hour

// findManaged returns the managed instance that signs with its key pair. It may ask for the credentials of its role and do nothing else.
func findManaged(t *state.Tables, id string) (Holder, bool) {
	for m := range t.ManagedInstances.All() {
		if m.InstanceID != id {
			continue
		}
		key, err := ParsePublicKey(m.PublicKey)
		if err != nil {
			return Holder{}, false
		}
		name := "arn:aws:ssm:" + m.Region + ":" + m.Account + ":managed-instance/" + id
		return Holder{Public: key, Principal: policy.Principal{
			ARN: name, Account: m.Account, UserID: id, Managed: m.Key(),
			Grants: &policy.Grants{Identity: policy.Compile(policy.Source{Name: "the managed instance's own call", Document: &policy.Document{
				Version: policy.Version2012, Statements: []policy.Statement{{Effect: policy.Allow, Actions: []string{"ssm:RequestManagedInstanceRoleToken"}, Resources: []string{name}}},
			}})},
		}}, true
	}
	return Holder{}, false
}

// ErrPublicKey says that a text is no RSA key of at least 2,048 bits, in DER (PKIX) and base64.
var ErrPublicKey = errors.New("no public RSA key of 2048 bits or more")

// The lengths that a managed instance's key may have, in bits.
const fewestBits, mostBits = 2048, 4096

// ParsePublicKey reads the public key of a managed instance.
func ParsePublicKey(text string) (*rsa.PublicKey, error) {
	der, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPublicKey, err)
	}
	parsed, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPublicKey, err)
	}
	key, ok := parsed.(*rsa.PublicKey)
	if !ok || key.N.BitLen() < fewestBits || key.N.BitLen() > mostBits {
		return nil, ErrPublicKey
	}
	return key, nil
}

// managedRole is the role of a managed instance: ErrAssume where it is gone, or does not trust Systems Manager.
func (k *Keys) managedRole(t *state.Tables, m *secret.ManagedInstance) (*iam.Role, error) {
	r := t.Roles.Get(iam.Key(m.Account, m.IAMRole[strings.LastIndexByte(m.IAMRole, '/')+1:]))
	if r == nil || !k.trusts(t, r, managedService, "ssm", arn.Scope{Region: m.Region, Account: m.Account}) {
		return nil, &ErrAssume{m.IAMRole}
	}
	return r, nil
}

// ManagedSession makes credentials of a managed instance's role, in its name. Of an agent's calls they may make those for the machine's own container instance only.
// They end with the registration. Its error is an ErrAssume where the role cannot be assumed.
func (k *Keys) ManagedSession(t *state.Tables, m *secret.ManagedInstance) (Temporary, error) {
	r, err := k.managedRole(t, m)
	if err != nil {
		return Temporary{}, err
	}
	at := now()
	return k.Issue(Session{Account: r.Account, Role: r.Key(), ID: r.ID, Name: m.InstanceID, Issued: at, Expires: at.Add(ManagedLife), Managed: m.Key()})
}

// managedBound bounds a session of a managed instance's role to its container instance; there is false where the machine is gone or has another role now.
func (k *Keys) managedBound(t *state.Tables, s Session) (bound *policy.Set, there bool) {
	m := t.ManagedInstances.Get(s.Managed)
	if m == nil {
		return nil, false
	}
	if r, err := k.managedRole(t, m); err != nil || r.Key() != s.Role {
		return nil, false
	}
	return own(asCredential(m), true), true
}

// AnyCluster is the cluster of a credential that is bound to none.
const AnyCluster arn.Cluster = "*"

// asCredential is what an agent may do as a managed instance: register in any cluster that its role allows, and then work for what it has registered as.
func asCredential(m *secret.ManagedInstance) *ecs.Credential {
	return &ecs.Credential{AccessKeyID: m.InstanceID, Account: m.Account, Principal: ContainerInstance, Cluster: AnyCluster, Instance: m.ContainerInstance}
}

// Machine is the credential of the machine that calls: a container instance's key, or what stands for one where a managed instance's role has signed (then its
// AccessKeyID is "mi-..." and its Cluster AnyCluster). It is nil for all other callers.
func Machine(t *state.Tables, accessKeyID string, caller *policy.Principal) *ecs.Credential {
	if caller.Managed != "" {
		if m := t.ManagedInstances.Get(caller.Managed); m != nil {
			return asCredential(m)
		}
		return nil
	}
	if c := t.Credentials.Get(accessKeyID); c != nil && c.Principal == ContainerInstance {
		return c
	}
	return nil
}

// Bind takes down which container instance a machine has registered as: its calls for others stay closed.
func Bind(tx *state.Tx, machine *ecs.Credential, caller *policy.Principal, as arn.Instance) {
	if machine == nil || machine.Instance == as {
		return
	}
	if m := tx.ManagedInstances.Get(caller.Managed); m != nil {
		bound := *m
		bound.ContainerInstance = as
		tx.Put(&bound)
		return
	}
	bound := *machine
	bound.Instance, bound.UnboundSince = as, nil
	tx.Put(&bound)
}
