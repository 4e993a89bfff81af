package agentwire

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// Agent is one agent's process with its state file. It does nothing by itself: a test lets it take one step after another.
type Agent struct {
	*Client
	Cluster, Version, Docker string
	Native                   bool // writes handshakes as Go's HTTP client orders headers

	// What the state file keeps.
	Instance string
	Tasks    map[string]*Local
	Timeline int64 // of the last manifest

	// What is lost with the process.
	Endpoint, TelemetryEndpoint string
	connected                   bool  // once since the start: from then on sendCredentials is false
	seqNum                      int64 // the highest of any payload
	manifest                    string
	verified                    bool // the last manifest's stops were confirmed

	ACS       *Socket
	telemetry *Socket
}

// Local is what the agent knows of a task.
type Local struct {
	Task     Task // as it was told
	Desired  string
	Reported string // the last status that was reported, "" for none
	Cleaned  bool   // its containers are gone and it is forgotten; only this test's agent remembers that it was there
}

// NewAgent is an agent on a new machine.
func NewAgent(c *Client, cluster string) *Agent {
	return &Agent{Client: c, Cluster: cluster, Version: Version, Docker: "20.10.24", Tasks: map[string]*Local{}}
}

// Restart is the process after its end, with the state that it saved. Its sockets are dropped without a word, as SIGTERM does.
func (a *Agent) Restart() *Agent {
	a.Drop()
	a.Client.Close()
	b := NewAgent(a.Client, a.Cluster)
	b.Instance, b.Tasks, b.Timeline, b.Version, b.Docker = a.Instance, a.Tasks, a.Timeline, a.Version, a.Docker
	return b
}

// Drop drops both sockets without close frames.
func (a *Agent) Drop() {
	for _, s := range []*Socket{a.ACS, a.telemetry} {
		if s != nil {
			s.Conn.Close()
		}
	}
	a.ACS, a.telemetry = nil, nil
}

// Exit is an error after which the agent's process ends, with the code that tells its supervisor whether to start it again.
type Exit struct {
	Code int
	Why  string
}

func (e *Exit) Error() string { return fmt.Sprintf("exit %d: %s", e.Code, e.Why) }

// Register registers, again under the saved ARN, and compares the attributes that come back with those it sent. A failure that would end
// the agent is an *Exit.
func (a *Agent) Register(r Registration) error { return a.RegisterBytes(r, r.Body().JSON(As)) }

// RegisterBytes is Register with another body.
func (a *Agent) RegisterBytes(r Registration, body []byte) error {
	answer, err := a.Call("RegisterContainerInstance", body)
	if err != nil {
		return err
	}
	switch e := answer.Error(); e {
	case "":
	case "ClientException", "InvalidParameterException":
		return &Exit{5, e + ": " + answer.Message()}
	default:
		return &Exit{1, e + ": " + answer.Message()}
	}
	var out struct {
		ContainerInstance struct {
			ContainerInstanceArn string
			Attributes           []struct{ Name, Value string }
		}
	}
	if err := json.Unmarshal(answer.Body, &out); err != nil {
		return fmt.Errorf("answer %s: %w", answer.Body, err)
	}
	got := map[string]string{}
	for _, x := range out.ContainerInstance.Attributes {
		got[x.Name] = x.Value
	}
	for name, value := range r.Attributes() {
		if value != "" && got[name] != value {
			return &Exit{5, fmt.Sprintf("attribute %s is %q, was sent as %q", name, got[name], value)}
		}
	}
	if a.Instance = out.ContainerInstance.ContainerInstanceArn; a.Instance == "" {
		return &Exit{5, "no containerInstanceArn"}
	}
	return nil
}

// Discover asks where the sessions are, once for both.
func (a *Agent) Discover() error {
	answer, err := a.Call("DiscoverPollEndpoint", Object{{"cluster", a.Cluster}, {"containerInstance", a.Instance}, {"zoneId", ""}}.JSON(As))
	if err != nil {
		return err
	}
	if e := answer.Error(); e != "" {
		return errors.New(e + ": " + answer.Message())
	}
	var out struct{ Endpoint, TelemetryEndpoint string }
	if err := json.Unmarshal(answer.Body, &out); err != nil {
		return err
	}
	a.Endpoint, a.TelemetryEndpoint = out.Endpoint, out.TelemetryEndpoint
	return nil
}

// open opens a session at an endpoint: a / is added where it is missing, then ws and the query.
func (a *Agent) open(endpoint string, parameters []header) (*Socket, error) {
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("endpoint %q: %v", endpoint, err)
	}
	c := &Client{Dial: a.Dial, Host: u.Host, Keys: a.Keys, Skew: a.Skew}
	return c.open(strings.TrimSuffix(u.Path, "/")+"/ws", parameters, a.Native)
}

// Connect opens the ACS session. An older one of this agent stays open.
func (a *Agent) Connect() error {
	if a.Endpoint == "" {
		if err := a.Discover(); err != nil {
			return err
		}
	}
	s, err := a.OpenACS(nil)
	if err != nil {
		return err
	}
	a.ACS, a.connected = s, true
	return nil
}

// OpenACS opens a session whose query has other values than the agent's own.
func (a *Agent) OpenACS(other map[string]string) (*Socket, error) {
	parameters := []header{
		{"agentHash", Hash}, {"agentVersion", a.Version}, {"clusterArn", a.Cluster}, {"containerInstanceArn", a.Instance},
		{"dockerVersion", "DockerVersion: " + a.Docker}, {"protocolVersion", "2"}, {"sendCredentials", fmt.Sprint(!a.connected)}, {"seqNum", "1"},
	}
	for i, p := range parameters {
		if v, ok := other[p.name]; ok {
			parameters[i].value = v
		}
	}
	return a.open(a.Endpoint, parameters)
}

// Report sends a report and remembers its status. The agent repeats for ever what is refused, so a refusal is an error.
func (a *Agent) Report(c TaskChange) error {
	c.Cluster = a.Cluster
	answer, err := a.Call("SubmitTaskStateChange", c.Body().JSON(As))
	if err != nil {
		return err
	}
	if e := answer.Error(); e != "" {
		return fmt.Errorf("report %s of %s: %s: %s", c.Status, c.Task, e, answer.Message())
	}
	if l := a.Tasks[c.Task]; l != nil && c.Status != "" {
		l.Reported = c.Status
	}
	return nil
}

// Say sends a message on the ACS session.
func (a *Agent) Say(kind string, message Object) error {
	return a.ACS.WriteFrame(Text, Object{{"type", kind}, {"message", message}}.JSON(As))
}

// Limit is how long a test waits for what must come.
func Limit() time.Time { return time.Now().Add(60 * time.Second) }
