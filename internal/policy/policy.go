// Package policy decides whether a principal may do an action on a resource, as IAM's identity-based policies do.
package policy

// Principal is who makes a request.
type Principal struct {
	ARN      string // arn:aws:iam::123456789012:user/berth-admin
	Account  string
	UserID   string // as GetCallerIdentity shows it
	Policies []Document
}

// Document is a policy: statements, of which an explicit Deny wins and at least one Allow is needed.
type Document struct {
	Statements []Statement
}

// Statement allows or denies actions on resources. * matches any run of characters and ? any one; actions are compared without case.
type Statement struct {
	Effect    Effect
	Actions   []string // "ecs:RunTask", "ecs:*"
	Resources []string // ARNs
}

// Effect is Allow or Deny.
type Effect string

// The two effects.
const (
	Allow Effect = "Allow"
	Deny  Effect = "Deny"
)
