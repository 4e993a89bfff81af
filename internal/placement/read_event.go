package placement

import "strings"

// ReadServiceEvent takes apart what ServiceEvent wrote: the reason, and the id of the closest container instance ("" where the cluster has
// none). Of the two resources of ports it cannot tell which was meant, and says RESOURCE:PORTS.
func ReadServiceEvent(text string) (instance string, reason Reason, ok bool) {
	const unable = "was unable to place a task because "
	if !strings.HasPrefix(text, unable) {
		return "", None, false
	}
	_, rest, found := strings.Cut(text, "(container-instance ")
	instance, rest, closed := strings.Cut(rest, ") ")
	if !found || !closed {
		return "", None, true
	}
	for r := Inactive; r <= PortsUDP; r++ {
		if strings.HasPrefix(rest, r.closest()+".") {
			return instance, r, true
		}
	}
	return instance, None, true
}
