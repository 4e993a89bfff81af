package agentwire

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

func connecting() []statement {
	return []statement{
		{"ConnectShowsTheAgent", connectShows},
		{"ConnectHeaderOrders", connectOrders},
		{"ConnectNewestWins", connectNewest},
		{"ConnectAgainAndAgain", connectAgain},
		{"ConnectOldSocketsEnd", connectOldEnds},
		{"ConnectRefusals", connectRefusals},
		{"ConnectTelemetryRefusals", connectTelemetryRefusals},
		{"ConnectInactive", connectInactive},
		{"ConnectWithoutUpgrade", connectWithoutUpgrade},
		{"DisconnectByDrop", disconnectDrop},
		{"DisconnectByClose", disconnectClose},
	}
}

// skewed is more than any server lets pass.
const skewed = 20 * time.Minute

func connectShows(s *stage) {
	a := s.agent()
	s.is("versionInfo before a session", at(s.instance(a), "versionInfo", "agentVersion"), nil)
	m := s.connect(a)
	s.is("the manifest's tasks", len(m.Listed), 0)
	i := s.instance(a)
	s.is("agentConnected", at(i, "agentConnected"), true)
	s.is("versionInfo", at(i, "versionInfo"), "map[agentHash:a8b3e7d3 agentVersion:1.105.1 dockerVersion:DockerVersion: 20.10.24]")
	if !strings.Contains(string(m.Body), `"tasks":[]`) {
		s.Errorf("an empty manifest should have an empty list: %s", m.Body)
	}
}

func connectOrders(s *stage) {
	for _, native := range []bool{false, true} {
		a := s.agent()
		a.Native = native
		s.connect(a)
		if _, err := a.OpenTCS(); err != nil {
			s.Errorf("native %v: %v", native, err)
		}
	}
}

func connectNewest(s *stage) {
	a := s.connected()
	old := a.ACS
	m := s.connect(a) // before the old one is closed
	first := s.task(a)
	s.running(a, first)
	if code := s.ended(old); !ordinary(code) {
		s.Errorf("the older session was closed with %d: the agent would back off", code)
	}
	second := s.task(a)
	s.is("agentConnected", at(s.instance(a), "agentConnected"), true)
	again := s.connect(a)
	if again.Timeline <= m.Timeline || len(again.Listed) != 2 {
		s.Errorf("manifests: %d, then %d with %v", m.Timeline, again.Timeline, again.Listed)
	}
	s.told(a, second, "RUNNING") // it was acked but has reported nothing
}

// ordinary are the close codes after which the agent reconnects at once.
func ordinary(code int) bool { return code == 1000 || code == 1001 || code == 1006 || code == 1011 }

func connectAgain(s *stage) {
	a := s.connected()
	for n := range 30 {
		if n%2 == 0 {
			a.ACS.Conn.Close()
		}
		s.connect(a)
		s.is(fmt.Sprint("agentConnected after reconnect ", n), at(s.instance(a), "agentConnected"), true)
	}
}

func connectOldEnds(s *stage) {
	a := s.connected()
	old := a.ACS
	s.connect(a)
	old.Conn.Close() // late
	for range 20 {
		s.is("agentConnected", at(s.instance(a), "agentConnected"), true)
	}
	s.running(a, s.task(a))
}

