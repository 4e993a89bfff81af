package iam

import (
	"strings"

	"berth/internal/arn"
	"berth/internal/frontdoor"
	"berth/internal/iam"
	"berth/internal/policy"
	"berth/internal/record"
)

// passedTo is the service that the role of an instance profile is passed to.
const passedTo = "ec2.amazonaws.com"

// keys are IAM's own condition keys of a request: the policy that it attaches or detaches, the permissions boundary that it asks for or that what it changes
// has, and the service whose role it makes.
func (a *API) keys(r *frontdoor.Request, in any) policy.Context {
	var keys policy.Keys
	add := func(name, value string) {
		if value != "" {
			keys = append(keys, policy.Key{Name: name, Values: []string{value}})
		}
	}
	if e := a.holderOf(r, in); e.named {
		add("iam:policyarn", member(in, "PolicyArn"))
		if asked := member(in, "PermissionsBoundary"); asked != "" {
			add("iam:permissionsboundary", asked)
		} else {
			add("iam:permissionsboundary", e.boundary)
		}
	}
	add("iam:awsservicename", member(in, "AWSServiceName"))
	return keys
}

// held says whether a request names a user, group or role, and what bounds it.
type held struct {
	named    bool
	boundary string
}

func (a *API) holderOf(r *frontdoor.Request, in any) held {
	for _, k := range []kind{role, group, user} {
		name := member(in, k.titled()+"Name")
		if name == "" {
			continue
		}
		e, err := k.view(a.store.View().Tables, r.Scope.Account, name)
		if err != nil {
			return held{named: true}
		}
		return held{named: true, boundary: e.Boundary}
	}
	return held{}
}

// passRole is what it takes besides to give a role to an instance profile, which passes it to EC2.
func (a *API) passRole(r *frontdoor.Request, in any) []frontdoor.Question {
	keys := policy.Keys{{Name: "iam:passedtoservice", Values: []string{passedTo}}}
	return []frontdoor.Question{{Action: "iam:PassRole", Resource: a.onRole(r, in)[0], Keys: keys}}
}

// resourceTags are the tags of a resource of IAM's by its ARN, nil for none.
func (a *API) resourceTags(resource string) map[string]string {
	p, err := arn.Parse(resource)
	if err != nil || p.Service != "iam" {
		return nil
	}
	kinds, rest, _ := strings.Cut(p.Resource, "/")
	key := iam.Key(p.Account, rest[strings.LastIndexByte(rest, '/')+1:])
	t := a.store.View()
	switch kinds {
	case "user":
		if u := t.Users.Get(key); u != nil {
			return record.TagMap(u.Tags)
		}
	case "role":
		if r := t.Roles.Get(key); r != nil {
			return record.TagMap(r.Tags)
		}
	case "instance-profile":
		if p := t.InstanceProfiles.Get(key); p != nil {
			return record.TagMap(p.Tags)
		}
	case "policy":
		if p := t.Policies.Get(resource); p != nil {
			return record.TagMap(p.Tags)
		}
	case "oidc-provider":
		if p := t.OIDCProviders.Get(resource); p != nil {
			return record.TagMap(p.Tags)
		}
	}
	return nil
}
