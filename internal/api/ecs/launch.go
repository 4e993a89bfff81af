package ecs

import (
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/awswire"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/launch"
	"berth/internal/placement"
	"berth/internal/state"
)

// launching is what RunTask and StartTask have in common: which tasks, and for whom.
type launching struct {
	cluster, definition  *string
	group, startedBy     *string
	referenceID          *string
	overrides            *types.TaskOverride
	propagateTags        types.PropagateTags
	tags                 []types.Tag
	managedTags          bool
	executeCommand       bool
	capacity             capacity
	volumeConfigurations []types.TaskVolumeConfiguration

	api *API
}

// validate checks what needs no look at the records. overrides is the plan of the overrides' shape.
func (l *launching) validate(overrides *awswire.Plan) error {
	if l.definition == nil || *l.definition == "" {
		return apierr.InvalidParameter("TaskDefinition can not be blank.")
	}
	if err := l.capacity.validate(); err != nil {
		return err
	}
	if len(l.volumeConfigurations) > 0 {
		return notActedOn("volumeConfigurations")
	}
	if err := l.validateNames(); err != nil {
		return err
	}
	switch l.propagateTags {
	case "", types.PropagateTagsNone, types.PropagateTagsTaskDefinition:
	case types.PropagateTagsService:
		return apierr.InvalidParameter("propagateTags SERVICE is only valid for the tasks of a service.")
	default:
		return oneOf("propagateTags", string(l.propagateTags), l.propagateTags.Values())
	}
	if err := validateTags(l.tags); err != nil {
		return err
	}
	return validateOverrides(l.overrides, overrides)
}

// mostStartedBy is the length of the longest startedBy.
const mostStartedBy = 128

func (l *launching) validateNames() error {
	if g := text(l.group); len(g) > mostName {
		return apierr.InvalidParameter("group can be at most %d characters long.", mostName)
	} else if strings.HasPrefix(g, "service:") {
		return apierr.InvalidParameter("Invalid namespace for group.")
	}
	if s := text(l.startedBy); len(s) > mostStartedBy {
		return apierr.InvalidParameter("startedBy longer than %d.", mostStartedBy)
	} else if strings.HasPrefix(s, "ecs-svc/") {
		return apierr.InvalidParameter("startedBy cannot begin with ecs-svc/: that is for the tasks of services.")
	}
	if len(text(l.referenceID)) > 1024 {
		return apierr.InvalidParameter("referenceId can be at most 1024 characters long.")
	}
	return nil
}

// order is a launch whose names are resolved: it makes tasks.
type order struct {
	*launching
	cluster    arn.Cluster
	definition *ecs.TaskDefinition
	network    *launch.Network // nil in modes without a network interface
	tags       []types.Tag
	now        time.Time
}

// resolve looks up the cluster and the task definition, and checks the launch against them.
func (l *launching) resolve(t *state.Tables, r *frontdoor.Request, now time.Time) (*order, error) {
	c, err := cluster(t, r, l.cluster)
	if err != nil {
		return nil, err
	}
	d, err := resolveDefinition(t, r, *l.definition)
	if err != nil {
		return nil, err
	}
	if d.Definition.Status != types.TaskDefinitionStatusActive {
		return nil, apierr.InvalidParameter("TaskDefinition is inactive")
	}
	if err := l.capacity.resolve(c); err != nil {
		return nil, err
	}
	network, err := l.capacity.suits(t, r.Scope, d)
	if err != nil {
		return nil, err
	}
	if err := overridesSuit(l.overrides, d); err != nil {
		return nil, err
	}
	if err := sizesSuit(l.overrides, d, l.capacity.fargate()); err != nil {
		return nil, err
	}
	if err := l.servesSessions(d); err != nil {
		return nil, err
	}
	if err := l.assume(t, c, d); err != nil {
		return nil, err
	}
	if err := l.api.mayAttach(t, c.ClusterArn, d); err != nil {
		return nil, err
	}
	tags := l.allTags(d)
	if len(tags) > mostTags {
		return nil, apierr.InvalidParameter("Too many tags: a resource can have at most %d tags, and %d were given.", mostTags, len(tags))
	}
	if err := authorizeTags(t, r, tags, newTasksOf(c)); err != nil {
		return nil, err
	}
	if l.managedTags { // ECS's own do not count
		key, name := "aws:ecs:clusterName", c.ClusterArn.Name()
		tags = append(tags, types.Tag{Key: &key, Value: &name})
	}
	return &order{launching: l, cluster: c.ClusterArn, definition: d, network: network, tags: tags, now: now}, nil
}

