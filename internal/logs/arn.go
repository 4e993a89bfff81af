package logs

import (
	"strings"

	"berth/internal/arn"
)

// GroupsIn is what the ARNs of all groups of a scope begin with; the name follows.
func GroupsIn(s arn.Scope) string {
	partition := s.Partition
	if partition == "" {
		partition = "aws"
	}
	return "arn:" + partition + ":logs:" + s.Region + ":" + s.Account + ":log-group:"
}

// GroupARN is the ARN of the group with that name, as it is stored: without the ":*" that some answers have behind it.
func GroupARN(s arn.Scope, name string) string { return GroupsIn(s) + name }

// StreamARN is the ARN of one of a group's streams.
func StreamARN(group, stream string) string { return group + ":log-stream:" + stream }

// SplitARN takes the ARN of a group or of one of its streams apart; stream is "" for a group. Ends that stand for all streams (":*", ":log-stream:")
// are left out.
func SplitARN(text string) (s arn.Scope, group, stream string, ok bool) {
	p, err := arn.Parse(text)
	if err != nil || p.Service != "logs" {
		return s, "", "", false
	}
	rest, ok := strings.CutPrefix(p.Resource, "log-group:")
	if !ok {
		return s, "", "", false
	}
	group, rest, _ = strings.Cut(rest, ":")
	if rest == "*" {
		rest = ""
	}
	return p.Scope, group, strings.TrimPrefix(rest, "log-stream:"), true
}
