package sts

import (
	"errors"
	"net/http"
	"regexp"

	"berth/internal/apierr"
	"berth/internal/constraint"
)

// sessionName is what the names of sessions are made of.
var sessionName = regexp.MustCompile(`^[\w+=,.@-]*$`)

// invalid gives what is wrong with a request the code that it has in query services.
func invalid(c *constraint.Check) error {
	err := c.Err()
	if e := new(apierr.Error); errors.As(err, &e) {
		return validation("%s", e.Message)
	}
	return err
}

func validation(format string, args ...any) *apierr.Error {
	return apierr.New("ValidationError", format, args...)
}

// denied is STS's word for it, which does not say why.
func denied(caller, action, resource string) *apierr.Error {
	e := apierr.New("AccessDenied", "User: %s is not authorized to perform: %s on resource: %s", caller, action, resource)
	e.Status = http.StatusForbidden
	return e
}
