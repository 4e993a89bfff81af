package logs

import (
	"cmp"
	"context"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	cwl "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"berth/internal/constraint"
	"berth/internal/frontdoor"
	"berth/internal/logs"
	"berth/internal/page"
)

// mostListed is how many groups are listed on a page: at most, and where the request does not say.
const (
	mostListed   = 1000
	normalListed = 50
)

// listPattern is of up to five parts of names, each at the beginning where it has ^ before it.
var listPattern = regexp.MustCompile(`^(\^?[\.\-_\/#A-Za-z0-9]{3,24})(\|\^?[\.\-_\/#A-Za-z0-9]{3,24}){0,4}$`)

// listLogGroups lists the account's groups by their names.
func (a *API) listLogGroups(_ context.Context, r *frontdoor.Request, in *cwl.ListLogGroupsInput) (*cwl.ListLogGroupsOutput, error) {
	p, err := validateListGroups(in)
	if err != nil {
		return nil, err
	}
	rows := where(groupsUnder(a.store.View().Tables, r.Scope, ""), func(g *logs.Group) bool {
		return (in.LogGroupClass == "" || class(g) == in.LogGroupClass) && (in.LogGroupNamePattern == nil || nameMatches(g.Name, *in.LogGroupNamePattern))
	})
	list, next := page.Take(p, rows, (*logs.Group).Key)
	out := &cwl.ListLogGroupsOutput{LogGroups: make([]types.LogGroupSummary, len(list)), NextToken: next}
	for i, g := range list {
		out.LogGroups[i] = types.LogGroupSummary{LogGroupArn: &g.Arn, LogGroupClass: class(g), LogGroupName: &g.Name}
	}
	return out, nil
}

func validateListGroups(in *cwl.ListLogGroupsInput) (page.Request, error) {
	var c constraint.Check
	c.Text("logGroupNamePattern", in.LogGroupNamePattern, 3, 129)
	c.Pattern("logGroupNamePattern", in.LogGroupNamePattern, listPattern)
	constraint.Number(&c, "limit", in.Limit, 1, mostListed)
	constraint.Enum(&c, "logGroupClass", in.LogGroupClass, in.LogGroupClass.Values())
	c.Count("accountIdentifiers", in.AccountIdentifiers, 0, 20)
	if err := broken(&c); err != nil {
		return page.Request{}, err
	}
	switch {
	case in.DataSources != nil:
		return page.Request{}, notActedOn("dataSources")
	case in.FieldIndexNames != nil:
		return page.Request{}, notActedOn("fieldIndexNames")
	case in.LogGroupTags != nil:
		return page.Request{}, notActedOn("logGroupTags")
	}
	p, ok := page.New(int(cmp.Or(aws.ToInt32(in.Limit), normalListed)), in.NextToken, "ListLogGroups", value(in.LogGroupNamePattern), string(in.LogGroupClass))
	if !ok {
		return p, badToken()
	}
	return p, nil
}

func nameMatches(name, pattern string) bool {
	for part := range strings.SplitSeq(pattern, "|") {
		if prefix, first := strings.CutPrefix(part, "^"); first && strings.HasPrefix(name, prefix) || !first && strings.Contains(name, part) {
			return true
		}
	}
	return false
}
