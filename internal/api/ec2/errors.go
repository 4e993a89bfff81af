package ec2

import (
	"strings"

	"berth/internal/apierr"
)

// notFound is EC2's error for an id that is well formed and names nothing: kind is as in its code ("VpcID", "SubnetID", "Group"), what as in its text ("vpc ID").
func notFound(kind, what, id string) error {
	return apierr.New("Invalid"+kind+".NotFound", "The %s '%s' does not exist", what, id)
}

// missing is EC2's error for a parameter that a request must have.
func missing(name string) error {
	return apierr.New("MissingParameter", "The request must contain the parameter %s", name)
}

// invalid is EC2's error for a parameter with a value that it cannot have.
func invalid(format string, args ...any) error {
	return apierr.New("InvalidParameterValue", format, args...)
}

// combination is EC2's error for parameters that do not go together.
func combination(format string, args ...any) error {
	return apierr.New("InvalidParameterCombination", format, args...)
}

// inUse is EC2's error for what cannot be deleted because something else needs it.
func inUse(format string, args ...any) error {
	return apierr.New("DependencyViolation", format, args...)
}

// wellFormed checks that a request's id has the form of its kind: prefix and 8 or 17 hexadecimal digits. Otherwise it is EC2's Invalid<kind>.Malformed.
func wellFormed(prefix, kind, id string) error {
	digits, is := strings.CutPrefix(id, prefix)
	if !is || len(digits) != 8 && len(digits) != 17 || strings.Trim(digits, "0123456789abcdef") != "" {
		return apierr.New("Invalid"+kind+".Malformed", "Invalid id: \"%.64s\" (expecting \"%s...\")", id, prefix)
	}
	return nil
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func yes(b *bool) bool { return b != nil && *b }
