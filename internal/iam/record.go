// Package iam holds the records of Identity and Access Management: users, groups, roles, instance profiles, policies and keys, and the rules about
// one record. Field names are those of IAM's API in lower camel case. Pure.
package iam

import (
	"strings"

	"berth/internal/awswire"
	"berth/internal/record"
)

// The kinds of records.
const (
	KindUser            record.Kind = "iam-user"
	KindGroup           record.Kind = "iam-group"
	KindRole            record.Kind = "iam-role"
	KindInstanceProfile record.Kind = "iam-instance-profile"
	KindPolicy          record.Kind = "iam-policy"
	KindAccessKey       record.Kind = "iam-access-key"
	KindOIDCProvider    record.Kind = "iam-oidc-provider"
	KindRoleDeletion    record.Kind = "iam-role-deletion"
)

// Prefix is what the names of these kinds begin with.
const Prefix = "iam-"

// Unknown keeps the members of a stored record that this version does not know.
type Unknown = awswire.Unknown

// Key is the key of a user, group, role or instance profile: names are unique in an account without regard to case and path.
// Those of one account are together.
func Key(account, name string) string { return account + "/" + strings.ToLower(name) }

// Tag is a tag of a resource.
type Tag = record.Tag

// ARN is arn:aws:iam::ACCOUNT:KIND/PATH/NAME; path begins and ends with a slash.
func ARN(account, kind, path, name string) string {
	return "arn:aws:iam::" + account + ":" + kind + path + name
}
