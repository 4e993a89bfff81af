package iam

import (
	"strings"

	"berth/internal/iam"
	"berth/internal/state"
)

// mostTrusting is how many roles may trust a user or role that goes or is renamed: each of them is written, and one Update writes a hundred records.
const mostTrusting = 90

// retrust makes the trust policies that name a user or role by its ARN name it otherwise: by its id when it is deleted, so that another one of its name is
// not trusted in its place, and by its new ARN when it is renamed. It is what IAM does, which keeps the id all along.
func retrust(tx *state.Tx, old, new string) error {
	if old == new {
		return nil
	}
	var trusting []*iam.Role
	for r := range tx.Roles.All() {
		if strings.Contains(r.Trust, `"`+old+`"`) {
			trusting = append(trusting, r)
		}
	}
	if len(trusting) > mostTrusting {
		return withStatus(409, "LimitExceeded", "%d roles trust %s; at most %d may when it is deleted or renamed.", len(trusting), old, mostTrusting)
	}
	for _, r := range trusting {
		c := *r
		c.Trust = strings.ReplaceAll(r.Trust, `"`+old+`"`, `"`+new+`"`)
		tx.Put(&c)
	}
	return nil
}
