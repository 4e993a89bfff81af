package placement

import (
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/ecs"
)

func memberOf(expression string) types.PlacementConstraint {
	return types.PlacementConstraint{Type: types.PlacementConstraintTypeMemberOf, Expression: aws.String(expression)}
}

// memberYard are i1 (zone a, rack 1), i2 (zone a, rack 2), i3 (zone b, rack 2) and i4 (zone c) with room for many tasks. A task of group db
// is on i3; two of the request's own group are on i2.
func memberYard() *yard {
	y := newYard()
	y.own = "web"
	for n, at := range [][2]string{{"a", "1"}, {"a", "2"}, {"b", "2"}, {"c", ""}} {
		i := y.add(at[0], 1<<20, 1<<20)
		i.AgentVersion, i.Ec2InstanceID, i.RegisteredAt = []string{"1.9.0", "1.61.0", "1.61.0", "1.70.1"}[n], "i-000"+i.ContainerInstanceArn.ID(), time.Unix(0, 0)
		if at[1] != "" {
			i.Attributes = append(i.Attributes, types.Attribute{Name: aws.String("rack"), Value: aws.String(at[1])})
		}
	}
	y.others[y.instances[2].ContainerInstanceArn] = []string{"db"}
	y.group[y.instances[1].ContainerInstanceArn] = 2
	return y
}

func TestMemberOf(t *testing.T) {
	const refused = "MemberOf placement constraint unsatisfied."
	for _, c := range []struct {
		name        string
		constraints []types.PlacementConstraint
		want        string // of four tasks of group web
	}{
		{"an attribute", []types.PlacementConstraint{memberOf("attribute:rack == 2")}, "i3 i3 i2 i3"},
		{"all constraints hold", []types.PlacementConstraint{memberOf("attribute:rack == 2"), memberOf("attribute:ecs.availability-zone != b")}, "i2 i2 i2 i2"},
		{"other fields", []types.PlacementConstraint{memberOf("agentVersion > 1.10 and not(ec2InstanceId =~ i-000i[23]) and registeredAt < 1980-01-01")}, "i4 i4 i4 i4"},
		{"none is a member", []types.PlacementConstraint{memberOf("attribute:rack == 3")}, "refused 4: " + refused + " 4; closest i1 " + refused},
		{"affinity to another group", []types.PlacementConstraint{memberOf("task:group == db")}, "i3 i3 i3 i3"},
		{"affinity to the own group", []types.PlacementConstraint{memberOf("task:group == web")}, "i2 i2 i2 i2"},
		{"anti-affinity to another group", []types.PlacementConstraint{memberOf("not(task:group == db)")}, "i4 i4 i1 i4"},
		{"anti-affinity to the own group", []types.PlacementConstraint{memberOf("not(task:group == web)")}, "i3 i4 i1; refused 1: " + refused + " 4; closest i1 " + refused},
		{"empty instances", []types.PlacementConstraint{memberOf("task:group !exists")}, "i4 i1; refused 2: " + refused + " 4; closest i1 " + refused},
		{"somebody else's", []types.PlacementConstraint{memberOf("task:group != web")}, "i3 i3 i3 i3"},
		{"with distinctInstance", []types.PlacementConstraint{distinct, memberOf("attribute:rack exists")},
			"i3 i1; refused 2: DistinctInstance placement constraint unsatisfied. 3, " + refused + " 1; closest i1 DistinctInstance placement constraint unsatisfied."},
		{"what cannot be read", []types.PlacementConstraint{memberOf("rack 7")}, "refused 4: " + refused + " 4; closest i1 " + refused},
		{"no expression", []types.PlacementConstraint{{Type: types.PlacementConstraintTypeMemberOf}}, "refused 4: " + refused + " 4; closest i1 " + refused},
	} {
		r := Request{Count: 4, Group: "web", Service: true, Reserve: ecs.Resources{CPUUnits: 1, MemoryMiB: 1}, Constraints: c.constraints}
		if got := Decide(memberYard(), r).String(); got != c.want {
			t.Errorf("%s\ngot  %s\nwant %s", c.name, got, c.want)
		}
	}
}

// TestRunningTasks: a running task counts; one that is being placed does not run yet.
func TestRunningTasks(t *testing.T) {
	y := newYard()
	y.add("a", 100, 100)
	y.group[y.instances[0].ContainerInstanceArn] = 2 // the yard's tasks all run
	r := Request{Count: 2, Constraints: []types.PlacementConstraint{memberOf("runningTasksCount == 2")}}
	if got := Decide(y, r).String(); got != "i1 i1" {
		t.Errorf("got %s", got)
	}
	r.Constraints[0] = memberOf("runningTasksCount < 2")
	if v := Check(y, r, y.instances[0]); v.Reason != MemberOf {
		t.Errorf("got %s", v)
	}
}

func TestDependOnTasks(t *testing.T) {
	for expression, want := range map[string]bool{"attribute:a exists": false, "not(task:group == g)": true, "runningTasksCount < 3": true, "not one": false} {
		if got := DependOnTasks([]types.PlacementConstraint{distinct, memberOf(expression)}); got != want {
			t.Errorf("%s: %v", expression, got)
		}
	}
}

// TestOneZone: instances of other zones are not even refused.
func TestOneZone(t *testing.T) {
	r := Request{Count: 3, Group: "web", Service: true, Zone: "a", Constraints: []types.PlacementConstraint{distinct}}
	if got, want := Decide(memberYard(), r).String(), "i1; refused 2: DistinctInstance placement constraint unsatisfied. 2; closest i1 DistinctInstance placement constraint unsatisfied."; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	r.Zone = "d"
	if p := Decide(memberYard(), r); p.Refused != 3 || p.Closest.Instance != "" {
		t.Errorf("got %s", p)
	}
}

// TestSpreadWithoutTheAttribute: instances that lack the attribute are one more group of the spread.
func TestSpreadWithoutTheAttribute(t *testing.T) {
	y := memberYard()
	clear(y.group)
	r := Request{Count: 6, Group: "web", Service: true, Strategy: []types.PlacementStrategy{strategy(types.PlacementStrategyTypeSpread, "attribute:rack"), spreadHost}}
	if got := Decide(y, r).String(); got != "i1 i2 i4 i3 i1 i4" {
		t.Errorf("got %s", got)
	}
}

// notMember says why the tasks that a request put on an instance should not be there, by its constraints in plain Go.
func notMember(y *yard, r Request, i *ecs.Instance, placed int) string {
	a := i.ContainerInstanceArn
	rack, _ := i.Attribute("rack")
	if r.Zone != "" && i.Zone() != r.Zone {
		return "it is in another zone"
	}
	for _, c := range r.Constraints {
		wrong := false
		switch text(c.Expression) {
		case "attribute:rack == 1":
			wrong = rack != "1"
		case "not(task:group == g)":
			wrong = y.group[a] > 0 || placed > 1
		case "task:group == other or attribute:rack != 1":
			wrong = !slices.Contains(y.others[a], "other") && rack == "1"
		case "runningTasksCount < 2":
			wrong = y.group[a] >= 2
		case "task:group !exists":
			wrong = y.group[a] > 0 || len(y.others[a]) > 0 || placed > 1
		}
		if wrong {
			return *c.Expression
		}
	}
	return ""
}
