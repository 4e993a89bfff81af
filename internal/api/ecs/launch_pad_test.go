package ecs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/access"
	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/awswire"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/policy"
	"berth/internal/state"
	"berth/internal/state/statetest"
)

var (
	padScope   = arn.Scope{Partition: "aws", Region: "us-east-1", Account: "123456789012"}
	padCluster = padScope.Cluster("demo")
)

// launchPad is a cluster "demo" with container instances and task definitions, and a way to ask the operations that place and report as a
// client or an agent does: in JSON.
type launchPad struct {
	store *state.Store
	ops   map[string]frontdoor.Operation
	plans map[reflect.Type]*awswire.Plan // of the operations' inputs and outputs

	grants *policy.Grants // of every caller
}

// newLaunchPad has instances i1 (zone a) and i2 (zone b) of 1,024 CPU units and 1,024 MiB, i3 that is draining, and what records adds.
func newLaunchPad(t testing.TB, records ...ecs.Record) *launchPad {
	t.Helper()
	records = append([]ecs.Record{
		&ecs.Cluster{ClusterArn: padCluster, Status: ecs.Active}, &ecs.Cluster{ClusterArn: padScope.Cluster("empty"), Status: ecs.Active},
		&ecs.Cluster{ClusterArn: padScope.Cluster("gone"), Status: ecs.Inactive},
		padInstance("i1", "us-east-1a", ecs.Active), padInstance("i2", "us-east-1b", ecs.Active), padInstance("i3", "us-east-1c", ecs.Draining),
		&ecs.Credential{AccessKeyID: "ADMIN", Principal: access.Administrator}, padCredential("i1"), padCredential("i2"),
		padDefinition("web", types.TaskDefinition{Cpu: aws.String("256"), Memory: aws.String("300")},
			types.ContainerDefinition{Name: aws.String("web"), Image: aws.String("web:1"), Essential: aws.Bool(true), Memory: aws.Int32(200)},
			types.ContainerDefinition{Name: aws.String("log"), Image: aws.String("log:1"), Essential: aws.Bool(false), Cpu: 10, MemoryReservation: aws.Int32(100)}),
		padDefinition("port", types.TaskDefinition{}, types.ContainerDefinition{Name: aws.String("port"), Image: aws.String("port:1"), Memory: aws.Int32(10),
			PortMappings: []types.PortMapping{{ContainerPort: aws.Int32(80), HostPort: aws.Int32(80)}}}),
		padDefinition("vpc", types.TaskDefinition{NetworkMode: types.NetworkModeAwsvpc}, types.ContainerDefinition{Name: aws.String("c"), Memory: aws.Int32(10)}),
		padDefinition("old", types.TaskDefinition{Status: types.TaskDefinitionStatusInactive}, types.ContainerDefinition{Name: aws.String("c"), Memory: aws.Int32(10)}),
		padDefinition("gpu", types.TaskDefinition{RequiresAttributes: []types.Attribute{{Name: aws.String("gpu")}}},
			types.ContainerDefinition{Name: aws.String("c"), Memory: aws.Int32(10)}),
	}, records...)
	p := &launchPad{store: statetest.Open(t, records...), ops: map[string]frontdoor.Operation{}, plans: map[reflect.Type]*awswire.Plan{}, grants: access.Admin("").Grants}
	plans := awswire.NewCompiler(awswire.LowerCamel)
	for _, o := range New(Config{State: p.store}).Service().Operations {
		p.ops[o.Name] = o
		p.plans[o.Input], p.plans[o.Output] = plans.Plan(o.Input), plans.Plan(o.Output)
	}
	return p
}

func padInstance(id, zone, status string) *ecs.Instance {
	return &ecs.Instance{
		ContainerInstanceArn: padCluster.Instance(id), Status: status, Connected: true, AccessKeyID: "ADMIN",
		Registered: ecs.Resources{CPUUnits: 1024, MemoryMiB: 1024, PortsTCP: []int32{22}},
		Attributes: []types.Attribute{
			{Name: aws.String(ecs.AttributeZone), Value: aws.String(zone)}, {Name: aws.String(ecs.AttributeArchitecture), Value: aws.String("x86_64")},
		},
	}
}

