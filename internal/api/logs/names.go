package logs

import (
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"berth/internal/arn"
	"berth/internal/constraint"
	"berth/internal/frontdoor"
	"berth/internal/logs"
	"berth/internal/record"
	"berth/internal/state"
)

// The patterns of names, as the API's model has them.
var (
	groupPattern      = regexp.MustCompile(`^[\.\-_/#A-Za-z0-9]+$`)
	someGroupPattern  = regexp.MustCompile(`^[\.\-_/#A-Za-z0-9]*$`)
	streamPattern     = regexp.MustCompile(`^[^:*]*$`)
	identifierPattern = regexp.MustCompile(`^[\w#+=/:,.@-]*$`)
)

const (
	mostName       = 512
	mostIdentifier = 2048
	mostResource   = 1011 // of an ARN in tags' operations
)

// checkGroup wants a group's name.
func checkGroup(c *constraint.Check, name *string) {
	c.Needed("logGroupName", name, 1, mostName)
	c.Pattern("logGroupName", name, groupPattern)
}

// checkStream wants a stream's name.
func checkStream(c *constraint.Check, name *string) {
	c.Needed("logStreamName", name, 1, mostName)
	c.Pattern("logStreamName", name, streamPattern)
}

// checkNamed checks the two members that can name a group, of which a request has one.
func checkNamed(c *constraint.Check, name, identifier *string) {
	c.Text("logGroupName", name, 1, mostName)
	c.Pattern("logGroupName", name, groupPattern)
	c.Text("logGroupIdentifier", identifier, 1, mostIdentifier)
	c.Pattern("logGroupIdentifier", identifier, identifierPattern)
}

// group finds the group with that name.
func group(t *state.Tables, s arn.Scope, name string) (*logs.Group, error) {
	if g := t.LogGroups.Get(logs.GroupARN(s, name)); g != nil {
		return g, nil
	}
	return nil, noGroup()
}

// named finds the group that a request names by its name or by an identifier, a name or an ARN.
func named(t *state.Tables, s arn.Scope, name, identifier *string) (*logs.Group, error) {
	switch {
	case name != nil && identifier != nil:
		return nil, invalid("LogGroupName and LogGroupIdentifier are mutually exclusive parameters.")
	case name == nil && identifier == nil:
		return nil, invalid("Either LogGroupName or LogGroupIdentifier must be specified.")
	case name != nil:
		return group(t, s, *name)
	}
	return identified(t, s, *identifier)
}

// identified finds a group by its name or its ARN. There are no groups of other accounts or regions for anybody.
func identified(t *state.Tables, s arn.Scope, identifier string) (*logs.Group, error) {
	if !arn.Is(identifier) {
		return group(t, s, identifier)
	}
	in, name, _, ok := logs.SplitARN(identifier)
	if !ok {
		return nil, invalid("The specified logGroupIdentifier is not the ARN of a log group: %s", identifier)
	}
	if in.Region != s.Region || in.Account != s.Account {
		return nil, noGroup()
	}
	return group(t, s, name)
}

// The resources that policies are asked about, as AWS's refusals name them: whatever is about a group has the ARN of its streams with no name behind it.

func allGroups(r *frontdoor.Request, _ any) []string {
	return []string{logs.StreamARN(logs.GroupARN(r.Scope, ""), "")}
}

func groupResource(r *frontdoor.Request, in any) []string {
	return []string{logs.StreamARN(groupNamed(r, in), "")}
}

func streamResource(r *frontdoor.Request, in any) []string {
	return []string{logs.StreamARN(groupNamed(r, in), text(in, "LogStreamName"))}
}

// taggedResource is the ARN that an operation on tags names, without an end that stands for all streams.
func taggedResource(_ *frontdoor.Request, in any) []string {
	return []string{strings.TrimSuffix(text(in, "ResourceArn"), ":*")}
}

func tailResources(r *frontdoor.Request, in any) (all []string) {
	for _, one := range list(in, "LogGroupIdentifiers") {
		all = append(all, logs.StreamARN(identifiedARN(r, one), ""))
	}
	return all
}

// groupNamed is the ARN of the group that a request names in one way or the other.
func groupNamed(r *frontdoor.Request, in any) string {
	if id := text(in, "LogGroupIdentifier"); id != "" {
		return identifiedARN(r, id)
	}
	return logs.GroupARN(r.Scope, text(in, "LogGroupName"))
}

func identifiedARN(r *frontdoor.Request, identifier string) string {
	if s, name, _, ok := logs.SplitARN(identifier); ok {
		return logs.GroupARN(s, name)
	}
	return logs.GroupARN(r.Scope, identifier)
}

// resourceTags are the tags of the group that an ARN names, or whose stream it names.
func (a *API) resourceTags(resource string) map[string]string {
	s, name, _, ok := logs.SplitARN(resource)
	if !ok {
		return nil
	}
	g := a.store.View().LogGroups.Get(logs.GroupARN(s, name))
	if g == nil {
		return nil
	}
	return record.TagMap(g.Tags)
}

// value is what a pointer points to, or the zero value.
func value(s *string) string { return aws.ToString(s) }
