package agent

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/moby/moby/api/types/container"

	"berth/internal/acsproto"
	"berth/internal/arn"
)

// Containers reach the agent under an id of their own that nobody can guess. It is in their environment, and so it is kept as long as they are:
// in the task's record, and in a label for an agent that has lost its records. Those that an older agent has made have one id for all of a task.

// Front is where containers reach the agent.
type Front interface {
	// URI is where those of a network mode, bridge, host or awsvpc, reach it: "http://HOST" or "http://HOST:PORT", or "" where they cannot. It waits
	// until that is known; an error says that ctx has ended.
	URI(ctx context.Context, network string) (string, error)
}

// ProtectionAPI are the control plane's operations that containers ask for.
type ProtectionAPI interface {
	GetTaskProtection(context.Context, *awsecs.GetTaskProtectionInput, ...func(*awsecs.Options)) (*awsecs.GetTaskProtectionOutput, error)
	UpdateTaskProtection(context.Context, *awsecs.UpdateTaskProtectionInput, ...func(*awsecs.Options)) (*awsecs.UpdateTaskProtectionOutput, error)
}

// Caller is the task for which a container asks, and the API with the key that it is asked with: the task role's.
type Caller struct {
	Task, Cluster string // ARN, and name or ARN
	API           ProtectionAPI
	Key           Key // the zero value where the task has no role, or its credentials have not come yet
}

// Caller finds the task whose container was given the id. One that has stopped is not found.
func (a *Agent) Caller(id string) (Caller, bool) {
	d, ok := a.door(id)
	if !ok {
		return Caller{}, false
	}
	return Caller{Task: d.task.arn, Cluster: d.task.cluster(), API: d.task.in.api, Key: d.task.key()}, true
}

// cluster is the name or the ARN of the task's cluster: the instance's, but of a Fargate task, whose instance is in the pool.
func (t *task) cluster() string {
	out := t.in.Cluster
	t.view(func(r *Record) {
		if r.Task.LaunchType == "FARGATE" {
			out = string(arn.Task(t.arn).Cluster())
		}
	})
	return out
}

// door is whom an id was given to: a container, or all of a task ("").
type door struct {
	task      *task
	container string
}

// doors remembers whom ids were given to. The records are what counts.
type doors struct{ known sync.Map } // of door by id

// door finds whom an id was given to. The door of a task that has stopped is not found.
func (a *Agent) door(id string) (door, bool) {
	if d, ok := a.doors.known.Load(id); ok && d.(door).opens(id) {
		return d.(door), true
	}
	a.doors.known.Delete(id)
	for _, t := range a.all() {
		if d, ok := t.door(id); ok {
			a.doors.known.Store(id, d)
			return d, true
		}
	}
	return door{}, false
}

// opens says whether the door's task still has the id.
func (d door) opens(id string) bool {
	same, ok := d.task.door(id)
	return ok && same == d
}

func (t *task) door(id string) (d door, ok bool) {
	t.view(func(r *Record) {
		d, ok = door{task: t}, r.Endpoint == id
		for i := range r.Containers {
			if r.Containers[i].Endpoint == id {
				d.container, ok = r.Containers[i].Name, true
			}
		}
		ok = ok && id != "" && !t.forgotten && !r.Stopped()
	})
	return d, ok
}

// forget drops what is remembered of a task that is gone.
func (d *doors) forget(t *task) {
	d.known.Range(func(id, v any) bool {
		if v.(door).task == t {
			d.known.Delete(id)
		}
		return true
	})
}

// reach finds out where a container reaches the agent, and gives it its id, which the next write to the ledger keeps.
func (t *task) reach(ctx context.Context, name string, at *place) error {
	var network, launchType string
	t.view(func(r *Record) { network, launchType = r.Network, r.Task.LaunchType })
	guest := t.in.tells(network, launchType)
	if t.agent.Front == nil || hidden(name) || network == "none" {
		return nil
	}
	uri, err := t.agent.Front.URI(ctx, network)
	if err != nil {
		return fmt.Errorf("find where containers reach the agent: %w", err)
	}
	if uri == "" {
		return nil
	}
	t.change(name, func(_ *Record, c *Container) bool {
		fresh := c.Endpoint == ""
		if fresh {
			c.Endpoint = rand.Text()
		}
		at.Front, at.Endpoint, at.Guest = uri, c.Endpoint, guest
		return fresh
	})
	return nil
}

// recognize takes the id of a container that exists from its label, for that is what the container knows, and what else the engine tells of it.
func (r *Record) recognize(c *Container, o *Observed) {
	if o == nil {
		return
	}
	if id := o.Labels[labelEndpoint]; id != "" {
		c.Endpoint = id
	}
	if o.Facts != nil && (c.Facts == nil || o.State == Running) {
		c.Facts = o.Facts.public(r.ordered(c.Name))
	}
}

// frontVariables tells a container where it reaches the agent, whatever its own environment says.
func frontVariables(c acsproto.Container, at place, config *container.Config) {
	if at.Front == "" || hidden(c.Name) {
		return
	}
	setVariable(config, "ECS_CONTAINER_METADATA_URI", at.Front+"/v3/"+at.Endpoint)
	setVariable(config, "ECS_CONTAINER_METADATA_URI_V4", at.Front+"/v4/"+at.Endpoint)
	setVariable(config, "ECS_AGENT_URI", at.Front+"/api/"+at.Endpoint)
}
