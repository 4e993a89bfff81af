package iam

import "crypto/rand"

// The prefixes of ids, which say what they are of.
const (
	userPrefix    = "AIDA"
	groupPrefix   = "AGPA"
	rolePrefix    = "AROA"
	profilePrefix = "AIPA"
	policyPrefix  = "ANPA"
)

// newID is a new id: the prefix and 17 letters and digits.
func newID(prefix string) string { return prefix + rand.Text()[:17] }
