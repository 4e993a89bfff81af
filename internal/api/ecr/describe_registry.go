package ecr

import (
	"context"

	awsecr "github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"berth/internal/frontdoor"
)

// describeRegistry shows an account's registry, which replicates nowhere.
func (a *API) describeRegistry(_ context.Context, r *frontdoor.Request, _ *awsecr.DescribeRegistryInput) (*awsecr.DescribeRegistryOutput, error) {
	return &awsecr.DescribeRegistryOutput{RegistryId: &r.Scope.Account, ReplicationConfiguration: &types.ReplicationConfiguration{Rules: []types.ReplicationRule{}}}, nil
}
