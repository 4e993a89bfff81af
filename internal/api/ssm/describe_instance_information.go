package ssm

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsssm "github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"berth/internal/apierr"
	"berth/internal/constraint"
	"berth/internal/frontdoor"
	"berth/internal/page"
	"berth/internal/secret"
	"berth/internal/state"
)

// fewestInstances is the smallest page of managed instances.
const fewestInstances = 5

// describeInstanceInformation lists the machines that have registered with activations. One is online while the container instance that it is, is connected.
func (a *API) describeInstanceInformation(_ context.Context, r *frontdoor.Request, in *awsssm.DescribeInstanceInformationInput) (*awsssm.DescribeInstanceInformationOutput, error) {
	p, err := validateInstances(in)
	if err != nil {
		return nil, err
	}
	t := a.store.View().Tables
	key := func(i types.InstanceInformation) string { return *i.InstanceId }
	list, next := page.Take(p, instances(t, r, in.Filters), key)
	return &awsssm.DescribeInstanceInformationOutput{InstanceInformationList: orNone(list), NextToken: next}, nil
}

func validateInstances(in *awsssm.DescribeInstanceInformationInput) (page.Request, error) {
	var c constraint.Check
	constraint.Number(&c, "maxResults", in.MaxResults, fewestInstances, mostListed)
	list := []string{"DescribeInstanceInformation"}
	for _, f := range in.Filters {
		c.Needed("filters.member.key", f.Key, 1, mostFilterKey)
		c.Count("filters.member.values", f.Values, 1, 100)
		list = append(append(list, aws.ToString(f.Key)), f.Values...)
	}
	if err := c.Err(); err != nil {
		return page.Request{}, err
	}
	if len(in.InstanceInformationFilterList) > 0 {
		return page.Request{}, notActedOn("InstanceInformationFilterList")
	}
	for _, f := range in.Filters {
		if _, known := instanceTexts(types.InstanceInformation{}, nil, *f.Key); !known {
			return page.Request{}, apierr.New("InvalidFilterKey", "The specified key is not valid: Filters.Key %s.", *f.Key)
		}
	}
	p, ok := page.New(int(cmp.Or(aws.ToInt32(in.MaxResults), mostListed)), in.NextToken, list...)
	if !ok {
		return p, invalidToken()
	}
	return p, nil
}

// instances yields the managed instances that pass the filters, by their ids.
func instances(t *state.Tables, r *frontdoor.Request, filters []types.InstanceInformationStringFilter) iter.Seq[types.InstanceInformation] {
	return func(yield func(types.InstanceInformation) bool) {
		connected := connectedMachines(t)
		for m := range t.ManagedInstances.Under(secret.RegionKey(r.Scope.Account, r.Scope.Region, ""), "") {
			one := instanceShape(m, connected[m.InstanceID])
			if wantsInstance(one, m, filters) && !yield(one) {
				return
			}
		}
	}
}

// connectedMachines are the ids of external machines whose agents are connected.
func connectedMachines(t *state.Tables) map[string]bool {
	connected := map[string]bool{}
	for i := range t.Instances.All() {
		if i.Connected && i.External() {
			connected[i.Ec2InstanceID] = true
		}
	}
	return connected
}

func instanceShape(m *secret.ManagedInstance, connected bool) types.InstanceInformation {
	one := types.InstanceInformation{
		InstanceId: &m.InstanceID, ActivationId: &m.ActivationID, IamRole: &m.IAMRole, Name: filled(m.Name), ComputerName: filled(m.ComputerName),
		IPAddress: filled(m.IPAddress), PlatformType: types.PlatformTypeLinux, PlatformName: filled(m.PlatformName), PlatformVersion: filled(m.PlatformVersion),
		AgentVersion: filled(m.AgentVersion), RegistrationDate: &m.RegistrationDate, ResourceType: types.ResourceTypeManagedInstance,
		SourceId: &m.InstanceID, SourceType: types.SourceTypeAwsSsmManagedinstance, PingStatus: types.PingStatusConnectionLost,
	}
	if connected {
		one.PingStatus, one.LastPingDateTime = types.PingStatusOnline, aws.Time(now().Truncate(time.Second))
	}
	return one
}

func wantsInstance(one types.InstanceInformation, m *secret.ManagedInstance, filters []types.InstanceInformationStringFilter) bool {
	for _, f := range filters {
		have, _ := instanceTexts(one, m.Tags, *f.Key)
		if !slices.ContainsFunc(have, func(v string) bool { return slices.Contains(f.Values, v) }) {
			return false
		}
	}
	return true
}

// instanceTexts are what a managed instance has of what a filter's key names; false for a key that is not known.
func instanceTexts(one types.InstanceInformation, tags []secret.Tag, key string) (texts []string, known bool) {
	switch key {
	case "InstanceIds":
		return []string{aws.ToString(one.InstanceId)}, true
	case "ActivationIds":
		return []string{aws.ToString(one.ActivationId)}, true
	case "IamRole":
		return []string{aws.ToString(one.IamRole)}, true
	case "AgentVersion":
		return []string{aws.ToString(one.AgentVersion)}, true
	case "PingStatus":
		return []string{string(one.PingStatus)}, true
	case "PlatformTypes":
		return []string{string(one.PlatformType)}, true
	case "ResourceType":
		return []string{string(one.ResourceType)}, true
	case "AssociationStatus":
		return nil, true // there are no associations
	case "tag-key":
		for _, t := range tags {
			texts = append(texts, t.Key)
		}
		return texts, true
	}
	name, known := strings.CutPrefix(key, "tag:")
	for _, t := range tags {
		if t.Key == name {
			texts = append(texts, t.Value)
		}
	}
	return texts, known && name != ""
}
