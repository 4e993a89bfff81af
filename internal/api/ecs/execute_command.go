package ecs

import (
	"context"
	"errors"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/relay"
	"berth/internal/state"
)

// Sessions opens sessions in containers. The leader's relay does.
type Sessions interface {
	Open(r relay.Request) (relay.Ticket, error)
	Resume(id string) (relay.Ticket, error)
	Terminate(id string) error
	// Account is whose task a session is in.
	Account(id string) (string, error)
	// List lists sessions, and Find finds one that is open.
	List(s arn.Scope, ended bool) []relay.Status
	Find(id string) (relay.Status, bool)
}

var _ Sessions = (*relay.Relay)(nil)

// execPrefix begins the ids of sessions that ExecuteCommand opens.
const execPrefix = "ecs-execute-command-"

// mostCommand is how long a command may be.
const mostCommand = 32 << 10

// executeCommand opens a session in which a command runs in a container. The answer lets the Session Manager plugin join it.
func (a *API) executeCommand(_ context.Context, r *frontdoor.Request, in *awsecs.ExecuteCommandInput) (*awsecs.ExecuteCommandOutput, error) {
	switch {
	case text(in.Command) == "":
		return nil, apierr.InvalidParameter("Command can not be blank.")
	case len(*in.Command) > mostCommand:
		return nil, apierr.InvalidParameter("command can be at most %d characters long.", mostCommand)
	case !in.Interactive:
		return nil, apierr.InvalidParameter("Interactive must be 'true'.")
	}
	t := a.store.View().Tables
	task, err := namedTask(t, r, in.Cluster, in.Task)
	if err != nil {
		return nil, err
	}
	c, err := a.execContainer(t, task, text(in.Container))
	if err != nil {
		return nil, err
	}
	group, err := sessionLog(t, task, c.Name)
	if err != nil {
		return nil, err
	}
	ticket, err := a.openSession(t, r, task, relay.Request{
		Container: c.Name, RuntimeID: c.RuntimeID, Command: *in.Command, Prefix: execPrefix, LogGroup: group, Document: documentExec,
	})
	if err != nil {
		return nil, err
	}
	return &awsecs.ExecuteCommandOutput{
		ClusterArn: new(string(task.TaskArn.Cluster())), TaskArn: new(string(task.TaskArn)), ContainerName: &c.Name, Interactive: true,
		ContainerArn: new(task.TaskArn.Container(ecs.ContainerID(task.TaskArn, c.Name))),
		Session:      &types.Session{SessionId: &ticket.ID, StreamUrl: new(streamURL(r, ticket.ID)), TokenValue: &ticket.Token},
	}, nil
}

// execContainer finds the container that a command is to run in: the one that is named, or the only one.
func (a *API) execContainer(t *state.Tables, task *ecs.Task, name string) (*ecs.Container, error) {
	names := containerNames(t, task)
	switch {
	case name == "" && len(names) > 1:
		return nil, apierr.InvalidParameter("Container can not be blank: the task has several containers.")
	case name == "" && len(names) == 1:
		name = names[0]
	}
	known := false
	for _, n := range names {
		known = known || n == name
	}
	if !known {
		return nil, apierr.InvalidParameter("The container %s does not exist in the task.", name)
	}
	for i := range task.Containers {
		if c := &task.Containers[i]; c.Name == name && execRuns(t, task, c) {
			return c, nil
		}
	}
	return nil, execNotEnabled()
}

// containerNames are those of a task's definition; of one whose definition was deleted those that the agent has spoken of.
func containerNames(t *state.Tables, task *ecs.Task) (names []string) {
	if d := t.Definitions.Get(task.TaskDefinitionArn); d != nil {
		for i := range d.Definition.ContainerDefinitions {
			names = append(names, text(d.Definition.ContainerDefinitions[i].Name))
		}
		return names
	}
	for i := range task.Containers {
		names = append(names, task.Containers[i].Name)
	}
	return names
}

// execRuns says whether sessions can be opened in a container: it runs, its task has them enabled, and its agent can.
func execRuns(t *state.Tables, task *ecs.Task, c *ecs.Container) bool {
	return task.EnableExecuteCommand && task.LastStatus == ecs.Running && task.DesiredStatus == ecs.Running && c.LastStatus == ecs.Running && c.RuntimeID != "" && canExec(t, task)
}

// canExec says whether the agent of a task's container instance opens sessions.
func canExec(t *state.Tables, task *ecs.Task) bool {
	i := t.Instances.Get(task.ContainerInstanceArn)
	if i == nil {
		return false
	}
	_, can := i.Attribute(ecs.AttributeExec)
	return can
}

