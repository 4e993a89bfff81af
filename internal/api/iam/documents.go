package iam

import (
	"errors"
	"net/url"
	"strings"
	"unicode"

	"berth/internal/policy"
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
func identityPolicy(document string) error {
	_, err := parse(document, policy.Identity)
	return err
}

// trustPolicy reads a role's trust policy.
func trustPolicy(document string) (*policy.Document, error) {
	d, err := parse(document, policy.Trust)
	if err == nil && size(document) > mostTrust {
		return nil, quota("ACLSizePerRole", mostTrust)
	}
	return d, err
}

// parse reads a policy. What is wrong with it, it says in AWS's words.
func parse(document string, use policy.Use) (*policy.Document, error) {
	d, err := policy.Parse(document, use)
	if wrong := new(policy.MalformedError); errors.As(err, &wrong) {
		return nil, malformed("%s", wrong.Message)
	}
	return d, err
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
