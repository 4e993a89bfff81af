package ssm

import (
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsssm "github.com/aws/aws-sdk-go-v2/service/ssm"

	"berth/internal/arn"
	"berth/internal/frontdoor"
	"berth/internal/iam"
	"berth/internal/policy"
	"berth/internal/record"
	"berth/internal/secret"
)

// keys are the condition keys that follow from a request: ssm:Overwrite and ssm:Recursive.
func keys(_ *frontdoor.Request, in any) policy.Context {
	switch in := in.(type) {
	case *awsssm.PutParameterInput:
		return flag("ssm:overwrite", in.Overwrite)
	case *awsssm.GetParametersByPathInput:
		return flag("ssm:recursive", in.Recursive)
	}
	return nil
}

func flag(name string, value *bool) policy.Context {
	return policy.Keys{{Name: name, Values: []string{strconv.FormatBool(aws.ToBool(value))}}}
}

// resourceTags are the tags of a parameter or managed instance by its ARN.
func (a *API) resourceTags(resource string) map[string]string {
	t := a.store.View().Tables
	p, err := arn.Parse(resource)
	if err != nil {
		return nil
	}
	if p.Service == "ecs" {
		return taskTags(t.Tasks.Get(arn.Task(resource)))
	}
	if id, is := strings.CutPrefix(p.Resource, "session/"); is {
		return a.sessionTags(id)
	}
	id, instance := strings.CutPrefix(p.Resource, "managed-instance/")
	if m := t.ManagedInstances.Get(secret.RegionKey(p.Account, p.Region, id)); instance && m != nil {
		return record.TagMap(m.Tags)
	}
	if found := t.Parameters.Get(resource); found != nil {
		return record.TagMap(found.Tags)
	}
	return nil
}

// passesRole asks whether the caller may hand the role of an activation to Systems Manager.
func (a *API) passesRole(r *frontdoor.Request, in any) []frontdoor.Question {
	named := aws.ToString(in.(*awsssm.CreateActivationInput).IamRole)
	if named == "" {
		return nil
	}
	return []frontdoor.Question{{
		Action: "iam:PassRole", Resource: a.roleARN(r.Scope, named),
		Keys: policy.Keys{{Name: "iam:passedtoservice", Values: []string{principal}}},
	}}
}

// roleARN is the ARN of a role that is named with or without its path.
func (a *API) roleARN(s arn.Scope, named string) string {
	name := named[strings.LastIndexByte(named, '/')+1:]
	if role := a.store.View().Roles.Get(iam.Key(s.Account, name)); role != nil {
		return role.ARN()
	}
	return iam.ARN(s.Account, "role", "/", named)
}
