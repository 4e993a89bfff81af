package sts

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssts "github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"berth/internal/access"
	"berth/internal/constraint"
	"berth/internal/frontdoor"
	"berth/internal/policy"
)

// getFederationToken gives somebody whom a user vouches for temporary credentials: with the rights that both the user's policies and those of the request
// give; without a policy of the request there are none.
func (a *API) getFederationToken() frontdoor.Operation {
	return frontdoor.Op("GetFederationToken", a.federate).On(func(r *frontdoor.Request, in any) []string {
		return []string{federated(r.Caller.Account, aws.ToString(in.(*awssts.GetFederationTokenInput).Name))}
	})
}

func federated(account, name string) string {
	return "arn:aws:sts::" + account + ":federated-user/" + name
}

// nothing is the policy of a federated user who was given none: it allows what no service has.
const nothing = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"none:None","Resource":"*"}}`

func (a *API) federate(_ context.Context, r *frontdoor.Request, in *awssts.GetFederationTokenInput) (*awssts.GetFederationTokenOutput, error) {
	if err := checkFederate(in); err != nil {
		return nil, err
	}
	t := a.keys.State.View().Tables
	user := access.User(t, r.Caller.ARN)
	if r.Caller.Kind != policy.User || len(r.AccessKeyID) > 4 && r.AccessKeyID[:4] == "ASIA" || user == nil {
		e := denied("", "", "")
		e.Message = "Cannot call GetFederationToken with session credentials"
		return nil, e
	}
	documents, err := a.documents(t, user.Account, in.Policy, in.PolicyArns)
	if err != nil {
		return nil, err
	}
	size := packed(documents, nil)
	if documents == nil {
		documents = []string{nothing}
	}
	life := int32(mostLife)
	if in.DurationSeconds != nil {
		life = *in.DurationSeconds
	}
	now := time.Now()
	c, err := a.keys.Issue(access.Session{Account: user.Account, User: user.Key(), ID: user.ID, Name: *in.Name, Issued: now,
		Expires: now.Add(time.Duration(life) * time.Second).Truncate(time.Second), Policies: documents})
	if err != nil {
		return nil, err
	}
	return &awssts.GetFederationTokenOutput{Credentials: credentials(c), PackedPolicySize: size, FederatedUser: &types.FederatedUser{
		Arn: aws.String(federated(user.Account, *in.Name)), FederatedUserId: aws.String(user.Account + ":" + *in.Name),
	}}, nil
}

func checkFederate(in *awssts.GetFederationTokenInput) error {
	var c constraint.Check
	c.Needed("name", in.Name, 2, 32)
	c.Pattern("name", in.Name, sessionName)
	constraint.Number(&c, "durationSeconds", in.DurationSeconds, leastLife, 36*60*60)
	c.Text("policy", in.Policy, 1, mostPolicy)
	switch {
	case invalid(&c) != nil:
		return invalid(&c)
	case len(in.PolicyArns) > mostManaged:
		return validation("1 validation error detected: Value at 'policyArns' failed to satisfy constraint: Member must have length less than or equal to %d", mostManaged)
	case len(in.Tags) > 0:
		return validation("tags: sessions of federated users have none here")
	}
	return nil
}
