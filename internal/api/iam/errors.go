package iam

import (
	"net/http"

	"berth/internal/apierr"
)

// withStatus is an error of the caller's with another status than 400.
func withStatus(status int, code, format string, args ...any) error {
	e := apierr.New(code, format, args...)
	e.Status = status
	return e
}

// noSuch is IAM's error for a name that names nothing.
func noSuch(format string, args ...any) error {
	return withStatus(http.StatusNotFound, "NoSuchEntity", format, args...)
}

// exists is IAM's error for a name that is taken.
func exists(format string, args ...any) error {
	return withStatus(http.StatusConflict, "EntityAlreadyExists", format, args...)
}

// conflict is IAM's error for what cannot be deleted because something else needs it.
func conflict(format string, args ...any) error {
	return withStatus(http.StatusConflict, "DeleteConflict", format, args...)
}

// quota is IAM's error for what would be more than an account may have; name is the quota's: "PoliciesPerRole".
func quota(name string, most int) error {
	return withStatus(http.StatusConflict, "LimitExceeded", "Cannot exceed quota for %s: %d", name, most)
}

// tooLong is IAM's error for inline policies that together are too long.
func tooLong(most int, kind, name string) error {
	return withStatus(http.StatusConflict, "LimitExceeded", "Maximum policy size of %d bytes exceeded for %s %s", most, kind, name)
}

// invalid is IAM's error for a value that has the form of its member and is wrong all the same.
func invalid(format string, args ...any) error { return apierr.New("InvalidInput", format, args...) }

// malformed is IAM's error for a policy that is none.
func malformed(format string, args ...any) error {
	return apierr.New("MalformedPolicyDocument", format, args...)
}

// unmodifiable is IAM's error for a change of a role that belongs to a service.
func unmodifiable(role string) error {
	return apierr.New("UnmodifiableEntity", "Cannot perform the operation on the protected role '%s' - this role is only modifiable by AWS", role)
}
