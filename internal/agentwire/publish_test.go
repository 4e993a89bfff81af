package agentwire

import (
	"encoding/binary"
	"fmt"
	"strings"
	"time"
)

func publishing() []statement {
	return []statement{
		{"TelemetryIsAcked", telemetryAcked},
		{"TelemetryBeforeACS", telemetryFirst},
		{"TelemetryOfManyTasks", telemetryMany},
		{"TelemetryHealth", telemetryHealth},
		{"TelemetryHealthOfAnother", telemetryAnother},
		{"TelemetryInstanceStatus", telemetryStatus},
		{"TelemetryOddFrames", telemetryOdd},
	}
}

// published writes a telemetry message and waits for its ack.
func (s *stage) published(t *Socket, kind string, message Object, ack string) {
	s.Helper()
	s.ok(t.WriteTelemetry(kind, message))
	s.acked(t, ack)
}

// acked reads up to an ack; heartbeats may come in between.
func (s *stage) acked(t *Socket, ack string) {
	s.Helper()
	for limit := Limit(); ; {
		m, err := t.ReadMessage(limit)
		s.ok(err)
		if m.Type == "HeartbeatMessage" {
			continue
		}
		if m.Type != ack || string(m.Body) != `{"message":""}` {
			s.Fatalf("got %s %s, want %s", m.Type, m.Body, ack)
		}
		return
	}
}

func telemetryAcked(s *stage) {
	a := s.connected()
	t, err := a.OpenTCS()
	s.ok(err)
	now := time.Now()
	task := s.task(a)
	s.running(a, task)
	for range 3 {
		s.published(t, "PublishMetricsRequest", a.Metrics(now), "AckPublishMetric")
		s.published(t, "PublishMetricsRequest", a.Metrics(now, TaskMetrics(task, s.cluster, "1", "c")), "AckPublishMetric")
		s.published(t, "PublishHealthRequest", a.Health(now, task, s.cluster, "c", "HEALTHY"), "AckPublishHealth")
		s.published(t, "PublishInstanceStatusRequest", a.InstanceStatus(now, "OK"), "AckPublishInstanceStatus")
	}
}

func telemetryFirst(s *stage) {
	a := s.agent()
	t, err := a.OpenTCS() // both connect at the same time
	s.ok(err)
	s.published(t, "PublishMetricsRequest", a.Metrics(time.Now()), "AckPublishMetric")
	s.is("agentConnected", at(s.instance(a), "agentConnected"), false) // it means ACS
	s.connect(a)
	again, err := a.OpenTCS() // before the old one is closed
	s.ok(err)
	s.published(again, "PublishMetricsRequest", a.Metrics(time.Now()), "AckPublishMetric")
	t.Conn.Close()
	s.published(again, "PublishMetricsRequest", a.Metrics(time.Now()), "AckPublishMetric")
	again.Conn.Close()
	s.is("agentConnected", at(s.instance(a), "agentConnected"), true)
}

func telemetryMany(s *stage) {
	a := s.connected()
	t, err := a.OpenTCS()
	s.ok(err)
	for round := range 3 { // a round of three messages: fin marks the last
		var tasks []Object
		for n := range 10 {
			tasks = append(tasks, TaskMetrics(string(scope.Cluster(s.cluster).Task(fmt.Sprintf("%032d", round*10+n))), s.cluster, "1", "c"))
		}
		m := a.Metrics(time.Now(), tasks...)
		meta := m.member("metadata").(Object)
		s.published(t, "PublishMetricsRequest", m.With("metadata", meta.With("fin", round == 2)), "AckPublishMetric")
	}
	huge := a.Metrics(time.Now(), TaskMetrics("t", strings.Repeat("f", 900<<10), "1", "c"))
	s.published(t, "PublishMetricsRequest", huge, "AckPublishMetric")
}

// checked is a definition whose container has a health check.
func (s *stage) checked() string {
	return s.definition(func(d, c Object) (Object, Object) {
		return d, append(c, Member{"healthCheck", Object{{"command", []string{"CMD", "true"}}}})
	})
}

