package access

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"berth/internal/ecs"
	"berth/internal/seal"
	"berth/internal/state"
)

// memberPrefix keeps the tokens of replicas apart from those of container instances, so that neither is taken for the other.
const memberPrefix = "member-"

// NewMemberToken makes a token that lets one replica join the control plane, once. It names the installation's certificate authority, so that
// its bearer knows whom to trust.
func (k *Keys) NewMemberToken(ctx context.Context, fingerprint string) (token string, expires time.Time, err error) {
	secret, _ := seal.NewToken()
	token = "bmt-" + strings.TrimPrefix(secret, "bjt-") + "-" + fingerprint
	expires = now().Add(TokenLife)
	err = k.State.Update(ctx, func(tx *state.Tx) error {
		tx.Put(&ecs.JoinToken{Hash: memberPrefix + seal.HashToken(token), ExpiresAt: expires})
		return nil
	})
	return token, expires, err
}

// ErrMemberToken says that a replica's token is not known, was used, or has expired.
var ErrMemberToken = errors.New("the token is not valid: it may have been used already, or have expired; make a new one with `berth server members token`")

// MemberTokenAuthority is the fingerprint that a token names. It fails for what is no token of a replica.
func MemberTokenAuthority(token string) (fingerprint string, err error) {
	parts := strings.Split(strings.TrimSpace(token), "-")
	if len(parts) != 3 || parts[0] != "bmt" || len(parts[2]) != 64 {
		return "", fmt.Errorf("%q is no token of a replica: `berth server members token` makes one", token)
	}
	return parts[2], nil
}

// SpendMemberToken takes a token. The returned function gives it back, for when what it was spent on did not happen.
func (k *Keys) SpendMemberToken(ctx context.Context, token string) (giveBack func(context.Context) error, err error) {
	var spent ecs.JoinToken
	err = k.State.Update(ctx, func(tx *state.Tx) error {
		t := tx.JoinTokens.Get(memberPrefix + seal.HashToken(token))
		if t == nil || now().After(t.ExpiresAt) {
			return ErrMemberToken
		}
		spent = *t
		tx.Delete(t)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		return k.State.Update(ctx, func(tx *state.Tx) error {
			again := spent
			tx.Put(&again)
			return nil
		})
	}, nil
}
