// Package policy is IAM's policy language: it reads documents, compiles them, and decides whether a principal may do an action on a resource,
// by identity-based policies, permissions boundaries, session policies, resource-based policies and trust policies. Pure.
//
// A text becomes a Document (Parse), documents become a Set (Compile), and sets decide (Decide, Simulate). Sources: the IAM User Guide's
// pages on the policy grammar, the evaluation logic, condition operators, and variables.
package policy

// Document is a policy as it was written.
type Document struct {
	Version    string // Version2012, Version2008 or "", which is the older one: no variables
	ID         string
	Statements []Statement
}

// The versions of the language.
const (
	Version2008 = "2008-10-17"
	Version2012 = "2012-10-17"
)

// Statement allows or denies actions on resources. Of each pair with Not, one is set at most; an action or resource that no list holds is
// none, and a statement without actions applies to nothing.
type Statement struct {
	Sid           string
	Effect        Effect
	Principals    *Principals // of resource-based and trust policies; nil for none
	NotPrincipals *Principals
	Actions       []string // "ecs:RunTask", "ecs:*": * stands for any run of characters, ? for exactly one; case does not count
	NotActions    []string
	Resources     []string // ARNs, whose parts may have wildcards and variables, or "*". In a trust policy both are empty: its role
	NotResources  []string
	Conditions    []Condition // all must hold
}

// Effect is Allow or Deny.
type Effect string

// The two effects.
const (
	Allow Effect = "Allow"
	Deny  Effect = "Deny"
)

// Principals are whom a statement of a resource-based or trust policy is about.
type Principals struct {
	All           bool     // "*"
	AWS           []string // account ids, ARNs of accounts, users, roles and sessions, unique ids (AIDA..., AROA...), "*"
	Service       []string // "ecs-tasks.amazonaws.com"
	Federated     []string // ARNs of identity providers, or names of providers that AWS knows
	CanonicalUser []string // ids of Amazon S3, which nobody has here
}

// Condition compares a condition key of the request with values, of which one must do.
type Condition struct {
	Operator string // "StringEquals", "ForAllValues:StringLikeIfExists"
	Key      string // "aws:RequestTag/team"; case does not count
	Values   []string
}
