package agent

import (
	"context"
	"time"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
)

// Ledger keeps what only the agent knows, over its restarts. It is safe for concurrent use.
type Ledger interface {
	// Read calls each for every kept value.
	Read(each func(key string, value []byte) error) error
	// Write keeps the values, all or none, and returns when they survive a crash. A nil value deletes its key.
	Write(ctx context.Context, changes map[string][]byte) error
}

// Groups are the tasks' control groups.
type Groups interface {
	// Ensure makes a task's group with its limits, or sets them again, and returns the engine's name of it as a parent of containers.
	Ensure(ctx context.Context, g Group) (parent string, err error)
	// Remove removes a task's group with whatever processes are left in it. One that does not exist is no error.
	Remove(ctx context.Context, g Group) error
	// Usage reads what a running container of the group has used.
	Usage(g Group, containerID string) (Usage, error)
}

// Group is the control group of a task. Zero limits are none.
type Group struct {
	Instance    string // the local name of the container instance
	Task        string // the task's id
	CPUShares   int64  // weight against other tasks, in CPU units
	CPUUnits    int64  // hard limit, 1024 for one core
	MemoryBytes int64  // hard limit
	NoSwap      bool   // nothing of it goes to swap
}

// Usage is what a container has used: CPU time since its start, and memory now, without the page cache.
type Usage struct {
	CPU         time.Duration
	MemoryBytes int64
}

// API are the control plane's operations that an agent calls. The SDK's client has them.
type API interface {
	RegisterContainerInstance(context.Context, *awsecs.RegisterContainerInstanceInput, ...func(*awsecs.Options)) (
		*awsecs.RegisterContainerInstanceOutput, error)
	DiscoverPollEndpoint(context.Context, *awsecs.DiscoverPollEndpointInput, ...func(*awsecs.Options)) (*awsecs.DiscoverPollEndpointOutput, error)
	SubmitTaskStateChange(context.Context, *awsecs.SubmitTaskStateChangeInput, ...func(*awsecs.Options)) (
		*awsecs.SubmitTaskStateChangeOutput, error)
	ListTagsForResource(context.Context, *awsecs.ListTagsForResourceInput, ...func(*awsecs.Options)) (*awsecs.ListTagsForResourceOutput, error)
	ProtectionAPI
}
