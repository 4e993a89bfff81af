package iam

import "encoding/json"

// parse checks a policy document.
func parse(document string) error {
	if !json.Valid([]byte(document)) {
		return malformed("Syntax errors in policy.")
	}
	return nil
}
