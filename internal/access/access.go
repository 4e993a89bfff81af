// Package access knows who holds an access key and what they may do: the administrator, and one credential for each container instance,
// which may make the agent's own calls for its own instance and nothing else.
package access

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/policy"
	"berth/internal/seal"
	"berth/internal/state"
)

// Kinds of principals, as credentials have them.
const (
	Administrator     = "administrator"
	ContainerInstance = "container-instance"
)

// Keys are the credentials of an installation.
type Keys struct {
	State *state.Store
	Seal  seal.Key

	opened sync.Map     // of *opened by access key id
	stored atomic.Int64 // in opened, since those that are gone were looked for
}

// opened is a key that was unsealed before, good for as long as its record is the stored one.
type opened struct {
	record    *ecs.Credential
	secret    string
	principal policy.Principal
}

// Find returns the secret of an access key and who holds it; false if there is no such key.
func (k *Keys) Find(id string) (secret string, p policy.Principal, ok bool) {
	c := k.State.View().Credentials.Get(id)
	if c == nil {
		k.opened.Delete(id)
		return "", policy.Principal{}, false
	}
	if o, ok := k.opened.Load(id); ok && o.(*opened).record == c {
		return o.(*opened).secret, o.(*opened).principal, true
	}
	secret, err := k.Seal.Open(c.SealedSecret, id)
	if err != nil {
		return "", policy.Principal{}, false
	}
	p = principal(c)
	k.opened.Store(id, &opened{c, secret, p})
	k.forget()
	return secret, p, true
}

// forget drops the unsealed keys whose records are gone, each time that as many were stored as there are records.
func (k *Keys) forget() {
	v := k.State.View()
	if k.stored.Add(1) <= int64(v.Credentials.Len()) {
		return
	}
	k.stored.Store(0)
	k.opened.Range(func(id, _ any) bool {
		if v.Credentials.Get(id.(string)) == nil {
			k.opened.Delete(id)
		}
		return true
	})
}

func principal(c *ecs.Credential) policy.Principal {
	if c.Principal == Administrator {
		return Admin(c.Account)
	}
	return policy.Principal{
		ARN:     "arn:aws:sts::" + c.Account + ":assumed-role/ecsInstanceRole/" + c.AccessKeyID,
		Account: c.Account, UserID: "AROA" + c.AccessKeyID[4:] + ":" + c.AccessKeyID,
		Role: "arn:aws:iam::" + c.Account + ":role/ecsInstanceRole", Kind: policy.RoleSession, Grants: grants("container-instance", instancePolicy(c)),
	}
}

// grants are the identity-based policy of a principal that has only one.
func grants(name string, d policy.Document) *policy.Grants {
	return &policy.Grants{Identity: policy.Compile(policy.Source{Name: name, Document: &d})}
}

// Admin is the administrator of an account: everything is allowed.
func Admin(account string) policy.Principal {
	return policy.Principal{
		ARN: "arn:aws:iam::" + account + ":user/berth-administrator", Account: account, UserID: "AIDABERTHADMINISTRATOR",
		Grants: grants("administrator", policy.Document{Statements: []policy.Statement{{Effect: policy.Allow, Actions: []string{"*"}, Resources: []string{"*"}}}}),
	}
}

// instancePolicy allows the agent's own calls, for its own instance once it has registered.
func instancePolicy(c *ecs.Credential) policy.Document {
	d := policy.Document{Statements: []policy.Statement{
		{Effect: policy.Allow, Actions: []string{"ecs:RegisterContainerInstance"}, Resources: []string{string(c.Cluster)}},
	}}
	if c.Instance == "" {
		return d
	}
	d.Statements = append(d.Statements, policy.Statement{
		Effect: policy.Allow,
		Actions: []string{
			"ecs:DiscoverPollEndpoint", "ecs:Poll", "ecs:StartTelemetrySession", "ecs:SubmitTaskStateChange", "ecs:SubmitContainerStateChange",
			"ecs:SubmitAttachmentStateChanges", "ecs:UpdateContainerInstancesState", "ecs:ListTagsForResource",
			"ecs:GetTaskProtection", "ecs:UpdateTaskProtection", // for the containers of its tasks, as long as they have no credentials of their own
		},
		Resources: []string{string(c.Instance)},
	})
	return d
}

// EnsureAdministrator makes the administrator's key where the installation has none, and returns it.
func (k *Keys) EnsureAdministrator(ctx context.Context, account string) (id, secret string, err error) {
	newID, newSecret := seal.NewAccessKey()
	err = k.State.Update(ctx, func(tx *state.Tx) error {
		for c := range tx.Credentials.All() {
			if c.Principal == Administrator {
				id = c.AccessKeyID
				return nil
			}
		}
		id = newID
		tx.Put(&ecs.Credential{
			AccessKeyID: newID, SealedSecret: k.Seal.Seal(newSecret, newID), Account: account, Principal: Administrator, CreatedAt: now(),
		})
		return nil
	})
	if err != nil {
		return "", "", fmt.Errorf("make the administrator's key: %w", err)
	}
	secret, _, ok := k.Find(id)
	if !ok {
		return "", "", fmt.Errorf("open the administrator's key: %w", seal.ErrSealed)
	}
	return id, secret, nil
}

// TokenLife is how long a join token may be used.
const TokenLife = time.Hour

// NewJoinToken makes a token that lets one machine join a cluster, once.
func (k *Keys) NewJoinToken(ctx context.Context, cluster arn.Cluster) (token string, expires time.Time, err error) {
	token, hash := seal.NewToken()
	expires = now().Add(TokenLife)
	err = k.State.Update(ctx, func(tx *state.Tx) error {
		tx.Put(&ecs.JoinToken{Hash: hash, Cluster: cluster, ExpiresAt: expires})
		return nil
	})
	return token, expires, err
}

// ErrToken says that a join token is not known, was used, or has expired.
var ErrToken = errors.New("the join token is not valid: it may have been used already, or have expired; make a new one with `berth token`")

// Join trades a token for a container instance's credential.
func (k *Keys) Join(ctx context.Context, token string) (c *ecs.Credential, secret string, err error) {
	id, secret := seal.NewAccessKey()
	sealed := k.Seal.Seal(secret, id)
	err = k.State.Update(ctx, func(tx *state.Tx) error {
		t := tx.JoinTokens.Get(seal.HashToken(token))
		if t == nil || now().After(t.ExpiresAt) {
			return ErrToken
		}
		tx.Delete(t)
		c = &ecs.Credential{
			AccessKeyID: id, SealedSecret: sealed, Account: arn.ScopeOf(t.Cluster).Account, Principal: ContainerInstance,
			Cluster: t.Cluster, CreatedAt: now(),
		}
		tx.Put(c)
		return nil
	})
	if err != nil {
		return nil, "", err
	}
	return c, secret, nil
}

func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }
