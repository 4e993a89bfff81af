// Package access knows who holds an access key and what they may do: the administrator, and one credential for each container instance,
// which may make the agent's own calls for its own instance and nothing else.
package access

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/iam"
	"berth/internal/policy"
	"berth/internal/record"
	"berth/internal/seal"
	"berth/internal/state"
)

// Kinds of principals, as credentials have them.
const (
	Administrator     = "administrator"
	ContainerInstance = "container-instance"
)

// Keys are the credentials of an installation: access keys, which are records, and sessions, which are in their tokens.
type Keys struct {
	State *state.Store
	Seal  seal.Key

	opened   sync.Map     // of *opened by access key id
	stored   atomic.Int64 // in opened, since those that are gone were looked for
	sessions sessions
	pages    pages
}

// Holder is who holds an access key.
type Holder struct {
	Secret       string
	Public       *rsa.PublicKey // of a managed instance, which signs with its key pair; nil for all others
	SessionToken string         // of temporary credentials
	Issued       time.Time      // when those were made
	Expires      time.Time      // when those are good no longer; zero for an access key
	Principal    policy.Principal
}

// opened is a key that was unsealed before, good for as long as its record is the stored one.
type opened struct {
	record ecs.Record // *ecs.Credential or *iam.AccessKey
	secret string
}

// Find returns who holds an access key, or the temporary one of a session token; false if nobody does.
func (k *Keys) Find(id, sessionToken string) (Holder, bool) {
	if sessionToken != "" {
		return k.findSession(id, sessionToken)
	}
	t := k.State.View().Tables
	if strings.HasPrefix(id, managedPrefix) {
		return findManaged(t, id)
	}
	if c := t.Credentials.Get(id); c != nil {
		secret, ok := k.unseal(id, c, c.SealedSecret)
		return Holder{Secret: secret, Principal: k.principal(t, c)}, ok
	}
	if a := t.AccessKeys.Get(id); a != nil && !a.Inactive {
		u := t.Users.Get(iam.Key(a.Account, a.UserName))
		if secret, ok := k.unseal(id, a, a.SealedSecret); ok && u != nil {
			return Holder{Secret: secret, Principal: k.userPrincipal(t, u)}, true
		}
		return Holder{}, false
	}
	k.opened.Delete(id)
	return Holder{}, false
}

// unseal opens the secret of an access key, or finds it opened.
func (k *Keys) unseal(id string, r ecs.Record, sealed []byte) (secret string, ok bool) {
	if o, ok := k.opened.Load(id); ok && o.(*opened).record == r {
		return o.(*opened).secret, true
	}
	secret, err := k.Seal.Open(sealed, id)
	if err != nil {
		return "", false
	}
	k.opened.Store(id, &opened{r, secret})
	k.forget()
	return secret, true
}

// forget drops the unsealed keys whose records are gone, each time that as many were stored as there are records.
func (k *Keys) forget() {
	v := k.State.View()
	if k.stored.Add(1) <= int64(v.Credentials.Len()+v.AccessKeys.Len()) {
		return
	}
	k.stored.Store(0)
	k.opened.Range(func(id, _ any) bool {
		if v.Credentials.Get(id.(string)) == nil && v.AccessKeys.Get(id.(string)) == nil {
			k.opened.Delete(id)
		}
		return true
	})
}

// userPrincipal is a user.
func (k *Keys) userPrincipal(t *state.Tables, u *iam.User) policy.Principal {
	return policy.Principal{ARN: u.ARN(), Account: u.Account, UserID: u.ID, Tags: record.TagMap(u.Tags), Grants: k.userGrants(t, u)}
}

// principal is the administrator, or a container instance.
func (k *Keys) principal(t *state.Tables, c *ecs.Credential) policy.Principal {
	if c.Principal == Administrator {
		return Admin(c.Account)
	}
	return k.instancePrincipal(t, c)
}

// The administrator is a user like any other in the answers of IAM. Its key, which is made with the installation, may do everything whatever its policies say:
// nobody can lock himself out.
const (
	administratorName = "berth-administrator"
	administratorID   = "AIDABERTHADMINISTRATOR"
)

// Admin is the administrator of an account: everything is allowed.
func Admin(account string) policy.Principal {
	return policy.Principal{ARN: iam.ARN(account, "user", "/", administratorName), Account: account, UserID: administratorID, Grants: everything()}
}

// everything is the grant of an administrator.
var everything = sync.OnceValue(func() *policy.Grants {
	return &policy.Grants{Identity: policy.Compile(policy.Source{Name: "AdministratorAccess", Document: &policy.Document{Statements: []policy.Statement{
		{Effect: policy.Allow, Actions: []string{"*"}, Resources: []string{"*"}},
	}}})}
})

// EnsureAdministrator makes the administrator's key where the installation has none, and returns it.
func (k *Keys) EnsureAdministrator(ctx context.Context, account string) (id, secret string, err error) {
	newID, newSecret := seal.NewAccessKey()
	err = k.State.Update(ctx, func(tx *state.Tx) error {
		if tx.Users.Get(iam.Key(account, administratorName)) == nil {
			tx.Put(&iam.User{Entity: iam.Entity{Account: account, Name: administratorName, ID: administratorID, Path: "/", CreateDate: now().Truncate(time.Second),
				Attached: []string{"arn:aws:iam::aws:policy/AdministratorAccess"}}})
		}
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
	h, ok := k.Find(id, "")
	if !ok {
		return "", "", fmt.Errorf("open the administrator's key: %w", seal.ErrSealed)
	}
	return id, h.Secret, nil
}

// EnsureInstanceRole makes the role of container instances, with its instance profile, where an account has none of that name: ECS's console does so too. What
// is there stays as it is.
func (k *Keys) EnsureInstanceRole(ctx context.Context, account string) error {
	return k.State.Update(ctx, func(tx *state.Tx) error {
		key := iam.Key(account, InstanceRole)
		if tx.InstanceProfiles.Get(key) != nil || tx.Roles.Get(key) != nil {
			return nil
		}
		tx.Put(&iam.Role{
			Entity: iam.Entity{Account: account, Name: InstanceRole, ID: seal.NewID("AROA"), Path: "/", CreateDate: now().Truncate(time.Second),
				Attached: []string{"arn:aws:iam::aws:policy/service-role/AmazonEC2ContainerServiceforEC2Role"}},
			Trust:      `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`,
			MaxSession: 3600, Description: "Allows EC2 instances in an ECS cluster to access ECS.",
		})
		tx.Put(&iam.InstanceProfile{Account: account, Name: InstanceRole, ID: seal.NewID("AIPA"), Path: "/", Role: InstanceRole, CreateDate: now().Truncate(time.Second)})
		return nil
	})
}

// TokenLife is how long a join token may be used.
const TokenLife = time.Hour

// NewJoinToken makes a token that lets one machine join a cluster, once, with the role of an instance profile; without one it may make an agent's own calls
// and no others.
func (k *Keys) NewJoinToken(ctx context.Context, cluster arn.Cluster, profile string) (token string, expires time.Time, err error) {
	token, hash := seal.NewToken()
	expires = now().Add(TokenLife)
	err = k.State.Update(ctx, func(tx *state.Tx) error {
		tx.Put(&ecs.JoinToken{Hash: hash, Cluster: cluster, InstanceProfile: profile, ExpiresAt: expires})
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
			Cluster: t.Cluster, InstanceProfile: t.InstanceProfile, CreatedAt: now(),
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
