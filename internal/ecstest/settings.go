package ecstest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/agent/agenttest"
	"berth/internal/arn"
	"berth/internal/ecs"
)

// images are what the task definitions run. What is not among them cannot be pulled.
var images = map[string]agenttest.Image{
	"app":   {},
	"other": {},
	"crash": {Runs: 50 * time.Millisecond, ExitCode: 1},
	"job":   {Runs: 5 * time.Second},
	"slow":  {HealthyIn: 3 * time.Second},
}

// families are the task definitions.
var families = []struct {
	name, image string
	ports       bool
	check       bool
	constraint  string
}{
	{name: "app", image: "app"}, {name: "other", image: "other"}, {name: "port", image: "app", ports: true}, {name: "slow", image: "slow", check: true},
	{name: "job", image: "job"}, {name: "crash", image: "crash"}, {name: "broken", image: "nowhere"}, {name: "red", image: "app", constraint: onlyRed},
}

// What each of their tasks holds of its instance: the port only where it has one.
const (
	taskCPU  = 128
	taskMiB  = 128
	taskPort = 8080
)

// family is the one that a step's number means: those whose services can come to rest more often than the others.
func family(c int) *string {
	often := []string{"app", "other", "slow", "app", "port", "other", "broken", "red", "job", "app", "crash", "other", "broken"}
	return aws.String(often[c%len(often)])
}

// The attributes that clients put on instances.
var (
	attributes = []string{"color", "rack"}
	values     = []string{"red", "blue"}
)

const onlyRed = "attribute:color == red"

// constraint is a placement constraint as steps draw it, and the same said again without the product: whether a task may be on an instance
// beside others. tasks are how many should run there of a group, or run at all where the group is "".
type constraint struct {
	expression string // "" is distinctInstance
	holds      func(i *ecs.Instance, own string, tasks func(group string) int) bool
}

func attributeIs(name string, wanted ...string) func(*ecs.Instance, string, func(string) int) bool {
	return func(i *ecs.Instance, _ string, _ func(string) int) bool {
		v, has := i.Attribute(name)
		return has && (len(wanted) == 0 || slices.Contains(wanted, v))
	}
}

var constraints = []constraint{
	{onlyRed, attributeIs("color", "red")},
	{"attribute:color exists", attributeIs("color")},
	{"not (attribute:rack in [red, blue]) or attribute:color == blue", func(i *ecs.Instance, _ string, _ func(string) int) bool {
		rack, _ := i.Attribute("rack")
		color, _ := i.Attribute("color")
		return rack != "red" && rack != "blue" || color == "blue"
	}},
	{"", func(_ *ecs.Instance, own string, tasks func(string) int) bool { return tasks(own) == 0 }},
	{"not (task:group == service:service-0)", func(_ *ecs.Instance, _ string, tasks func(string) int) bool { return tasks("service:service-0") == 0 }},
	{"runningTasksCount < 3", func(_ *ecs.Instance, _ string, tasks func(string) int) bool { return tasks("") < 3 }},
}

// byAttributes is how many of them, from the first on, look at nothing but attributes.
const byAttributes = 3

// allowed reports whether all constraints hold on an instance. It panics for one that no step draws.
func allowed(all []types.PlacementConstraint, i *ecs.Instance, own string, tasks func(group string) int) bool {
	for _, c := range all {
		n := slices.IndexFunc(constraints, func(k constraint) bool { return k.expression == aws.ToString(c.Expression) })
		if !constraints[n].holds(i, own, tasks) {
			return false
		}
	}
	return true
}

// drawn are the constraints that a digit means: half of the digits mean none.
func drawn(digit int) []types.PlacementConstraint {
	n := digit - len(constraints)
	if n < 0 {
		return nil
	}
	if e := constraints[n].expression; e != "" {
		return []types.PlacementConstraint{{Type: types.PlacementConstraintTypeMemberOf, Expression: &e}}
	}
	return []types.PlacementConstraint{{Type: types.PlacementConstraintTypeDistinctInstance}}
}

