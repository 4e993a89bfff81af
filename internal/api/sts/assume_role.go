package sts

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssts "github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"berth/internal/access"
	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/constraint"
	"berth/internal/frontdoor"
	"berth/internal/iam"
	"berth/internal/policy"
	"berth/internal/state"
)

const (
	assume      = "sts:AssumeRole"
	tagSession  = "sts:TagSession"
	setSource   = "sts:SetSourceIdentity"
	leastLife   = 15 * 60
	defaultLife = 60 * 60
	chainedLife = 60 * 60      // of a session that a session has begun
	mostLife    = 12 * 60 * 60 // whatever the role says
	mostPolicy  = 2048         // characters of a session policy
	mostTags    = 50
	mostManaged = 10
)

// assumeRole is open: whether the caller may is the trust policy's to say, and that is the role's, which is looked up here.
func (a *API) assumeRole() frontdoor.Operation {
	o := frontdoor.Op("AssumeRole", a.assume)
	o.Open, o.ReadOnly = true, true // nothing is stored
	return o
}

func (a *API) assume(_ context.Context, r *frontdoor.Request, in *awssts.AssumeRoleInput) (*awssts.AssumeRoleOutput, error) {
	if err := checkAssume(in); err != nil {
		return nil, err
	}
	t := a.keys.State.View().Tables
	role := access.Role(t, *in.RoleArn)
	if role == nil { // who is not allowed does not learn whether it is there
		return nil, denied(r.Caller.ARN, assume, *in.RoleArn)
	}
	if err := a.mayAssume(t, r, role, in); err != nil {
		return nil, err
	}
	c, size, err := a.begin(t, r, role, beginning{
		name: *in.RoleSessionName, duration: in.DurationSeconds, policy: in.Policy, managed: in.PolicyArns, tags: tagsOf(in.Tags), source: aws.ToString(in.SourceIdentity),
	})
	if err != nil {
		return nil, err
	}
	return &awssts.AssumeRoleOutput{
		Credentials: c, SourceIdentity: in.SourceIdentity, AssumedRoleUser: assumed(role, *in.RoleSessionName), PackedPolicySize: size,
	}, nil
}

// beginning is what a request says of the session of a role that it begins.
type beginning struct {
	name     string
	duration *int32 // seconds
	policy   *string
	managed  []types.PolicyDescriptorType
	tags     []iam.Tag
	source   string
}

// begin issues a session of a role to who may have it, and tells how much of its room it takes, nil for nothing.
func (a *API) begin(t *state.Tables, r *frontdoor.Request, role *iam.Role, b beginning) (_ *types.Credentials, size *int32, err error) {
	life, err := lifeOf(r, role, b.duration)
	if err != nil {
		return nil, nil, err
	}
	documents, err := a.documents(t, role.Account, b.policy, b.managed)
	if err != nil {
		return nil, nil, err
	}
	now := time.Now()
	c, err := a.keys.Issue(access.Session{
		Account: role.Account, Role: role.Key(), ID: role.ID, Name: b.name, Issued: now, Expires: now.Add(life).Truncate(time.Second),
		Policies: documents, Tags: b.tags, Source: b.source,
	})
	if err != nil {
		return nil, nil, err
	}
	return credentials(c), packed(documents, b.tags), nil
}

func assumed(role *iam.Role, session string) *types.AssumedRoleUser {
	return &types.AssumedRoleUser{
		Arn:           aws.String("arn:aws:sts::" + role.Account + ":assumed-role/" + role.Name + "/" + session),
		AssumedRoleId: aws.String(role.ID + ":" + session),
	}
}

func credentials(c access.Temporary) *types.Credentials {
	return &types.Credentials{AccessKeyId: &c.AccessKeyID, SecretAccessKey: &c.SecretAccessKey, SessionToken: &c.SessionToken, Expiration: &c.Expires}
}

func checkAssume(in *awssts.AssumeRoleInput) error {
	var c constraint.Check
	c.Needed("roleArn", in.RoleArn, 20, 2048)
	c.Needed("roleSessionName", in.RoleSessionName, 2, 64)
	c.Pattern("roleSessionName", in.RoleSessionName, sessionName)
	constraint.Number(&c, "durationSeconds", in.DurationSeconds, leastLife, mostLife)
	c.Text("policy", in.Policy, 1, mostPolicy)
	c.Text("externalId", in.ExternalId, 2, 1224)
	c.Text("sourceIdentity", in.SourceIdentity, 2, 64)
	c.Pattern("sourceIdentity", in.SourceIdentity, sessionName)
	for _, tag := range in.Tags {
		c.Needed("tags.1.member.key", tag.Key, 1, 128)
		c.Text("tags.1.member.value", tag.Value, 0, 256)
	}
	switch {
	case invalid(&c) != nil:
		return invalid(&c)
	case !arn.Is(*in.RoleArn):
		return validation("%s is invalid", *in.RoleArn)
	case len(in.Tags) > mostTags:
		return validation("1 validation error detected: Value at 'tags' failed to satisfy constraint: Member must have length less than or equal to %d", mostTags)
	case len(in.PolicyArns) > mostManaged:
		return validation("1 validation error detected: Value at 'policyArns' failed to satisfy constraint: Member must have length less than or equal to %d", mostManaged)
	case in.SerialNumber != nil || in.TokenCode != nil:
		return validation("serialNumber and tokenCode: there are no MFA devices here")
	case len(in.ProvidedContexts) > 0 || len(in.TransitiveTagKeys) > 0:
		return validation("providedContexts and transitiveTagKeys are not served")
	}
	return nil
}

