package ecr

import (
	"cmp"
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecr "github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"berth/internal/frontdoor"
	"berth/internal/page"
	"berth/internal/registry"
)

// describeImages shows a repository's images in the order of their digests, or those that the request names.
func (a *API) describeImages(ctx context.Context, r *frontdoor.Request, in *awsecr.DescribeImagesInput) (*awsecr.DescribeImagesOutput, error) {
	var f types.DescribeImagesFilter
	if in.Filter != nil {
		f = *in.Filter
	}
	var c check
	c.repository(in.RegistryId, in.RepositoryName)
	c.imageIDs(in.ImageIds, false)
	c.page(in.MaxResults)
	c.filter(f.TagStatus, f.ImageStatus)
	if in.ImageIds != nil && (in.MaxResults != nil || in.NextToken != nil) {
		c.fail("imageIds", "must be null when maxResults or nextToken is given")
	}
	if c.err != nil {
		return nil, c.err
	}
	s := home(r, in.RegistryId)
	p, ok := page.New(int(cmp.Or(aws.ToInt32(in.MaxResults), mostShown)), in.NextToken, "DescribeImages", s.Region, s.Account, *in.RepositoryName, string(f.TagStatus), string(f.ImageStatus))
	if !ok {
		return nil, invalidToken()
	}
	of, err := find(a.store.View().Tables, s, *in.RepositoryName)
	if err != nil {
		return nil, err
	}
	all, err := a.shelf(ctx, of, s.Account)
	if err != nil {
		return nil, err
	}
	list := all.images
	if in.ImageIds != nil {
		if list, err = all.named(in.ImageIds); err != nil {
			return nil, err
		}
	}
	list = slices.DeleteFunc(slices.Clone(list), func(i registry.Image) bool { return !wanted(i, f.TagStatus, f.ImageStatus) })
	out := &awsecr.DescribeImagesOutput{ImageDetails: []types.ImageDetail{}}
	if in.ImageIds == nil {
		list, out.NextToken = page.Take(p, slices.Values(list), func(i registry.Image) string { return i.Digest.String() })
	}
	for _, i := range list {
		out.ImageDetails = append(out.ImageDetails, all.detail(i))
	}
	return out, nil
}

// filter looks at what images a request wants.
func (c *check) filter(tags types.TagStatus, status types.ImageStatusFilter) {
	enum(c, "filter.tagStatus", tags, tags.Values())
	enum(c, "filter.imageStatus", status, status.Values())
}

// named are the images that a request names, each once; all must be there.
func (s *shelf) named(ids []types.ImageIdentifier) (list []registry.Image, err error) {
	for _, id := range ids {
		found, failed := s.pick(id)
		switch {
		case failed != nil && failed.FailureCode == types.ImageFailureCodeImageNotFound, failed != nil && failed.FailureCode == types.ImageFailureCodeImageTagDoesNotMatchDigest:
			return nil, s.about.noImage(id)
		case failed != nil:
			return nil, invalid("imageIds", "%s", *failed.FailureReason)
		}
		if !slices.ContainsFunc(list, func(i registry.Image) bool { return i.Digest == found.Digest }) {
			list = append(list, *found)
		}
	}
	return list, nil
}

func (s *shelf) detail(i registry.Image) types.ImageDetail {
	d := types.ImageDetail{
		RegistryId: &s.about.account, RepositoryName: &s.of.Name, ImageDigest: aws.String(i.Digest.String()), ImageTags: i.Tags, ImageSizeInBytes: &i.Size,
		ImagePushedAt: &i.PushedAt, ImageManifestMediaType: &i.MediaType, ImageStatus: types.ImageStatusActive,
	}
	if i.ArtifactType != "" {
		d.ArtifactMediaType = &i.ArtifactType
	}
	return d
}
