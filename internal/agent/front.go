package agent

import (
	"context"
	"crypto/subtle"
	"fmt"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/moby/moby/api/types/container"

	"berth/internal/acsproto"
)

// Containers reach the agent under an id of their task that nobody can guess. It is in their environment, and so it is kept as long as they are:
// in the task's record, and in a label for an agent that has lost its records.

// Front is where containers reach the agent.
type Front interface {
	// URI is where those of a network mode, bridge or host, reach it: "http://HOST:PORT", or "" where they cannot. It waits until that is known;
	// an error says that ctx has ended.
	URI(ctx context.Context, network string) (string, error)
}

// ProtectionAPI are the control plane's operations that containers ask for.
type ProtectionAPI interface {
	GetTaskProtection(context.Context, *awsecs.GetTaskProtectionInput, ...func(*awsecs.Options)) (*awsecs.GetTaskProtectionOutput, error)
	UpdateTaskProtection(context.Context, *awsecs.UpdateTaskProtectionInput, ...func(*awsecs.Options)) (*awsecs.UpdateTaskProtectionOutput, error)
}

// Caller is the task for which a container asks, and the API with the credentials that it is asked with: the container instance's.
type Caller struct {
	Task, Cluster string // ARN, and name or ARN
	API           ProtectionAPI
}

// Caller finds the task whose containers were given the id. One that has stopped is not found.
func (a *Agent) Caller(id string) (c Caller, ok bool) {
	for _, t := range a.all() {
		t.view(func(r *Record) {
			if r.Endpoint != "" && subtle.ConstantTimeCompare([]byte(r.Endpoint), []byte(id)) == 1 && !r.Stopped() {
				c, ok = Caller{Task: t.arn, Cluster: t.in.Cluster, API: t.in.api}, true
			}
		})
	}
	return c, ok
}

// reach finds out where the task's containers reach the agent.
func (t *task) reach(ctx context.Context, at *place) error {
	var id, network string
	t.view(func(r *Record) { id, network = r.Endpoint, r.Network })
	if t.agent.Front == nil || id == "" || network == "none" {
		return nil
	}
	uri, err := t.agent.Front.URI(ctx, network)
	if err != nil {
		return fmt.Errorf("find where containers reach the agent: %w", err)
	}
	if uri != "" {
		at.AgentURI = uri + "/api/" + id
	}
	return nil
}

// agentURI tells a container where it reaches the agent, whatever its own environment says.
func agentURI(c acsproto.Container, at place, config *container.Config) {
	if at.AgentURI != "" && !hidden(c.Name) {
		setVariable(config, "ECS_AGENT_URI", at.AgentURI)
	}
}
