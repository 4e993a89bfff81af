package sts

import (
	"context"

	"berth/internal/frontdoor"

	awssts "github.com/aws/aws-sdk-go-v2/service/sts"
)

// getCallerIdentity tells a caller who it is. As in AWS it needs no permission: whoever can sign may know.
func getCallerIdentity() frontdoor.Operation {
	o := frontdoor.Op("GetCallerIdentity", whoAmI)
	o.Open = true
	return o
}

func whoAmI(_ context.Context, r *frontdoor.Request, _ *awssts.GetCallerIdentityInput) (*awssts.GetCallerIdentityOutput, error) {
	return &awssts.GetCallerIdentityOutput{Account: &r.Caller.Account, Arn: &r.Caller.ARN, UserId: &r.Caller.UserID}, nil
}
