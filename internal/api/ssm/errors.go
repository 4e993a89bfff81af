package ssm

import "berth/internal/apierr"

// AWS's words for what goes wrong with a parameter.

func notFound(name string) error {
	return apierr.New("ParameterNotFound", "Parameter %s not found.", name)
}

func noVersion(selector, name string) error {
	return apierr.New("ParameterVersionNotFound", "Systems Manager could not find version %s of %s. Verify the version and try again.", selector, name)
}

func noLabel(label, name string) error {
	return apierr.New("ParameterVersionNotFound", "Systems Manager could not find the label %s of %s. Verify the label and try again.", label, name)
}

func invalid(format string, args ...any) error {
	return apierr.New("ValidationException", format, args...)
}

func invalidToken() error {
	return apierr.New("InvalidNextToken", "The specified token is not valid: NextToken.")
}

// notActedOn refuses a member that AWS acts on and Berth does not.
func notActedOn(member string) error {
	return invalid("Berth does not act on %s yet; leave it out. docs/coverage.md lists what it acts on.", member)
}

// firstOf is the first error that is one.
func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
