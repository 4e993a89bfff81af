package endpoint_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/moby/moby/api/types/container"

	"berth/internal/acs"
	"berth/internal/acsproto"
	"berth/internal/agent"
	"berth/internal/agent/agenttest"
	"berth/internal/agent/endpoint"
	"berth/internal/golden"
)

// TestStories runs tasks on an agent whose engine and control plane are in memory, and shows what their containers are answered. The section "tasks" has
// the orders, one in a line, and "asks" what is done, one after the other: a path, where {NAME} is the id of the container of that name, or one of
//
//	wait DURATION
//	health NAME HEALTH     the container's health is HEALTHY or UNHEALTHY from now on
//	exit NAME CODE         the container ends
//	tags ARN KEY VALUE     the control plane's; ARN may be "instance"
//	no tags                the control plane refuses to tell any
//	lose                   the agent is killed, its ledger is lost, and it is started again
//	at VPC ADDRESS PATH    a path, asked from an address in a VPC
//
// The section "records" has tasks that the agent has in its ledger from before, one in a line; their containers run.
func TestStories(t *testing.T) {
	golden.Run(t, "testdata/story/*.txtar", func(t *testing.T, in map[string]string) (out string) {
		synctest.Test(t, func(t *testing.T) { out = tell(t, in) })
		return out
	})
}

type story struct {
	t       *testing.T
	engine  *agenttest.Engine
	ledger  *agenttest.Ledger
	control *agenttest.Control
	config  agent.Config
	handler http.Handler
	kill    func()
}

// fronts is a Front for all network modes.
type fronts struct{}

func (fronts) URI(context.Context, string) (string, error) { return endpoint.Endpoints, nil }

func tell(t *testing.T, in map[string]string) string {
	s := &story{t: t, engine: agenttest.NewEngine("test"), ledger: &agenttest.Ledger{}, control: agenttest.NewControl()}
	for _, name := range []string{"app", "side", "pause"} {
		s.engine.AddImage(name, agenttest.Image{})
	}
	s.engine.Interfaces = map[string]bool{"pause": true}
	s.engine.AddImage("checked", agenttest.Image{HealthyIn: 10 * time.Second})
	s.config = agent.Config{
		Installation: "test", Instances: []agent.InstanceConfig{{Name: "one", Cluster: "demo", Zone: "us-east-1b"}}, Front: fronts{},
		Engine: s.engine.Seam(), Ledger: s.ledger, API: func(agent.InstanceConfig) agent.API { return s.control },
		RunTelemetry: s.control.RunTelemetry,
		Pause:        func(context.Context) (string, error) { return "pause", nil },
		Clock: func() (agent.Clock, error) {
			return agent.Clock{At: time.Now(), ErrorBound: 1500 * time.Microsecond, Synchronized: true}, nil
		},
	}
	s.config.RunAgent = func(ctx context.Context, c acs.AgentConfig, o acs.Orders) error {
		o.Network(ctx, acsproto.Network{Whole: true, VPCs: []acsproto.VPC{{ID: "vpc-1"}, {ID: "vpc-2"}},
			Interfaces: []acsproto.NetworkInterface{{ID: "eni-1", VPC: "vpc-1", Local: true}, {ID: "eni-2", VPC: "vpc-2", Local: true}}})
		return s.control.RunAgent(ctx, c, o)
	}
	for line := range strings.Lines(in["records"]) {
		s.remember(line)
	}
	s.start()
	defer func() { s.kill() }()
	time.Sleep(time.Second)
	for line := range strings.Lines(in["tasks"]) {
		var task acsproto.Task
		if err := json.Unmarshal([]byte(line), &task); err != nil {
			t.Fatal(err)
		}
		s.control.Run(task)
		time.Sleep(time.Second)
	}
	var out strings.Builder
	for line := range strings.Lines(in["asks"]) {
		line = strings.TrimSpace(line)
		fmt.Fprintf(&out, "> %s\n", line)
		if words := strings.Fields(line); words[0] == "at" {
			out.WriteString(s.ask(words[3], words[1], words[2]))
		} else if strings.HasPrefix(line, "/") {
			out.WriteString(s.ask(line, "", "172.17.0.2"))
		} else {
			s.do(strings.Fields(line))
		}
	}
	return out.String()
}

