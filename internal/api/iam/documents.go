package iam

import (
	"encoding/json"
	"net/url"
	"strings"
	"unicode"
)

// The most characters that documents have, white space not counted, as IAM counts.
const (
	mostManaged     = 6144
	mostTrust       = 2048
	mostUserInline  = 2048
	mostGroupInline = 5120
	mostRoleInline  = 10240
)

// identityPolicy checks a policy for a user, a group or a role.
func identityPolicy(document string) error { return parse(document) }

// trustPolicy checks a role's trust policy.
func trustPolicy(document string) error {
	if !json.Valid([]byte(document)) {
		return malformed("This policy contains invalid Json")
	}
	if err := parse(document); err != nil {
		return err
	}
	if size(document) > mostTrust {
		return quota("ACLSizePerRole", mostTrust)
	}
	return nil
}

// size is how many characters a document has that count.
func size(document string) int {
	n := 0
	for _, r := range document {
		if !unicode.IsSpace(r) {
			n++
		}
	}
	return n
}

// encoded is a document as IAM answers it: percent-encoded as RFC 3986 says.
func encoded(document string) *string {
	return new(strings.ReplaceAll(url.QueryEscape(document), "+", "%20"))
}