// mayAssume asks the role's trust policy, and across accounts the caller's own.
func (a *API) mayAssume(t *state.Tables, r *frontdoor.Request, role *iam.Role, in *awssts.AssumeRoleInput) error {
	actions := []string{assume}
	if len(in.Tags) > 0 {
		actions = append(actions, tagSession)
	}
	if in.SourceIdentity != nil {
		actions = append(actions, setSource)
	}
	keys := policy.Keys{{Name: "sts:rolesessionname", Values: []string{*in.RoleSessionName}}}
	if in.ExternalId != nil {
		keys = append(keys, policy.Key{Name: "sts:externalid", Values: []string{*in.ExternalId}})
	}
	if in.SourceIdentity != nil {
		keys = append(keys, policy.Key{Name: "sts:sourceidentity", Values: []string{*in.SourceIdentity}})
	}
	var names []string
	asked := map[string]string{}
	for _, tag := range in.Tags {
		names = append(names, *tag.Key)
		asked[*tag.Key] = aws.ToString(tag.Value)
	}
	if names != nil {
		keys = append(keys, policy.Key{Name: "aws:tagkeys", Values: names})
	}
	context := policy.Chain{keys, policy.Tags{Prefix: "aws:requesttag/", Tags: asked}}
	for _, action := range actions {
		e := r.Authorize(frontdoor.Question{Action: action, Resource: role.ARN(), Keys: context, ResourcePolicy: a.keys.Trust(t, role), Trust: true})
		if e != nil {
			return denied(r.Caller.ARN, action, role.ARN())
		}
	}
	return nil
}

// lifeOf is how long a session lasts.
func lifeOf(r *frontdoor.Request, role *iam.Role, asked *int32) (time.Duration, error) {
	chained := r.Caller.Kind == policy.RoleSession
	seconds := int32(defaultLife)
	if asked != nil {
		seconds = *asked
	}
	switch {
	case chained && seconds > chainedLife:
		return 0, validation("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining")
	case seconds > max(role.MaxSession, defaultLife):
		return 0, validation("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	return time.Duration(seconds) * time.Second, nil
}

// documents are the session policies of a request: what managed policies say is written into the session, as they are when it begins.
func (a *API) documents(t *state.Tables, account string, inline *string, managed []types.PolicyDescriptorType) (list []string, err error) {
	if inline != nil {
		if _, err := policy.Parse(*inline, policy.Session); err != nil {
			return nil, malformed(err)
		}
		list = append(list, *inline)
	}
	for _, one := range managed {
		text, ok := a.keys.ManagedDocument(t, aws.ToString(one.Arn))
		if p, err := arn.Parse(aws.ToString(one.Arn)); !ok || err != nil || p.Account != "aws" && p.Account != account {
			return nil, validation("PolicyArns: the policy %s does not exist or is not attachable.", aws.ToString(one.Arn))
		}
		list = append(list, text)
	}
	return slices.Clip(list), nil
}

func malformed(err error) error {
	text := "The policy is not in the valid JSON format."
	if m := (*policy.MalformedError)(nil); errors.As(err, &m) {
		text = m.Message
	}
	return apierr.New("MalformedPolicyDocument", "%s", text)
}

func tagsOf(tags []types.Tag) (list []iam.Tag) {
	for _, tag := range tags {
		list = append(list, iam.Tag{Key: *tag.Key, Value: aws.ToString(tag.Value)})
	}
	return list
}

// packed is how much of the room for policies and tags a session takes, in percent; nil where it has none.
func packed(documents []string, tags []iam.Tag) *int32 {
	n := 0
	for _, d := range documents {
		n += len(d)
	}
	for _, tag := range tags {
		n += len(tag.Key) + len(tag.Value)
	}
	if n == 0 {
		return nil
	}
	return aws.Int32(int32(max(1, min(100, n*100/(2*mostPolicy)))))
}
