package main

import (
	"cmp"
	"context"
	"log/slog"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"

	"berth/internal/agent"
	"berth/internal/agent/awslogs"
	"berth/internal/agent/awsregistry"
	"berth/internal/agent/awssecrets"
	"berth/internal/agent/docker"
	"berth/internal/agent/envfiles"
	"berth/internal/agent/identity"
)

// executor is the agent once it is there: what works for its tasks is made before it.
type executor struct{ agent atomic.Pointer[agent.Agent] }

// endpoint is the replica that the agent uses now.
func (e *executor) endpoint() string {
	if a := e.agent.Load(); a != nil {
		return a.Endpoint()
	}
	return ""
}

// credentials are those of a task's execution role, or of its instance.
func (e *executor) credentials(ctx context.Context, task string) (aws.Credentials, error) {
	k, err := e.key(ctx, task)
	return aws.Credentials{AccessKeyID: k.AccessKeyID, SecretAccessKey: k.SecretAccessKey, SessionToken: k.SessionToken}, err
}

func (e *executor) key(ctx context.Context, task string) (agent.Key, error) {
	a := e.agent.Load()
	if a == nil {
		return agent.Key{}, agent.ErrNoCredentials
	}
	return a.ExecutionKey(ctx, task)
}

// heard notes how a call for a task ended.
func (e *executor) heard(task, call string, err error) (told bool) {
	a := e.agent.Load()
	return a != nil && a.Heard(task, call, err)
}

// logs sends the logs of tasks whose log driver is awslogs.
func (e *executor) logs(c *agent.Config, engine *docker.Engine, log *slog.Logger) *awslogs.Driver {
	return awslogs.New(awslogs.Config{Reader: engine, Hold: engine.Hold, Endpoint: e.endpoint, Credentials: e.credentials, Heard: e.heard, Region: c.Region, HTTPClient: c.HTTPClient, Log: log})
}

// secrets reads tasks' secrets.
func (e *executor) secrets(c *agent.Config) *awssecrets.Reader {
	return awssecrets.New(awssecrets.Config{Endpoint: e.endpoint, Credentials: e.credentials, HTTPClient: c.HTTPClient})
}

// environmentFiles reads tasks' environment files.
func (e *executor) environmentFiles(c *agent.Config, o s3Options) (*envfiles.Reader, error) {
	key, err := o.key()
	return envfiles.New(envfiles.Config{
		Store: o.endpoint, Region: cmp.Or(o.region, c.Region), Key: key, Endpoint: e.endpoint, Credentials: e.credentials, HTTPClient: c.HTTPClient,
	}), err
}

// registries logs in to the registries of tasks' images.
func (e *executor) registries(c *agent.Config) *awsregistry.Logins {
	return awsregistry.New(awsregistry.Config{Endpoint: e.endpoint, Key: e.key, HTTPClient: c.HTTPClient})
}

// roles vends the roles of container instances.
func (e *executor) roles(c *agent.Config) *identity.Roles {
	return &identity.Roles{Endpoint: e.endpoint, Region: c.Region, HTTPClient: c.HTTPClient}
}
