package controller

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/ecs"
	"berth/internal/state"
)

// inZone gives an instance attributes.
func inZone(zone string, attributes ...string) func(*ecs.Instance) {
	return func(i *ecs.Instance) {
		i.Attributes = append(i.Attributes, types.Attribute{Name: aws.String(ecs.AttributeZone), Value: &zone})
		for _, a := range attributes {
			i.Attributes = append(i.Attributes, types.Attribute{Name: &a})
		}
	}
}

// reconfigure changes the service.
func reconfigure(t *testing.T, s *state.Store, change func(*ecs.Service)) {
	t.Helper()
	err := s.Update(t.Context(), func(tx *state.Tx) error {
		n := tx.Services.Get(demo.Service("web")).Clone()
		change(n)
		tx.Put(n)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 4 {
		report(t, s)
	}
}

// spread reads like "a2 b1": the service's tasks by zone.
func spread(s *state.Store) string {
	n := map[string]int{}
	for x := range s.View().Tasks.OfService(demo.Service("web")) {
		if !x.Over() {
			n[x.AvailabilityZone]++
		}
	}
	var parts []string
	for _, z := range slices.Sorted(maps.Keys(n)) {
		parts = append(parts, fmt.Sprintf("%s%d", z, n[z]))
	}
	return strings.Join(parts, " ")
}

func saidBy(s *state.Store, text string) (n int) {
	for e := range s.View().Events.All() {
		if strings.Contains(e.Message, text) {
			n++
		}
	}
	return n
}

// atRest fails the test if something is still being written when nothing changes any more.
func atRest(t *testing.T, s *state.Store) {
	t.Helper()
	before := s.View().N
	time.Sleep(time.Minute)
	if after := s.View().N; after != before {
		t.Errorf("%d commits within a minute in which nothing happened", after-before)
	}
}

// TestZonesAreBalanced: a zone appears without room, gets room, and is balanced; another appears whose instances the constraints exclude until
// one has the attribute.
func TestZonesAreBalanced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startServices(t, 0, 0)
		put(t, s, "ia", inZone("a", "good"))
		put(t, s, "ib", inZone("b", "good"))
		reconfigure(t, s, func(x *ecs.Service) {
			x.DesiredCount, x.AvailabilityZoneRebalancing = 6, types.AvailabilityZoneRebalancingEnabled
			x.PlacementConstraints = []types.PlacementConstraint{{Type: types.PlacementConstraintTypeMemberOf, Expression: aws.String("attribute:good exists")}}
		})
		if got := spread(s); got != "a3 b3" {
			t.Fatalf("at first: %s", got)
		}
		put(t, s, "id", inZone("d"))
		report(t, s)
		if got := spread(s); got != "a3 b3" || saidBy(s, "AZ balanced") > 0 {
			t.Fatalf("with a zone that will not do: %s", got)
		}
		tight := func(i *ecs.Instance) { inZone("c", "good")(i); i.Registered.MemoryMiB = 50 }
		put(t, s, "ic", tight)
		for range 4 {
			report(t, s)
		}
		atRest(t, s)
		for _, text := range []string{
			"(service web) is not AZ balanced with 3 tasks in a, 3 tasks in b, 0 tasks in c. AZ Rebalancing in progress.",
			"(service web) is unable to place a task in c because no container instance met all of its requirements.",
		} {
			if n := saidBy(s, text); n != 1 {
				t.Errorf("said %d times: %s", n, text)
			}
		}
		put(t, s, "ic", inZone("c", "good"))
		for range 4 {
			report(t, s)
		}
		if got := spread(s); got != "a2 b2 c2" {
			t.Errorf("in the end: %s", got)
		}
		for _, text := range []string{
			"(service web) has started 2 tasks in c to AZ Rebalance: (task ", "(service web) has stopped 1 running tasks in a due to AZ rebalancing: (task ",
			"(service web) has stopped 1 running tasks in b due to AZ rebalancing: (task ", "(service web) is AZ balanced with 2 tasks in a, 2 tasks in b, 2 tasks in c.",
		} {
			if n := saidBy(s, text); n != 1 {
				t.Errorf("said %d times: %s", n, text)
			}
		}
		if v := s.View().Services.Get(demo.Service("web")); v.Surge != 0 || v.SteadyAt == nil {
			t.Errorf("surge %d, steady %v", v.Surge, v.SteadyAt)
		}
		atRest(t, s)
		put(t, s, "id", inZone("d", "good"))
		for range 4 {
			report(t, s)
		}
		if got := spread(s); !strings.HasSuffix(got, "d1") {
			t.Errorf("with a zone that an attribute has made do: %s", got)
		}
	})
}

// TestConstraintsAreTriedAgain: a service whose constraints no instance fulfils has its task as soon as an attribute or another task makes one
// fulfil them.
func TestConstraintsAreTriedAgain(t *testing.T) {
	for _, expression := range []string{"attribute:stack == prod", "task:group == db", "runningTasksCount == 1"} {
		synctest.Test(t, func(t *testing.T) {
			s := startServices(t, 0, 1)
			reconfigure(t, s, func(x *ecs.Service) {
				x.DesiredCount = 1
				x.PlacementConstraints = []types.PlacementConstraint{{Type: types.PlacementConstraintTypeMemberOf, Expression: &expression}}
			})
			a := demo.Service("web")
			if c := s.View().Tasks.ServiceCounts(a); c.Tasks() != 0 {
				t.Fatalf("%s: %+v", expression, c)
			}
			if n := saidBy(s, `encountered error "MemberOf placement constraint unsatisfied."`); n != 1 {
				t.Errorf("%s: said %d times", expression, n)
			}
			atRest(t, s)
			err := s.Update(t.Context(), func(tx *state.Tx) error {
				i := *tx.Instances.Get(demo.Instance("i0"))
				if strings.HasPrefix(expression, "attribute") {
					i.Attributes = append(slices.Clone(i.Attributes), types.Attribute{Name: aws.String("stack"), Value: aws.String("prod")})
					tx.Put(&i)
					return nil
				}
				tx.Put(&ecs.Task{
					TaskArn: demo.Task("other"), ContainerInstanceArn: i.ContainerInstanceArn, Group: "db", DesiredStatus: ecs.Running, LastStatus: ecs.Pending,
					TaskDefinitionArn: tx.Services.Get(a).TaskDefinition,
				})
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			report(t, s)
			if c := s.View().Tasks.ServiceCounts(a); c.Tasks() != 1 {
				t.Errorf("%s: %+v", expression, c)
			}
		})
	}
}