func spread(field string) types.PlacementStrategy {
	return types.PlacementStrategy{Type: types.PlacementStrategyTypeSpread, Field: &field}
}

// strategies are drawn too: none, and chains of up to three.
var strategies = [][]types.PlacementStrategy{
	nil,
	{spread("attribute:ecs.availability-zone"), spread("attribute:color"), spread("instanceId")},
	{spread("attribute:color"), {Type: types.PlacementStrategyTypeBinpack, Field: aws.String("memory")}},
	{{Type: types.PlacementStrategyTypeRandom}},
}

// settings are what a step says of a service beyond its tasks and their family.
type settings struct {
	daemon            bool
	constraints       []types.PlacementConstraint
	strategy          []types.PlacementStrategy
	low, high         *int32
	breaker, rollback bool
	rebalancing       types.AvailabilityZoneRebalancing
	force             bool // forceNewDeployment
	placement         bool // an update changes constraints and strategy
	propagate         bool
}

// settingsEnd is the end of the numbers that are read, digit by digit.
const settingsEnd = 3 * 12 * 6 * 3 * 3 * 2 * 3 * 3 * 4 * 3 * 2

func (x Step) settings() settings {
	left := x.D
	digit := func(of int) int {
		d := left % of
		left /= of
		return d
	}
	s := settings{daemon: digit(3) == 2}
	if n := digit(12); !s.daemon || n < len(constraints)+byAttributes {
		s.constraints = drawn(n)
	}
	if n := digit(6); !s.daemon && n < len(strategies) {
		s.strategy = strategies[n]
	}
	s.low, s.high = aws.Int32([]int32{100, 50, 0}[digit(3)]), aws.Int32([]int32{200, 150, 100}[digit(3)])
	switch {
	case s.daemon:
		s.low, s.high = aws.Int32(*s.low/2), nil
	case *s.low == 100 && *s.high == 100:
		*s.high = 200
	}
	s.breaker, s.rollback = digit(2) == 0, digit(3) > 0
	s.rebalancing = []types.AvailabilityZoneRebalancing{"", types.AvailabilityZoneRebalancingEnabled, types.AvailabilityZoneRebalancingDisabled}[digit(3)]
	if s.daemon || len(s.strategy) > 0 && aws.ToString(s.strategy[0].Field) != "attribute:"+ecs.AttributeZone || s.high != nil && *s.high == 100 {
		s.rebalancing = ""
	}
	s.force, s.placement, s.propagate = digit(4) == 3, digit(3) == 2, digit(2) == 1
	return s
}

// startedBy begins the startedBy of tasks that a client runs: the rest is the digit of their constraint.
const startedBy = "script-"

// runConstraint is the constraint of a RunTask step, and the startedBy that tells it.
func runConstraint(d int) ([]types.PlacementConstraint, *string) {
	n := d % (2 * len(constraints))
	return drawn(n), aws.String(startedBy + strconv.Itoa(n))
}

// constraintsOf are the constraints under which a task was placed: those of its service, or of the request that ran it, and its definition's.
func constraintsOf(t *ecs.Task, s *ecs.Service) (out []types.PlacementConstraint) {
	switch n, ran := strings.CutPrefix(t.StartedBy, startedBy); {
	case s != nil:
		out = slices.Clone(s.PlacementConstraints)
	case ran:
		digit, err := strconv.Atoi(n)
		if err != nil {
			panic(fmt.Sprintf("startedBy %q: %v", t.StartedBy, err))
		}
		out = drawn(digit)
	}
	return append(out, familyConstraints(t.TaskDefinitionArn)...)
}

func familyConstraints(d arn.TaskDefinition) (out []types.PlacementConstraint) {
	for _, f := range families {
		if f.name == d.Family() && f.constraint != "" {
			out = append(out, types.PlacementConstraint{Type: types.PlacementConstraintTypeMemberOf, Expression: &f.constraint})
		}
	}
	return out
}
