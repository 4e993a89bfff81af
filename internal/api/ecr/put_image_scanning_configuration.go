package ecr

import (
	"context"

	awsecr "github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"berth/internal/ecr"
	"berth/internal/frontdoor"
)

// putImageScanningConfiguration keeps whether images are to be scanned when they are pushed. Nothing scans them.
func (a *API) putImageScanningConfiguration(ctx context.Context, r *frontdoor.Request, in *awsecr.PutImageScanningConfigurationInput) (*awsecr.PutImageScanningConfigurationOutput, error) {
	var c check
	c.repository(in.RegistryId, in.RepositoryName)
	if in.ImageScanningConfiguration == nil {
		c.fail("imageScanningConfiguration", "must not be null")
	}
	if c.err != nil {
		return nil, c.err
	}
	s := home(r, in.RegistryId)
	changed, err := a.change(ctx, s, *in.RepositoryName, func(of *ecr.Repository) error {
		of.ScanOnPush = in.ImageScanningConfiguration.ScanOnPush
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &awsecr.PutImageScanningConfigurationOutput{
		RegistryId: &s.Account, RepositoryName: &changed.Name, ImageScanningConfiguration: &types.ImageScanningConfiguration{ScanOnPush: changed.ScanOnPush},
	}, nil
}