func telemetryHealth(s *stage) {
	a := s.connected()
	t, err := a.OpenTCS()
	s.ok(err)
	task := s.start(a, s.checked())
	s.told(a, task, "RUNNING")
	s.running(a, task)
	s.is("healthStatus", at(s.described(task), "healthStatus"), "UNKNOWN")
	for _, status := range []string{"HEALTHY", "UNHEALTHY", "HEALTHY", "UNKNOWN"} {
		s.published(t, "PublishHealthRequest", a.Health(time.Now(), task, s.cluster, "c", status), "AckPublishHealth")
		x := s.described(task)
		s.is("healthStatus", at(x, "healthStatus"), status)
		s.is("the container's", at(x, "containers", 0, "healthStatus"), status)
		s.is("lastStatus", at(x, "lastStatus"), "RUNNING") // UNHEALTHY does not stop it by itself
	}
	s.published(t, "PublishHealthRequest", a.Health(time.Now(), task, s.cluster, "c", "BLUE"), "AckPublishHealth")
	s.is("healthStatus", at(s.described(task), "healthStatus"), "UNKNOWN")
	s.stopped(a, task)
	s.published(t, "PublishHealthRequest", a.Health(time.Now(), task, s.cluster, "c", "HEALTHY"), "AckPublishHealth")
	s.is("lastStatus", at(s.described(task), "lastStatus"), "STOPPED")
}

func telemetryAnother(s *stage) {
	a, b := s.connected(), s.connected()
	task := s.start(a, s.checked())
	s.told(a, task, "RUNNING")
	s.running(a, task)
	t, err := b.OpenTCS()
	s.ok(err)
	s.published(t, "PublishHealthRequest", b.Health(time.Now(), task, s.cluster, "c", "UNHEALTHY"), "AckPublishHealth")
	s.is("healthStatus", at(s.described(task), "healthStatus"), "UNKNOWN")
}

func telemetryStatus(s *stage) {
	a := s.connected()
	t, err := a.OpenTCS()
	s.ok(err)
	for _, status := range []string{"OK", "IMPAIRED", "INSUFFICIENT_DATA", "OK"} {
		s.published(t, "PublishInstanceStatusRequest", a.InstanceStatus(time.Now(), status), "AckPublishInstanceStatus")
		out := s.ask("DescribeContainerInstances", Object{{"cluster", s.cluster}, {"containerInstances", []string{a.Instance}}, {"include", []string{"CONTAINER_INSTANCE_HEALTH"}}})
		s.is("healthStatus", at(out, "containerInstances", 0, "healthStatus", "details", 0, "status"), status)
		s.is("type", at(out, "containerInstances", 0, "healthStatus", "details", 0, "type"), "CONTAINER_RUNTIME")
	}
}

func telemetryOdd(s *stage) {
	a := s.connected()
	t, err := a.OpenTCS()
	s.ok(err)
	s.ok(t.WriteTelemetry("StartTelemetrySessionRequest", Object{{"cluster", s.cluster}, {"containerInstance", a.Instance}})) // ignored
	s.ok(t.WriteTelemetry("FutureRequest", Object{{"x", 1}}))
	plain := Object{{"type", "PublishMetricsRequest"}, {"message", a.Metrics(time.Now())}}.JSON(As)
	s.ok(t.WriteFrame(Text, plain)) // without the header block
	s.acked(t, "AckPublishMetric")
	s.ok(t.WriteFrame(Binary, t.telemetry(plain)))
	s.acked(t, "AckPublishMetric")
	frame := t.telemetry(plain)
	s.ok(t.Write(Frame{Opcode: Text, Payload: frame[:40]}.Encode(true))) // cut within the header block
	s.ok(t.WriteFrame(Ping, []byte("p")))
	s.ok(t.Write(Frame{Fin: true, Opcode: Continuation, Payload: frame[40:]}.Encode(true)))
	for pong, ack := false, false; !pong || !ack; {
		f, err := t.ReadFrame(Limit())
		s.ok(err)
		pong, ack = pong || f.Opcode == Pong, ack || strings.Contains(string(f.Payload), "AckPublishMetric")
	}
	for _, text := range []string{"", "x", "Authorization: x\r\n\r\n", "Authorization: x\r\n\r\n{", `{"type":"PublishHealthRequest","message":{"tasks":7}}`} {
		s.ok(t.WriteFrame(Text, []byte(text)))
		s.ok(t.WriteFrame(Ping, []byte("p")))
		f, err := t.ReadFrame(Limit())
		if err == nil && f.Opcode == Close && len(f.Payload) >= 2 && !ordinary(int(binary.BigEndian.Uint16(f.Payload))) {
			s.Errorf("%q: closed with %v", text, f.Payload)
		}
		if err != nil || f.Opcode == Close {
			t, err = a.OpenTCS()
			s.ok(err)
		}
	}
	s.published(t, "PublishMetricsRequest", a.Metrics(time.Now()), "AckPublishMetric")
	s.ok(t.WriteClose(1000, "ConnectionExpired: Reconnect to continue"))
	s.is("close", s.ended(t), 1000)
}
