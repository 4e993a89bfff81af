package launch

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/placement"
	"berth/internal/state"
)

// Fargate is a number of equal tasks to start on Fargate.
type Fargate struct {
	Spec    ecs.TaskSpec // of each, without task, instance and interface
	Network *Network
	Count   int
	InZone  func(zone string) int // how many tasks of the kind there are in an availability zone; nil: that does not matter
	Wait    bool                  // also where there is no capacity now and the pool cannot grow
	NewID   func() string         // of a task
}

// Start starts the tasks: evenly over the availability zones of their subnets, on members of the pool with room for them. What finds no room waits for the pool
// to grow. refused are those that find none where it cannot, and that must not wait, and all that no member could run; nothing is stored of them.
func (f *Fargate) Start(tx *state.Tx) (tasks []*ecs.Task, refused int) {
	if !served(f.Spec.Definition) {
		return nil, f.Count
	}
	zones := f.Network.Zones()
	more := f.split(tx, zones)
	for _, zone := range zones { // what a zone has no room for goes on to those behind it that can take it
		tasks = append(tasks, f.place(tx, zone, more[zone])...)
	}
	left := 0
	for _, n := range more {
		left += *n
	}
	for _, zone := range zones {
		if left == 0 {
			break
		}
		tasks = append(tasks, f.place(tx, zone, &left)...)
	}
	if left > 0 {
		zones = slices.DeleteFunc(zones, func(z string) bool { return Lacking(tx.Tables, f.Spec.Definition, f.Spec.Overrides, z) })
	}
	for left > 0 {
		zone := f.waitIn(tx, zones, tasks)
		if zone == "" {
			return tasks, left
		}
		tasks = append(tasks, f.put(tx, zone, nil))
		left--
	}
	return tasks, 0
}

// served reports whether there can be members that run tasks of a definition: Linux ones.
func served(d *ecs.TaskDefinition) bool {
	p := d.Definition.RuntimePlatform
	return p == nil || p.OperatingSystemFamily == "" || p.OperatingSystemFamily == types.OSFamilyLinux
}

// Lacking reports whether the pool's members of a task's architecture in a zone all lack an attribute that it needs, a log driver for one: new ones will lack it
// too.
func Lacking(t *state.Tables, d *ecs.TaskDefinition, o *types.TaskOverride, zone string) bool {
	r := PoolRequest(d, o)
	r.Zone = zone
	some := false
	for room, v := range placement.Survey(t.Fleet(arn.Pool), r) {
		if is, _ := room.Instance.Attribute(ecs.AttributeArchitecture); room.Instance.Zone() != zone || is != ecs.Architecture(d) {
			continue
		}
		if v.Reason != placement.Attribute {
			return false
		}
		some = true
	}
	return some
}

// split shares the tasks among the zones: each to the one that has the fewest.
func (f *Fargate) split(tx *state.Tx, zones []string) map[string]*int {
	more := map[string]*int{}
	for _, z := range zones {
		more[z] = new(int)
	}
	first := int(randomNumber() % uint32(len(zones))) // a single task without a service goes anywhere
	for range f.Count {
		best := zones[first]
		for _, z := range zones {
			if f.has(z)+*more[z] < f.has(best)+*more[best] {
				best = z
			}
		}
		*more[best]++
	}
	return more
}

func (f *Fargate) has(zone string) int {
	if f.InZone == nil {
		return 0
	}
	return f.InZone(zone)
}

// place puts tasks on members in a zone that have room, and takes them from n.
func (f *Fargate) place(tx *state.Tx, zone string, n *int) (tasks []*ecs.Task) {
	if *n == 0 {
		return nil
	}
	r := PoolRequest(f.Spec.Definition, f.Spec.Overrides)
	r.Count, r.Zone = *n, zone
	for _, i := range placement.Decide(tx.Fleet(arn.Pool), r).Placed {
		tasks = append(tasks, f.put(tx, zone, tx.Instances.Get(i)))
		*n--
	}
	return tasks
}

// PoolRequest is what a task on Fargate needs of a member of the pool: room. Members are filled one after another, so that others become empty and can go.
func PoolRequest(d *ecs.TaskDefinition, o *types.TaskOverride) placement.Request {
	return placement.Request{
		LaunchType: types.LaunchTypeFargate, Reserve: ecs.Reservation(d, o),
		Required: append(placement.RequiredAttributes(d), ecs.AttributeArchitecture+"="+ecs.Architecture(d)),
		Strategy: []types.PlacementStrategy{{Type: types.PlacementStrategyTypeBinpack, Field: aws.String("memory")}},
	}
}

// waitIn is the zone where one more task waits for capacity: of those where the pool can grow the one with the fewest tasks. "" is none.
func (f *Fargate) waitIn(tx *state.Tx, zones []string, started []*ecs.Task) string {
	best, fewest := "", 0
	for _, z := range zones {
		if !f.Wait && tx.Pool().Unavailable(z, ecs.Architecture(f.Spec.Definition)) {
			continue
		}
		n := f.has(z)
		for _, t := range started {
			if t.AvailabilityZone == z {
				n++
			}
		}
		if best == "" || n < fewest {
			best, fewest = z, n
		}
	}
	return best
}

// put stores a new task, on a member or waiting for one.
func (f *Fargate) put(tx *state.Tx, zone string, member *ecs.Instance) *ecs.Task {
	spec := f.Spec
	spec.Task = spec.Task.Cluster().Task(f.NewID())
	spec.Instance, spec.Zone = member, zone
	return Put(tx, spec, f.Network)
}

// Put stores a new task with its network interface; network is nil of tasks in other modes. One for whose interface there is no address has stopped when it
// is stored.
func Put(tx *state.Tx, spec ecs.TaskSpec, network *Network) *ecs.Task {
	zone := spec.Zone
	if spec.Instance != nil {
		zone = spec.Instance.Zone()
	}
	i, failure := network.Interface(tx.Tables, zone)
	spec.Interface = i
	if failure != "" {
		spec.Instance, spec.Zone = nil, zone
	}
	t := ecs.NewTask(spec)
	if failure != "" {
		t.Stop(spec.Now, types.TaskStopCodeTaskFailedToStart, failure)
	}
	tx.Put(t)
	return t
}

// Chosen is the platform of a launch type or a capacity provider: the platform version that was asked for, LATEST where none was, and "" of what is
// not Fargate.
func Chosen(launchType types.LaunchType, strategy []types.CapacityProviderStrategyItem, asked string) string {
	if !OnFargate(launchType, strategy) {
		return ""
	}
	if asked == "" {
		return ecs.LatestPlatform
	}
	return asked
}

// OnFargate reports whether tasks of a launch type, or of a capacity provider strategy, run on Fargate.
func OnFargate(launchType types.LaunchType, strategy []types.CapacityProviderStrategyItem) bool {
	return launchType == types.LaunchTypeFargate || slices.ContainsFunc(strategy, func(s types.CapacityProviderStrategyItem) bool {
		return *s.CapacityProvider == ecs.ProviderFargate || *s.CapacityProvider == ecs.ProviderFargateSpot
	})
}
