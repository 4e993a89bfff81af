package ecs

import "berth/internal/apierr"

// notActedOn refuses a member of a request that AWS acts on and Berth does not yet: storing it in silence would promise what nobody does.
// member is its name on the wire, as in "networkConfiguration" or "placementConstraints.type memberOf".
func notActedOn(member string) error {
	return apierr.InvalidParameter("Berth does not act on %s yet; leave it out. docs/coverage.md lists what it acts on.", member)
}