func padCredential(instance string) *ecs.Credential {
	return &ecs.Credential{AccessKeyID: "AKIA" + instance, Account: padScope.Account, Principal: access.ContainerInstance, Cluster: padCluster,
		Instance: padCluster.Instance(instance)}
}

func padDefinition(family string, d types.TaskDefinition, containers ...types.ContainerDefinition) *ecs.TaskDefinition {
	d.Family, d.Revision, d.TaskDefinitionArn = &family, 1, aws.String(string(padScope.TaskDefinition(family, 1)))
	if d.Status == "" {
		d.Status = types.TaskDefinitionStatusActive
	}
	d.Compatibilities, d.ContainerDefinitions = []types.Compatibility{types.CompatibilityEc2}, containers
	return &ecs.TaskDefinition{Definition: d, Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String(family)}}}
}

func (p *launchPad) request(key string) *frontdoor.Request {
	return &frontdoor.Request{Scope: padScope, AccessKeyID: key, Host: "berth.example:3270", Caller: policy.Principal{ARN: "caller/" + key, Account: padScope.Account, Grants: p.grants}}
}

// ask makes one call with an access key and returns the answer as JSON, or the API's error.
func (p *launchPad) ask(t testing.TB, key, operation, body string) ([]byte, *apierr.Error) {
	t.Helper()
	return p.send(t, p.request(key), operation, body)
}

// send is ask as whoever a request is of.
func (p *launchPad) send(t testing.TB, r *frontdoor.Request, operation, body string) ([]byte, *apierr.Error) {
	t.Helper()
	o, ok := p.ops[operation]
	if !ok {
		t.Fatalf("no operation %s", operation)
	}
	in := reflect.New(o.Input)
	sent, err := p.plans[o.Input].DecodeJSON([]byte(body), in.Interface())
	if err != nil {
		t.Fatalf("%s %s: %v", operation, body, err)
	}
	r.Sent = sent
	out, err := o.Call(t.Context(), r, in.Interface())
	if err != nil {
		return nil, apierr.As(err)
	}
	return p.plans[o.Output].EncodeJSON(out), nil
}

// text is the answer or error for a golden file, one member a line.
func (p *launchPad) text(t testing.TB, key, operation, body string) string {
	t.Helper()
	out, failed := p.ask(t, key, operation, body)
	if failed != nil {
		return failed.Code + ": " + failed.Message + "\n"
	}
	var b bytes.Buffer
	if err := json.Indent(&b, out, "", "  "); err != nil {
		t.Fatal(err)
	}
	return b.String() + "\n"
}

// tasks are all tasks in the order in which they were made, as far as that is known.
func (p *launchPad) tasks() []*ecs.Task {
	var out []*ecs.Task
	for t := range p.store.View().Tasks.All() {
		out = append(out, t)
	}
	return out
}

// story asks the requests of a golden file, one a line: an access key, an operation and its input. TASK1 stands for the id of the first
// task that an answer showed, and so on. "wait 5s" lets time pass, as far as the test's bubble does.
type story struct {
	*launchPad
	ids []string
}

var (
	taskID      = regexp.MustCompile(`\b[0-9a-f]{32}\b`)
	containerID = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
)

func (s *story) tell(t *testing.T, line string) string {
	t.Helper()
	key, rest, _ := strings.Cut(line, " ")
	operation, body, _ := strings.Cut(rest, " ")
	for n := len(s.ids); n > 0; n-- {
		body = strings.ReplaceAll(body, fmt.Sprintf("TASK%d", n), s.ids[n-1])
	}
	out := taskID.ReplaceAllStringFunc(s.text(t, key, operation, body), s.name)
	return containerID.ReplaceAllString(out, "CONTAINER")
}

// name gives an id its number.
func (s *story) name(id string) string {
	for n, known := range s.ids {
		if known == id {
			return fmt.Sprintf("TASK%d", n+1)
		}
	}
	s.ids = append(s.ids, id)
	return fmt.Sprintf("TASK%d", len(s.ids))
}
