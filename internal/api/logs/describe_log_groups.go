package logs

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	cwl "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"berth/internal/arn"
	"berth/internal/constraint"
	"berth/internal/frontdoor"
	"berth/internal/logs"
	"berth/internal/page"
	"berth/internal/state"
)

// mostDescribed is how many groups or streams are described on a page.
const mostDescribed = 50

// describeLogGroups shows the account's groups by their names. With a pattern only some members are shown, as on AWS.
func (a *API) describeLogGroups(_ context.Context, r *frontdoor.Request, in *cwl.DescribeLogGroupsInput) (*cwl.DescribeLogGroupsOutput, error) {
	p, err := validateDescribeGroups(in)
	if err != nil {
		return nil, err
	}
	t := a.store.View().Tables
	rows := where(groupsUnder(t, r.Scope, value(in.LogGroupNamePrefix)), func(g *logs.Group) bool { return wanted(g, in) })
	list, next := page.Take(p, rows, (*logs.Group).Key)
	out := &cwl.DescribeLogGroupsOutput{LogGroups: make([]types.LogGroup, len(list)), NextToken: next}
	for i, g := range list {
		if in.LogGroupNamePattern != nil {
			out.LogGroups[i] = types.LogGroup{Arn: aws.String(g.Arn + ":*"), CreationTime: aws.Int64(g.CreationTime.UnixMilli()), LogGroupName: &g.Name}
			continue
		}
		if out.LogGroups[i], err = a.groupView(g); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func validateDescribeGroups(in *cwl.DescribeLogGroupsInput) (page.Request, error) {
	var c constraint.Check
	c.Text("logGroupNamePrefix", in.LogGroupNamePrefix, 1, mostName)
	c.Pattern("logGroupNamePrefix", in.LogGroupNamePrefix, groupPattern)
	c.Text("logGroupNamePattern", in.LogGroupNamePattern, 0, mostName)
	c.Pattern("logGroupNamePattern", in.LogGroupNamePattern, someGroupPattern)
	constraint.Number(&c, "limit", in.Limit, 1, mostDescribed)
	constraint.Enum(&c, "logGroupClass", in.LogGroupClass, in.LogGroupClass.Values())
	c.Count("accountIdentifiers", in.AccountIdentifiers, 0, 20)
	if in.LogGroupIdentifiers != nil {
		c.Count("logGroupIdentifiers", in.LogGroupIdentifiers, 1, 50)
	}
	if err := broken(&c); err != nil {
		return page.Request{}, err
	}
	if in.LogGroupNamePrefix != nil && in.LogGroupNamePattern != nil {
		return page.Request{}, invalid("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.")
	}
	list := append([]string{"DescribeLogGroups", value(in.LogGroupNamePrefix), value(in.LogGroupNamePattern), string(in.LogGroupClass)}, in.LogGroupIdentifiers...)
	p, ok := page.New(int(cmp.Or(aws.ToInt32(in.Limit), mostDescribed)), in.NextToken, list...)
	if !ok {
		return p, badToken()
	}
	return p, nil
}

func wanted(g *logs.Group, in *cwl.DescribeLogGroupsInput) bool {
	return strings.Contains(g.Name, value(in.LogGroupNamePattern)) &&
		(in.LogGroupClass == "" || class(g) == in.LogGroupClass) &&
		(in.LogGroupIdentifiers == nil || slices.ContainsFunc(in.LogGroupIdentifiers, func(id string) bool {
			return id == g.Name || id == g.Arn || id == g.Arn+":*"
		}))
}

// groupsUnder are the groups of a scope whose names begin with prefix, by their names.
func groupsUnder(t *state.Tables, s arn.Scope, prefix string) iter.Seq[*logs.Group] {
	return t.LogGroups.Under(logs.GroupARN(s, prefix), "")
}

func where(rows iter.Seq[*logs.Group], keep func(*logs.Group) bool) iter.Seq[*logs.Group] {
	return func(yield func(*logs.Group) bool) {
		for g := range rows {
			if keep(g) && !yield(g) {
				return
			}
		}
	}
}

func class(g *logs.Group) types.LogGroupClass {
	return cmp.Or(types.LogGroupClass(g.Class), types.LogGroupClassStandard)
}

func (a *API) groupView(g *logs.Group) (types.LogGroup, error) {
	size, err := a.groups.Stored(g.ID)
	if err != nil {
		return types.LogGroup{}, err
	}
	v := types.LogGroup{
		Arn: aws.String(g.Arn + ":*"), LogGroupArn: &g.Arn, LogGroupName: &g.Name, CreationTime: aws.Int64(g.CreationTime.UnixMilli()),
		LogGroupClass: class(g), MetricFilterCount: aws.Int32(0), StoredBytes: aws.Int64(int64(size)), DeletionProtectionEnabled: &g.DeletionProtection,
	}
	if g.RetentionInDays > 0 {
		v.RetentionInDays = &g.RetentionInDays
	}
	return v, nil
}