func connectRefusals(s *stage) {
	a, other := s.connected(), s.agent()
	unknown := "arn:aws:ecs:us-east-1:" + testAccount + ":container-instance/" + s.cluster + "/" + strings.Repeat("0", 32)
	elsewhere := s.cluster + "-elsewhere"
	s.ask("CreateCluster", Object{{"clusterName", elsewhere}})
	open := func(change func(*Client), query map[string]string) error {
		x := NewAgent(&Client{Dial: s.w.dial, Host: s.w.host, Keys: a.Keys}, s.cluster)
		x.Instance, x.Endpoint = a.Instance, a.Endpoint
		if change != nil {
			change(x.Client)
		}
		socket, err := x.OpenACS(query)
		if err == nil {
			socket.Conn.Close()
		}
		return err
	}
	admin := func(c *Client) { c.Keys = s.w.admin }
	for _, x := range []struct {
		name, want string
		change     func(*Client)
		query      map[string]string
	}{
		{"wrong secret", "AccessDeniedException", func(c *Client) { c.Keys.SecretAccessKey += "x" }, nil},
		{"unknown key", "AccessDeniedException", func(c *Client) { c.Keys.AccessKeyID = "AKIAUNKNOWN234567ABC" }, nil},
		{"clock behind", "AccessDeniedException", func(c *Client) { c.Skew = -skewed }, nil},
		{"clock ahead", "AccessDeniedException", func(c *Client) { c.Skew = skewed }, nil},
		{"another instance's ARN", "AccessDeniedException", nil, map[string]string{"containerInstanceArn": other.Instance}},
		{"no ARN", "AccessDeniedException", nil, map[string]string{"containerInstanceArn": ""}},
		{"not who has registered it", "AccessDeniedException", admin, nil},
		{"unknown instance", "InvalidInstanceException", admin, map[string]string{"containerInstanceArn": unknown}},
		{"unknown cluster", "InvalidClusterException", nil, map[string]string{"clusterArn": "nobody"}},
		{"cluster of others", "InvalidClusterException", nil, map[string]string{"clusterArn": elsewhere}},
		{"cluster of others by ARN", "InvalidClusterException", nil, map[string]string{"clusterArn": string(scope.Cluster(elsewhere))}},
	} {
		s.is(x.name, s.refused(open(x.change, x.query)), x.want)
	}
	raw := &Client{Dial: s.w.dial, Host: s.w.host, Keys: a.Keys}
	request := string(raw.handshake("/acs/ws", []header{{"clusterArn", s.cluster}, {"containerInstanceArn", a.Instance}, {"seqNum", "1"}}, "x3JJHMbDL1EzLkh9GBhXDw==", false))
	for name, change := range map[string]*strings.Replacer{
		"unsigned":             strings.NewReplacer("Authorization: ", "X-Authorization: "),
		"no date":              strings.NewReplacer("X-Amz-Date: ", "X-Other-Date: "),
		"another query":        strings.NewReplacer("seqNum=1", "seqNum=2"),
		"another path":         strings.NewReplacer("GET /acs/ws", "GET /tcs/ws"),
		"half a signature":     strings.NewReplacer("SignedHeaders=host;x-amz-date, ", ""),
		"another service":      strings.NewReplacer("/ecs/aws4_request", "/sts/aws4_request"),
		"a token not its own":  strings.NewReplacer("X-Amz-Date: ", "X-Amz-Security-Token: x\r\nX-Amz-Date: "),
		"a signature of zeros": strings.NewReplacer("Signature=", "Signature="+strings.Repeat("0", 64)),
	} {
		answer, err := raw.Send([]byte(change.Replace(request)))
		s.ok(err)
		s.is(name, s.refused(&Refused{answer}), "AccessDeniedException")
	}
	s.ok(open(func(c *Client) { c.Skew = time.Minute }, nil))
	s.connect(a) // nothing of this has hurt it
	s.is("agentConnected", at(s.instance(a), "agentConnected"), true)
	s.is("the other's agentConnected", at(s.instance(other), "agentConnected"), false)
}

func connectTelemetryRefusals(s *stage) {
	a, other := s.connected(), s.agent()
	try := func(change func(*Agent)) string {
		x := NewAgent(&Client{Dial: s.w.dial, Host: s.w.host, Keys: a.Keys}, s.cluster)
		x.Instance, x.TelemetryEndpoint = a.Instance, a.TelemetryEndpoint
		change(x)
		defer x.Drop()
		_, err := x.OpenTCS()
		return s.refused(err)
	}
	s.is("wrong secret", try(func(x *Agent) { x.Keys.SecretAccessKey += "x" }), "AccessDeniedException")
	s.is("clock behind", try(func(x *Agent) { x.Skew = -skewed }), "AccessDeniedException")
	s.is("another's ARN", try(func(x *Agent) { x.Instance = other.Instance }), "AccessDeniedException")
	s.is("unknown", try(func(x *Agent) { x.Keys, x.Instance = s.w.admin, a.Instance+"0" }), "InvalidInstanceException")
}

