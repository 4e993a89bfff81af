package ecr

import (
	"cmp"
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecr "github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"berth/internal/ecr"
	"berth/internal/frontdoor"
	"berth/internal/page"
)

const mostNames = 100

// describeRepositories shows the repositories of a registry in the order of their names, or those that the request names.
func (a *API) describeRepositories(_ context.Context, r *frontdoor.Request, in *awsecr.DescribeRepositoriesInput) (*awsecr.DescribeRepositoriesOutput, error) {
	var c check
	c.registry(in.RegistryId)
	c.count("repositoryNames", in.RepositoryNames != nil, len(in.RepositoryNames), 1, mostNames)
	for _, name := range in.RepositoryNames {
		c.repository(nil, &name)
	}
	c.page(in.MaxResults)
	if c.err == nil && in.RepositoryNames != nil && (in.MaxResults != nil || in.NextToken != nil) {
		c.fail("repositoryNames", "must be null when maxResults or nextToken is given")
	}
	if c.err != nil {
		return nil, c.err
	}
	t, s := a.store.View().Tables, home(r, in.RegistryId)
	out := &awsecr.DescribeRepositoriesOutput{Repositories: []types.Repository{}}
	var list []*ecr.Repository
	if in.RepositoryNames != nil {
		for _, name := range in.RepositoryNames {
			found, err := find(t, s, name)
			if err != nil {
				return nil, err
			}
			if !slices.Contains(list, found) {
				list = append(list, found)
			}
		}
	} else {
		p, ok := page.New(int(cmp.Or(aws.ToInt32(in.MaxResults), mostShown)), in.NextToken, "DescribeRepositories", s.Region, s.Account)
		if !ok {
			return nil, invalidToken()
		}
		list, out.NextToken = page.Take(p, t.Repositories.Under(ecr.ARN(s, ""), ""), (*ecr.Repository).Key)
	}
	for _, one := range list {
		out.Repositories = append(out.Repositories, shape(r, s, one))
	}
	return out, nil
}

func invalidToken() error {
	return invalid("nextToken", "must be a token that the same request was answered with")
}
