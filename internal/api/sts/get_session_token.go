package sts

import (
	"context"
	"time"

	awssts "github.com/aws/aws-sdk-go-v2/service/sts"

	"berth/internal/access"
	"berth/internal/constraint"
	"berth/internal/frontdoor"
	"berth/internal/policy"
)

// getSessionToken gives a user temporary credentials with the user's own rights. As in AWS it needs no permission, and a session cannot ask for one.
func (a *API) getSessionToken() frontdoor.Operation {
	o := frontdoor.Op("GetSessionToken", a.sessionToken)
	o.Open = true
	return o
}

func (a *API) sessionToken(_ context.Context, r *frontdoor.Request, in *awssts.GetSessionTokenInput) (*awssts.GetSessionTokenOutput, error) {
	var c constraint.Check
	constraint.Number(&c, "durationSeconds", in.DurationSeconds, leastLife, 36*60*60)
	if err := invalid(&c); err != nil {
		return nil, err
	}
	if in.SerialNumber != nil || in.TokenCode != nil {
		return nil, validation("serialNumber and tokenCode: there are no MFA devices here")
	}
	user := access.User(a.keys.State.View().Tables, r.Caller.ARN)
	if r.Caller.Kind != policy.User || len(r.AccessKeyID) > 4 && r.AccessKeyID[:4] == "ASIA" || user == nil {
		e := denied("", "", "")
		e.Message = "Cannot call GetSessionToken with session credentials"
		return nil, e
	}
	life := int32(mostLife)
	if in.DurationSeconds != nil {
		life = *in.DurationSeconds
	}
	now := time.Now()
	t, err := a.keys.Issue(access.Session{Account: user.Account, User: user.Key(), ID: user.ID, Issued: now,
		Expires: now.Add(time.Duration(life) * time.Second).Truncate(time.Second)})
	if err != nil {
		return nil, err
	}
	return &awssts.GetSessionTokenOutput{Credentials: credentials(t)}, nil
}
