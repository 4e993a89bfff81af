package ecs

import "berth/internal/apierr"

// clientException gives the error of a check that several operations share the code that RegisterTaskDefinition answers with.
func clientException(err error) error {
	if err == nil {
		return nil
	}
	return apierr.ClientException("%s", apierr.As(err).Message)
}
