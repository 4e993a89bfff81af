// Package ecr serves Amazon ECR, one file per operation. A repository is a record; its images are in the registry, which docker pushes to and pulls from.
package ecr

import (
	"context"
	_ "embed"
	"strings"
	"time"

	"berth/internal/awswire"
	"berth/internal/frontdoor"
	"berth/internal/registry"
	"berth/internal/state"
)

// operationList are the names of all operations that ECR has, one a line: a fact, so that one that is not served is refused by name.
//
//go:embed operations.txt
var operationList string

// Config is what the operations need.
type Config struct {
	State    *state.Store
	Registry *registry.Registry
	// Token makes the password of an authorization token, with which the caller is known to the registry until it expires.
	Token func(ctx context.Context, r *frontdoor.Request) (password string, expires time.Time, err error)
}

// API are the operations over one store and one registry.
type API struct {
	store    *state.Store
	registry *registry.Registry
	token    func(ctx context.Context, r *frontdoor.Request) (password string, expires time.Time, err error)
}

// New returns the operations.
func New(c Config) *API { return &API{store: c.State, registry: c.Registry, token: c.Token} }

// Service is the table that the front door dispatches by.
func (a *API) Service() frontdoor.Service {
	return frontdoor.Service{
		Name: "ecr", Protocol: frontdoor.AWSJSON11, Names: awswire.LowerCamelGoTags, Target: "AmazonEC2ContainerRegistry_V20150921",
		Operations: a.operations(), ResourceTags: a.resourceTags, Known: strings.Fields(operationList),
	}
}

func (a *API) operations() []frontdoor.Operation {
	list := []frontdoor.Operation{
		a.onRepository(frontdoor.Op("CreateRepository", a.createRepository).And(tagsToo)),
		a.withPolicy(frontdoor.Op("DescribeRepositories", a.describeRepositories)).On(namedRepositories),
		a.onRepository(frontdoor.Op("DeleteRepository", a.deleteRepository)),
		a.onRepository(frontdoor.Op("PutImageTagMutability", a.putImageTagMutability)),
		a.onRepository(frontdoor.Op("PutImageScanningConfiguration", a.putImageScanningConfiguration)),
		a.onRepository(frontdoor.Op("SetRepositoryPolicy", a.setRepositoryPolicy)),
		a.onRepository(frontdoor.Op("GetRepositoryPolicy", a.getRepositoryPolicy)),
		a.onRepository(frontdoor.Op("DeleteRepositoryPolicy", a.deleteRepositoryPolicy)),
		a.onRepository(frontdoor.Op("PutLifecyclePolicy", a.putLifecyclePolicy)),
		a.onRepository(frontdoor.Op("GetLifecyclePolicy", a.getLifecyclePolicy)),
		a.onRepository(frontdoor.Op("DeleteLifecyclePolicy", a.deleteLifecyclePolicy)),
		frontdoor.Op("GetAuthorizationToken", a.getAuthorizationToken),
		frontdoor.Op("DescribeRegistry", a.describeRegistry),
		a.withPolicy(frontdoor.Op("TagResource", a.tagResource)).On(namedResource),
		a.withPolicy(frontdoor.Op("UntagResource", a.untagResource)).On(namedResource),
		a.withPolicy(frontdoor.Op("ListTagsForResource", a.listTagsForResource)).On(namedResource),
	}
	for _, o := range []frontdoor.Operation{ // images are in the leader's data directory
		frontdoor.Op("DescribeImages", a.describeImages).OnLeader(), frontdoor.Op("ListImages", a.listImages).OnLeader(), frontdoor.Op("BatchGetImage", a.batchGetImage).OnLeader(),
		frontdoor.Op("BatchDeleteImage", a.batchDeleteImage), frontdoor.Op("PutImage", a.putImage),
		frontdoor.Op("BatchCheckLayerAvailability", a.batchCheckLayerAvailability).OnLeader(), frontdoor.Op("GetDownloadUrlForLayer", a.getDownloadURLForLayer).OnLeader(),
	} {
		list = append(list, a.onRepository(o))
	}
	return list
}

// now is the time that goes into records: they keep milliseconds.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }
