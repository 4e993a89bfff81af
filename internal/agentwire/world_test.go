package agentwire

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// world is a server that is held to the agent's protocol. Everything about it is asked over the wire.
type world struct {
	dial  func() (net.Conn, error)
	host  string
	admin Keys
	join  func(t *testing.T, cluster string) Keys // a container instance's own credential
}

// onPlane is a world in this process, on a real TCP listener.
func onPlane(t *testing.T) *world {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := newPlane(t, l, 0)
	address := l.Addr().String()
	w := &world{dial: func() (net.Conn, error) { return net.Dial("tcp", address) }, host: address, admin: p.admin}
	w.join = p.join
	return w
}

func (p *plane) join(t *testing.T, cluster string) Keys {
	t.Helper()
	token, _, err := p.keys.NewJoinToken(t.Context(), scope.Cluster(cluster), "")
	if err != nil {
		t.Fatal(err)
	}
	c, secret, err := p.keys.Join(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	return Keys{AccessKeyID: c.AccessKeyID, SecretAccessKey: secret, Region: "us-east-1"}
}

func (w *world) client(t *testing.T, k Keys) *Client {
	c := &Client{Dial: w.dial, Host: w.host, Keys: k}
	t.Cleanup(c.Close)
	return c
}

// stage is a cluster of one test with what tests do to it.
type stage struct {
	*testing.T
	w       *world
	admin   *Client
	cluster string
}

func (w *world) stage(t *testing.T) *stage {
	t.Helper()
	name := strings.NewReplacer("/", "-", " ", "-", "#", "-").Replace(t.Name())
	s := &stage{t, w, w.client(t, w.admin), name}
	s.await("a leader that takes sessions", func() bool {
		a := NewAgent(s.admin, name)
		a.Instance, a.Endpoint = "arn:aws:ecs:us-east-1:"+testAccount+":container-instance/"+name+"/0", "http://"+w.host+"/acs/"
		_, err := a.OpenACS(nil)
		return s.refused(err) == "InvalidInstanceException"
	})
	s.ask("CreateCluster", Object{{"clusterName", s.cluster}})
	return s
}

// ask makes one of the operator's calls, which must succeed.
func (s *stage) ask(operation string, body Object) map[string]any {
	s.Helper()
	answer, err := s.admin.Call(operation, body.JSON(As))
	if err != nil {
		s.Fatalf("%s: %v", operation, err)
	}
	if e := answer.Error(); e != "" {
		s.Fatalf("%s: %s: %s", operation, e, answer.Message())
	}
	var out map[string]any
	if err := json.Unmarshal(answer.Body, &out); err != nil {
		s.Fatalf("%s: %v: %s", operation, err, answer.Body)
	}
	return out
}

// at walks an answer: names of members and places in lists. Without such a place it is nil.
func at(v any, path ...any) any {
	for _, p := range path {
		switch p := p.(type) {
		case string:
			o, _ := v.(map[string]any)
			v = o[p]
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				return nil
			}
			v = l[p]
		}
	}
	return v
}

// ok ends the test at an error.
func (s *stage) ok(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// is compares a value of an answer.
func (s *stage) is(what string, got, want any) {
	s.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		s.Errorf("%s is %v, want %v", what, got, want)
	}
}

// agent is an agent of a machine that has joined and registered; it is not connected.
func (s *stage) agent() *Agent {
	s.Helper()
	a := NewAgent(s.w.client(s.T, s.w.join(s.T, s.cluster)), s.cluster)
	s.Cleanup(a.Drop)
	s.ok(a.Register(NewRegistration(s.cluster)))
	s.ok(a.Discover())
	return a
}

// connected is an agent that has its session and the first manifest.
func (s *stage) connected() *Agent {
	s.Helper()
	a := s.agent()
	s.connect(a)
	return a
}

// connect opens a session and takes the first manifest.
func (s *stage) connect(a *Agent) Message {
	s.Helper()
	s.ok(a.Connect())
	m, err := a.Until("TaskManifestMessage")
	s.ok(err)
	return m
}

// restarted is the agent's process after its end, with its state; its sockets went without a word.
func (s *stage) restarted(a *Agent) *Agent {
	b := a.Restart()
	s.Cleanup(b.Drop)
	return b
}

// definition registers a task definition of one container "c" and returns its name with its revision.
func (s *stage) definition(change func(definition, container Object) (Object, Object)) string {
	s.Helper()
	d := Object{{"family", s.cluster}, {"networkMode", "bridge"}}
	c := Object{{"name", "c"}, {"image", "busybox:1"}, {"essential", true}, {"cpu", 128}, {"memory", 64}}
	if change != nil {
		d, c = change(d, c)
	}
	if at := d.member("containerDefinitions"); at == nil {
		d = append(d, Member{"containerDefinitions", []Object{c}})
	}
	out := s.ask("RegisterTaskDefinition", d)
	return fmt.Sprint(at(out, "taskDefinition", "taskDefinitionArn"))
}

