package iam

// The prefixes of ids, which say what they are of.
const (
	userPrefix    = "AIDA"
	groupPrefix   = "AGPA"
	rolePrefix    = "AROA"
	profilePrefix = "AIPA"
	policyPrefix  = "ANPA"
)
