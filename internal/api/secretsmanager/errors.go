package secretsmanager

import "berth/internal/apierr"

// AWS's words for what goes wrong with a secret.

func notFound() error {
	return apierr.New("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
}

func noStage(label string) error {
	return apierr.New("ResourceNotFoundException", "Secrets Manager can't find the specified secret value for staging label: %s", label)
}

func noVersion(id string) error {
	return apierr.New("ResourceNotFoundException", "Secrets Manager can't find the specified secret value for VersionId: %s", id)
}

func markedForDeletion() error {
	return invalidRequest("You can't perform this operation on the secret because it was marked for deletion.")
}

func invalidRequest(format string, args ...any) error {
	return apierr.New("InvalidRequestException", format, args...)
}

func invalidParameter(format string, args ...any) error {
	return apierr.New("InvalidParameterException", format, args...)
}

func limitExceeded(format string, args ...any) error {
	return apierr.New("LimitExceededException", format, args...)
}

func invalidToken() error {
	return apierr.New("InvalidNextTokenException", "The NextToken value is invalid.")
}

// notActedOn refuses a member that AWS acts on and Berth does not.
func notActedOn(member string) error {
	return invalidParameter("Berth does not act on %s yet; leave it out. docs/coverage.md lists what it acts on.", member)
}
