package ecs

import (
	"slices"

	"berth/internal/apierr"
)

// mostName is the length of the longest name of a cluster, service or family.
const mostName = 255

// validateName checks the name of a cluster, service or family: 1 to 255 letters, digits, hyphens and underscores. what begins the error's
// text, as in "Cluster must match ...". An error is an InvalidParameterException.
func validateName(what, name string) error {
	if name == "" || len(name) > mostName || !nameText(name) {
		return apierr.InvalidParameter(`%s must match ^[a-zA-Z0-9\-_]{1,255}$, but was %s`, what, name)
	}
	return nil
}

// noBlank checks that none of a request's names is empty. what is one of what they name: "Service". An error is an InvalidParameterException.
func noBlank(what string, names []string) error {
	if slices.Contains(names, "") {
		return apierr.InvalidParameter("%s can not be blank.", what)
	}
	return nil
}

func nameText(s string) bool {
	for _, c := range []byte(s) {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !letter && c != '-' && c != '_' {
			return false
		}
	}
	return true
}
