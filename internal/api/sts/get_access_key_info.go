package sts

import (
	"context"

	awssts "github.com/aws/aws-sdk-go-v2/service/sts"

	"berth/internal/constraint"
	"berth/internal/frontdoor"
)

// getAccessKeyInfo tells whose an access key is: the account's. It knows the keys that are stored; of a session's the account is in its token alone.
func (a *API) getAccessKeyInfo() frontdoor.Operation {
	return frontdoor.Op("GetAccessKeyInfo", a.keyInfo)
}

func (a *API) keyInfo(_ context.Context, _ *frontdoor.Request, in *awssts.GetAccessKeyInfoInput) (*awssts.GetAccessKeyInfoOutput, error) {
	var c constraint.Check
	c.Needed("accessKeyId", in.AccessKeyId, 16, 128)
	if err := invalid(&c); err != nil {
		return nil, err
	}
	t := a.keys.State.View().Tables
	if k := t.AccessKeys.Get(*in.AccessKeyId); k != nil {
		return &awssts.GetAccessKeyInfoOutput{Account: &k.Account}, nil
	}
	if c := t.Credentials.Get(*in.AccessKeyId); c != nil {
		return &awssts.GetAccessKeyInfoOutput{Account: &c.Account}, nil
	}
	return nil, validation("No account found for the given access key")
}