func connectInactive(s *stage) {
	a := s.connected()
	telemetry, err := a.OpenTCS()
	s.ok(err)
	task := s.task(a)
	s.running(a, task)
	s.ask("DeregisterContainerInstance", Object{{"cluster", s.cluster}, {"containerInstance", a.Instance}, {"force", true}})
	if code := s.ended(a.ACS); !ordinary(code) {
		s.Errorf("closed with %d: the agent would back off before it learns why", code)
	}
	_, err = a.OpenACS(nil)
	s.is("ACS", s.refused(err), "InactiveInstanceException")
	s.ended(telemetry)
	_, err = a.OpenTCS()
	s.is("TCS", s.refused(err), "InactiveInstanceException")
	s.running(a, task) // its reports are acknowledged all the same
	s.await("the task's record is ended", func() bool { return at(s.described(task), "lastStatus") == "STOPPED" })
	s.stopped(a, task)
}

func connectWithoutUpgrade(s *stage) {
	a := s.agent()
	c := &Client{Dial: s.w.dial, Host: s.w.host, Keys: a.Keys}
	request := string(c.handshake("/acs/ws", []header{{"clusterArn", s.cluster}, {"containerInstanceArn", a.Instance}, {"seqNum", "1"}}, "x3JJHMbDL1EzLkh9GBhXDw==", false))
	for _, gone := range []string{"Upgrade: websocket\r\n", "Connection: Upgrade\r\n", "Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\n", "Sec-WebSocket-Version: 13\r\n"} {
		answer, err := c.Send([]byte(strings.Replace(request, gone, "", 1)))
		s.ok(err)
		if answer.Status < 400 || answer.Status >= http.StatusInternalServerError {
			s.Errorf("without %q: HTTP %d", gone, answer.Status)
		}
		c.Close()
	}
	s.awaitConnected(a, false)
	s.connect(a)
	s.is("agentConnected", at(s.instance(a), "agentConnected"), true)
}

func disconnectDrop(s *stage) {
	a := s.connected()
	task := s.task(a)
	s.running(a, task)
	a.ACS.Conn.Close()
	s.awaitConnected(a, false)
	i := s.instance(a)
	s.is("status", at(i, "status"), "ACTIVE")
	s.is("runningTasksCount", at(i, "runningTasksCount"), 1)
	s.is("the task", at(s.described(task), "lastStatus"), "RUNNING")
	out := s.ask("RunTask", Object{{"cluster", s.cluster}, {"taskDefinition", s.definition(nil)}, {"launchType", "EXTERNAL"}})
	s.is("placed on a disconnected instance", len(at(out, "tasks").([]any)), 0)
	m := s.connect(a)
	s.is("the manifest's tasks", len(m.Listed), 1)
	s.is("agentConnected", at(s.instance(a), "agentConnected"), true)
}

func disconnectClose(s *stage) {
	a := s.agent()
	for code, reason := range map[int]string{1000: "ConnectionExpired: Reconnect to continue", 1001: "", 1011: "", 4000: "why not"} {
		s.connect(a)
		s.ok(a.ACS.WriteClose(code, reason))
		_, err := a.ACS.Read(Limit())
		var c *Closed
		if !errors.As(err, &c) || c.Code != code {
			s.Errorf("close %d was answered with %v", code, err)
		}
		s.awaitConnected(a, false)
	}
	s.connect(a)
	s.ok(a.ACS.WriteFrame(Close, nil)) // without a code
	s.ended(a.ACS)
	s.awaitConnected(a, false)
}
