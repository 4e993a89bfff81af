package ssm

import (
	"regexp"
	"strings"

	"berth/internal/apierr"
	"berth/internal/arn"
)

const (
	mostName   = 2048
	mostInARN  = 1011 // characters of a new parameter's name, so that its ARN is not too long
	mostLevels = 15
)

var (
	nameForm = regexp.MustCompile(`^[a-zA-Z0-9_.-]+$`)
	pathForm = regexp.MustCompile(`^(/[a-zA-Z0-9_.-]+)+$`)
)

// AWS's two texts for names that break the rules.
const (
	badName = `Parameter name: can't be prefixed with "ssm" (case-insensitive). If formed as a path, it can consist of sub-paths divided by slash symbol; ` +
		`each sub-path can be formed as a mix of letters, numbers and the following 3 symbols .-_`
	badPath = `The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward slash "/". ` +
		`It can't be prefixed with "aws" or "ssm" (case-insensitive). It must use only letters, numbers, or the following symbols: . (period), - (hyphen), ` +
		`_ (underscore). Special characters are not allowed. All sub-paths, if specified, must use the forward slash symbol "/". ` +
		`Valid example: /get/parameters2-/by1./path0_.`
)

// validateName checks the name of a new parameter.
func validateName(name string) error {
	if arn.Is(name) {
		return invalid("Name: a parameter is put by its name, not by its ARN.")
	}
	bare, path := strings.ToLower(strings.TrimPrefix(name, "/")), strings.Contains(name, "/")
	switch {
	case path && strings.HasPrefix(name, "/") && strings.HasPrefix(bare, "aws"):
		return apierr.New("AccessDeniedException", "No access to reserved parameter name: %s.", name)
	case !path && (strings.HasPrefix(bare, "aws") || strings.HasPrefix(bare, "ssm")):
		return invalid(`Parameter name: can't be prefixed with "aws" or "ssm" (case-insensitive).`)
	case strings.HasPrefix(bare, "ssm"):
		return invalid("%s", badName)
	case path && !strings.HasPrefix(name, "/"):
		return invalid("Parameter name must be a fully qualified name.")
	case !path && !nameForm.MatchString(name), path && !pathForm.MatchString(name):
		return invalid("%s", badName)
	case strings.Count(name, "/") > mostLevels:
		return apierr.New("HierarchyLevelLimitExceededException", "The hierarchy of the parameter Name has more than %d levels.", mostLevels)
	case len(name) > mostInARN:
		return invalid("Parameter name: can be at most %d characters long.", mostInARN)
	}
	return nil
}

// validatePath checks the path of GetParametersByPath and of filters: "/" is the root.
func validatePath(path string) error {
	bare := strings.ToLower(strings.TrimPrefix(path, "/"))
	trimmed := strings.TrimSuffix(path, "/")
	switch {
	case path == "/":
		return nil
	case !pathForm.MatchString(trimmed), strings.HasPrefix(bare, "ssm"):
		return invalid("%s", badPath)
	case strings.Count(trimmed, "/") > mostLevels:
		return invalid("%s", badPath)
	}
	return nil
}

// below says whether a parameter is below a path: on the next level, or on any.
func below(name, path string, recursive bool) bool {
	rest := strings.TrimPrefix(name, "/")
	if path != "/" {
		var in bool
		if rest, in = strings.CutPrefix(name, strings.TrimSuffix(path, "/")+"/"); !in {
			return false
		}
	}
	return recursive || !strings.Contains(rest, "/")
}