func (o Object) member(name string) any {
	for _, m := range o {
		if m.Name == name {
			return m.Value
		}
	}
	return nil
}

// start starts a task on the agent's instance and returns its ARN.
func (s *stage) start(a *Agent, definition string) string {
	s.Helper()
	out := s.ask("StartTask", Object{{"cluster", s.cluster}, {"taskDefinition", definition}, {"containerInstances", []string{a.Instance}}})
	arn, _ := at(out, "tasks", 0, "taskArn").(string)
	if arn == "" {
		s.Fatalf("not started: %v", out)
	}
	return arn
}

// task starts a task of the plain definition and takes its payload.
func (s *stage) task(a *Agent) string {
	s.Helper()
	arn := s.start(a, s.definition(nil))
	s.told(a, arn, "RUNNING")
	return arn
}

// told steps until the agent was told to run or stop a task, and returns that payload.
func (s *stage) told(a *Agent, task, desired string) Message {
	s.Helper()
	for {
		m, err := a.Until("PayloadMessage")
		s.ok(err)
		for _, t := range m.Tasks {
			if t.ARN == task && t.DesiredStatus == desired {
				return m
			}
		}
	}
}

// running reports that a task runs.
func (s *stage) running(a *Agent, task string) {
	s.Helper()
	s.ok(a.Report(TaskChange{Task: task, Status: "RUNNING", Containers: []Object{Started("c")}}))
}

// stopped reports that a task has ended with 0.
func (s *stage) stopped(a *Agent, task string) {
	s.Helper()
	s.ok(a.Report(TaskChange{Task: task, Status: "STOPPED", ExecutionStopped: time.Now(), Containers: []Object{Exited("c", 0)}}))
}

// described is a task or container instance as the operator sees it.
func (s *stage) described(task string) any {
	s.Helper()
	out := s.ask("DescribeTasks", Object{{"cluster", s.cluster}, {"tasks", []string{task}}})
	return at(out, "tasks", 0)
}

func (s *stage) instance(a *Agent) any {
	s.Helper()
	out := s.ask("DescribeContainerInstances", Object{{"cluster", s.cluster}, {"containerInstances", []string{a.Instance}}, {"include", []string{"TAGS"}}})
	return at(out, "containerInstances", 0)
}

// await waits until what an answer shows is so. The API has no event to wait for.
func (s *stage) await(what string, is func() bool) {
	s.Helper()
	for limit := Limit(); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(limit) {
			s.Fatalf("not within a minute: %s", what)
		}
	}
}

// awaitConnected waits until the operator sees the instance connected, or not.
func (s *stage) awaitConnected(a *Agent, connected bool) {
	s.Helper()
	s.await(fmt.Sprintf("agentConnected %v", connected), func() bool { return at(s.instance(a), "agentConnected") == connected })
}

// registered is an instance's registered or remaining resource, as text.
func resource(instance any, list, name string) string {
	l, _ := at(instance, list).([]any)
	for _, r := range l {
		if at(r, "name") == name {
			if at(r, "type") == "STRINGSET" {
				return fmt.Sprint(at(r, "stringSetValue"))
			}
			return fmt.Sprint(at(r, "integerValue"))
		}
	}
	return "absent"
}

// refused is the body of a handshake's refusal, with the one type that it names.
func (s *stage) refused(err error) (kind string) {
	s.Helper()
	var r *Refused
	if !errors.As(err, &r) {
		s.Fatalf("not refused: %v", err)
	}
	var body map[string]string
	if err := json.Unmarshal(r.Body, &body); err != nil || len(body) != 1 {
		s.Fatalf("refusal %d %q is not {\"<type>\":\"<message>\"}", r.Status, r.Body)
	}
	for kind = range body {
	}
	return kind
}

// ended reads until the server has ended the session, and says how: its close code, or 1006 for a dropped connection.
func (s *stage) ended(socket *Socket) int {
	s.Helper()
	for limit := Limit(); ; {
		_, err := socket.Read(limit)
		var c *Closed
		var timeout net.Error
		switch {
		case err == nil:
		case errors.As(err, &c):
			return c.Code
		case errors.As(err, &timeout) && timeout.Timeout():
			s.Fatal("the session goes on after a minute")
		default:
			return 1006
		}
	}
}