// openSession opens a session in a container of a task, whose role must allow what a session needs. An error is AWS's.
func (a *API) openSession(t *state.Tables, r *frontdoor.Request, task *ecs.Task, s relay.Request) (relay.Ticket, error) {
	if a.config.Sessions == nil || a.config.MayExec != nil && !a.config.MayExec(t, task) {
		return relay.Ticket{}, targetNotConnected()
	}
	s.Task, s.Instance, s.Caller, s.Owner = task.TaskArn, task.ContainerInstanceArn, r.Caller.ARN, r.Caller.UserID
	s.Target = "ecs:" + task.TaskArn.Cluster().Name() + "_" + task.TaskArn.ID() + "_" + s.RuntimeID
	ticket, err := a.config.Sessions.Open(s)
	if errors.Is(err, relay.ErrNotRunning) {
		return relay.Ticket{}, apierr.Unavailable("The control plane has no leader right now. Try again.").Because(err)
	}
	if err != nil {
		return relay.Ticket{}, targetNotConnected().Because(err)
	}
	return ticket, nil
}

// streamURL is where a client joins a session: at the address under which it reached the API.
func streamURL(r *frontdoor.Request, id string) string {
	scheme := "ws://"
	if r.TLS {
		scheme = "wss://"
	}
	return scheme + r.Host + relay.ClientPath + id + "?role=publish_subscribe"
}

func execNotEnabled() error {
	return apierr.InvalidParameter("The execute command failed because execute command was not enabled when the task was run or the execute command agent isn’t running. " +
		"Wait and try again or run a new task with execute command enabled and try again.")
}

func targetNotConnected() *apierr.Error {
	return apierr.New("TargetNotConnectedException", "The execute command failed due to an internal error. Try again later.")
}

// sessionLog is the log group to which a session in a container is logged, "" for none, by the cluster's configuration: its own group, or where
// none is given that of the container.
func sessionLog(t *state.Tables, task *ecs.Task, container string) (group string, err error) {
	c := t.Clusters.Get(task.TaskArn.Cluster())
	if c == nil || c.Configuration == nil || c.Configuration.ExecuteCommandConfiguration == nil {
		return containerLog(t, task, container), nil
	}
	e := c.Configuration.ExecuteCommandConfiguration
	switch e.Logging {
	case types.ExecuteCommandLoggingNone:
		return "", nil
	case types.ExecuteCommandLoggingOverride:
		if l := e.LogConfiguration; l != nil && !blank(l.S3BucketName) {
			return "", apierr.InvalidParameter("Berth does not log sessions to S3: the cluster's configuration.executeCommandConfiguration.logConfiguration.s3BucketName must not be set.")
		} else if l != nil {
			return text(l.CloudWatchLogGroupName), nil
		}
		return "", nil
	}
	return containerLog(t, task, container), nil
}

// containerLog is the log group of a container with the log driver awslogs, "" with any other.
func containerLog(t *state.Tables, task *ecs.Task, container string) string {
	d := t.Definitions.Get(task.TaskDefinitionArn)
	if d == nil {
		return ""
	}
	for i := range d.Definition.ContainerDefinitions {
		c := &d.Definition.ContainerDefinitions[i]
		if l := c.LogConfiguration; text(c.Name) == container && l != nil && l.LogDriver == types.LogDriverAwslogs {
			return l.Options["awslogs-group"]
		}
	}
	return ""
}

// managedAgentsView shows in each container of a task with ECS Exec the agent that opens sessions in it. The machine's agent does, for as long as the
// container runs.
func managedAgentsView(t *state.Tables, task *ecs.Task, containers []types.Container) {
	if !task.EnableExecuteCommand {
		return
	}
	known := map[string]*ecs.Container{}
	for i := range task.Containers {
		known[task.Containers[i].Name] = &task.Containers[i]
	}
	for i := range containers {
		m := types.ManagedAgent{Name: types.ManagedAgentNameExecuteCommandAgent, LastStatus: new(string(ecs.Pending))}
		switch c := known[text(containers[i].Name)]; {
		case c == nil:
		case c.LastStatus == ecs.Stopped:
			m.LastStatus = new(string(ecs.Stopped))
		case c.LastStatus == ecs.Running && canExec(t, task):
			m.LastStatus, m.LastStartedAt = new(string(ecs.Running)), task.StartedAt
		}
		containers[i].ManagedAgents = []types.ManagedAgent{m}
	}
}