func (s *story) start() {
	a, err := agent.New(s.config)
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	s.kill = func() { cancel(); <-ended; s.kill = func() {} }
	s.handler = endpoint.Handler(a, nil)
}

func (s *story) do(words []string) {
	switch words[0] {
	case "wait":
		d, err := time.ParseDuration(words[1])
		if err != nil {
			s.t.Fatal(err)
		}
		time.Sleep(d)
	case "exit":
		code := 0
		if _, err := fmt.Sscan(words[2], &code); err != nil {
			s.t.Fatal(err)
		}
		s.engine.Exit(s.container(words[1]), code)
	case "health":
		s.engine.SetHealth(s.container(words[1]), words[2])
	case "tags":
		arn := words[1]
		if arn == "instance" {
			arn = "arn:aws:ecs:us-east-1:123456789012:container-instance/demo/" + strings.Repeat("0", 31) + "1"
		}
		s.control.Tag(arn, nil, types.Tag{Key: &words[2], Value: &words[3]})
	case "no":
		s.control.Tag("", &awshttp.ResponseError{RequestID: "r-1", ResponseError: &smithyhttp.ResponseError{
			Response: &smithyhttp.Response{Response: &http.Response{StatusCode: 400}},
			Err:      &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "User is not authorized to perform: ecs:ListTagsForResource"},
		}})
	case "lose":
		s.kill()
		s.ledger.Lose()
		s.start()
		time.Sleep(time.Second)
	default:
		s.t.Fatalf("%s: no such thing can be done", words[0])
	}
	synctest.Wait()
}

// container is the engine's name of the running container of that name.
func (s *story) container(name string) string {
	for engines, labels := range s.engine.Running() {
		if labels["com.amazonaws.ecs.container-name"] == name {
			return engines
		}
	}
	s.t.Fatalf("container %s does not run", name)
	return ""
}

// remember makes a task of the past: its record in the ledger, and its containers.
func (s *story) remember(line string) {
	var r agent.Record
	if err := json.Unmarshal([]byte(line), &r); err != nil {
		s.t.Fatal(err)
	}
	for i := range r.Containers {
		c := &r.Containers[i]
		spec := agent.Spec{Name: r.Task.ARN[len(r.Task.ARN)-1:] + c.Name, HostConfig: &container.HostConfig{NetworkMode: "container:pause"}, Config: &container.Config{
			Image: r.Task.Containers[i].Image, Labels: map[string]string{agent.LabelInstallation: "test", "com.amazonaws.ecs.container-name": c.Name,
				"com.amazonaws.ecs.task-arn": r.Task.ARN, "berth.endpoint": c.Endpoint},
		}}
		id, err := s.engine.Create(s.t.Context(), spec)
		if err == nil {
			err = s.engine.Start(s.t.Context(), id)
		}
		if err != nil {
			s.t.Fatal(err)
		}
		c.ID, c.Phase, c.StartedAt = id, agent.Up, time.Now()
	}
	value, err := json.Marshal(r)
	if err == nil {
		err = s.ledger.Write(s.t.Context(), map[string][]byte{"task/" + r.Task.ARN: value})
	}
	if err != nil {
		s.t.Fatal(err)
	}
	s.control.Run(r.Task)
}

func (s *story) ask(path, vpc, from string) string {
	for {
		before, name, ok := strings.Cut(path, "{")
		if !ok {
			break
		}
		name, after, _ := strings.Cut(name, "}")
		path = before + s.engine.Running()[s.container(name)]["berth.endpoint"] + after
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.RemoteAddr = from + ":40000"
	s.handler.ServeHTTP(w, endpoint.InVPC(r, vpc))
	b, err := io.ReadAll(w.Result().Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return fmt.Sprintf("%d %s\n%s", w.Code, w.Header().Get("Content-Type"), pretty(b))
}

func pretty(b []byte) string {
	var out bytes.Buffer
	if err := json.Indent(&out, b, "", "  "); err != nil {
		return string(bytes.TrimSpace(b)) + "\n"
	}
	return out.String() + "\n"
}
