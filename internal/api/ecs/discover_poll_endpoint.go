package ecs

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"

	"berth/internal/frontdoor"
)

// discoverPollEndpoint tells an agent where its sessions are: at the address under which it reached the API, which it may keep for hours.
func (a *API) discoverPollEndpoint(_ context.Context, r *frontdoor.Request, in *awsecs.DiscoverPollEndpointInput) (*awsecs.DiscoverPollEndpointOutput, error) {
	t := a.store.View().Tables
	c, err := cluster(t, r, in.Cluster)
	if err != nil {
		return nil, err
	}
	if name := text(in.ContainerInstance); name != "" {
		if _, err := instanceARN(c.ClusterArn, name); err != nil {
			return nil, err
		}
	}
	base := "http://" + r.Host
	if r.TLS {
		base = "https://" + r.Host
	}
	return &awsecs.DiscoverPollEndpointOutput{
		Endpoint: aws.String(base + "/acs/"), TelemetryEndpoint: aws.String(base + "/tcs/"), ServiceConnectEndpoint: aws.String(base + "/sc/"),
	}, nil
}

// polled are the resources that the policy is asked about: the container instance that the request names.
func (a *API) polled(r *frontdoor.Request, in *awsecs.DiscoverPollEndpointInput) []string {
	c, err := clusterARN(r, in.Cluster)
	if err != nil || text(in.ContainerInstance) == "" {
		return a.ownInstance(r)
	}
	i, err := instanceARN(c, *in.ContainerInstance)
	if err != nil {
		return nil
	}
	return []string{string(i)}
}
