package logs

import (
	"errors"
	"net/http"

	"berth/internal/apierr"
	"berth/internal/constraint"
	"berth/internal/logs"
)

// AWS's words for what goes wrong with logs.

func noGroup() error {
	return apierr.New("ResourceNotFoundException", "The specified log group does not exist.")
}

func noStream() error {
	return apierr.New("ResourceNotFoundException", "The specified log stream does not exist.")
}

func groupExists() error {
	return apierr.New("ResourceAlreadyExistsException", "The specified log group already exists")
}

func streamExists() error {
	return apierr.New("ResourceAlreadyExistsException", "The specified log stream already exists")
}

func invalid(format string, args ...any) error {
	return apierr.New("InvalidParameterException", format, args...)
}

func badToken() error { return invalid("The specified nextToken is invalid.") }

func limitExceeded() error { return apierr.New("LimitExceededException", "Resource limit exceeded.") }

// notActedOn refuses a member that AWS acts on and Berth does not.
func notActedOn(member string) error {
	return invalid("Berth does not act on %s yet; leave it out. docs/coverage.md lists what it acts on.", member)
}

// broken is what the model's constraints say of a request, with the code that CloudWatch Logs gives it.
func broken(c *constraint.Check) error {
	err := c.Err()
	if err == nil {
		return nil
	}
	return invalid("%s", apierr.As(err).Message)
}

// stored turns what a store of streams says into AWS's words.
func stored(err error) error {
	switch {
	case errors.Is(err, logs.ErrNoStream):
		return noStream()
	case errors.Is(err, logs.ErrStreamExists):
		return streamExists()
	case errors.Is(err, logs.ErrFull):
		e := apierr.New("ServiceUnavailableException", "The log store is full: it takes no events until there is room on its disk. Delete log groups, or shorten their retention.")
		e.Status = http.StatusServiceUnavailable
		return e.Because(err)
	}
	return err
}