// supports checks that tasks of the definition can be of a launch type.
func supports(d *ecs.TaskDefinition, l types.LaunchType) error {
	if !slices.Contains(d.Definition.Compatibilities, types.Compatibility(l)) {
		return apierr.InvalidParameter("Task definition does not support launch_type %s.", l)
	}
	return nil
}

// allTags are the caller's tags, and the propagated ones whose keys the caller did not use.
func (l *launching) allTags(d *ecs.TaskDefinition) []types.Tag {
	out := slices.Clone(l.tags)
	if l.propagateTags == types.PropagateTagsTaskDefinition {
		for _, t := range d.Tags {
			if !slices.ContainsFunc(out, func(o types.Tag) bool { return text(o.Key) == text(t.Key) }) {
				out = append(out, t)
			}
		}
	}
	return out
}

// inGroup is the tasks' group: the caller's, or else the family's.
func (o *order) inGroup() string {
	if g := text(o.group); g != "" {
		return g
	}
	return "family:" + o.definition.ARN().Family()
}

// request says to placement what each task needs.
func (o *order) request(count int) placement.Request {
	return placement.Request{
		Count: count, Group: o.inGroup(), LaunchType: o.capacity.kind(), Zones: o.network.Zones(), Reserve: ecs.Reservation(o.definition, o.overrides),
		Required: placement.RequiredAttributes(o.definition), Constraints: placement.Constraints(nil, o.definition),
	}
}

// start stores a new task on an instance.
func (o *order) start(tx *state.Tx, i *ecs.Instance) *ecs.Task {
	spec := o.spec()
	spec.Task, spec.Instance, spec.LaunchType = o.cluster.Task(launch.NewID()), i, i.LaunchType()
	spec.Held = tx.Tasks.Usage(i.ContainerInstanceArn).Reserved
	return launch.Put(tx, spec, o.network)
}

// spec is what each task is made of, but for its place.
func (o *order) spec() ecs.TaskSpec {
	return ecs.TaskSpec{
		Task: o.cluster.Task(""), Definition: o.definition, Overrides: o.overrides, Group: o.inGroup(), StartedBy: text(o.startedBy),
		EnableExecuteCommand: o.executeCommand, Tags: o.tags, Now: o.now,
	}
}

// onFargate starts count tasks on Fargate, and returns how many find no capacity.
func (o *order) onFargate(tx *state.Tx, count int) (tasks []*ecs.Task, refused int) {
	for _, share := range launch.Shares(o.capacity.strategy, func(string) int { return 0 }, count) {
		f := launch.Fargate{Spec: o.spec(), Network: o.network, Count: share.Count, NewID: launch.NewID}
		f.Spec.CapacityProvider, f.Spec.PlatformVersion = share.Provider, ecs.ResolvedPlatform(o.capacity.platform)
		started, left := f.Start(tx)
		tasks, refused = append(tasks, started...), refused+left
	}
	return tasks, refused
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// launchResources are what the policy is asked about: the task definition, in the form with a revision where there is one.
func (a *API) launchResources(r *frontdoor.Request, definition *string) []string {
	d, err := resolveDefinition(a.store.View().Tables, r, text(definition))
	if err != nil {
		return nil
	}
	return []string{string(d.ARN())}
}
