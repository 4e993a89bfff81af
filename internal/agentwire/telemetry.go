package agentwire

import (
	"bytes"
	"strings"
	"time"
)

// OpenTCS opens the telemetry session.
func (a *Agent) OpenTCS() (*Socket, error) {
	s, err := a.open(a.TelemetryEndpoint, []header{
		{"agentHash", Hash}, {"agentVersion", a.Version}, {"cluster", a.Cluster}, {"containerInstance", a.Instance}, {"dockerVersion", a.Docker},
	})
	a.telemetry = s
	return s, err
}

// WriteTelemetry writes a telemetry message as the agent does: an HTTP header block with a signature of the connection's URL and the JSON,
// an empty line, then the JSON, in one text frame.
func (s *Socket) WriteTelemetry(kind string, message Object) error {
	return s.WriteFrame(Text, s.telemetry(Object{{"type", kind}, {"message", message}}.JSON(As)))
}

func (s *Socket) telemetry(body []byte) []byte {
	at := time.Now().Add(s.skew)
	path, canonical, _ := strings.Cut(s.path, "?")
	signed := []header{{"Host", s.host}, {"X-Amz-Date", at.UTC().Format("20060102T150405Z")}}
	if s.keys.SessionToken != "" {
		signed = append(signed, header{"X-Amz-Security-Token", s.keys.SessionToken})
	}
	var b bytes.Buffer
	b.WriteString("Authorization: " + s.keys.signature("GET", path, canonical, signed, body, at) + "\r\n")
	for _, h := range signed {
		b.WriteString(h.name + ": " + h.value + "\r\n")
	}
	b.WriteString("\r\n")
	b.Write(body)
	return b.Bytes()
}

// Metrics is a PublishMetricsRequest; without tasks the instance is idle.
func (a *Agent) Metrics(at time.Time, tasks ...Object) Object {
	o := Object{
		{"metadata", Object{{"cluster", a.Cluster}, {"containerInstance", a.Instance}, {"messageId", uuid()}, {"idle", len(tasks) == 0}, {"fin", true}}},
		{"timestamp", at},
	}
	if len(tasks) > 0 {
		o = append(o, Member{"taskMetrics", tasks})
	}
	return o
}

// TaskMetrics are 20 samples of a task of one container in bridge mode.
func TaskMetrics(task, family, revision, container string) Object {
	set := func(max, min, sum float64) Object {
		return Object{{"max", max}, {"min", min}, {"sampleCount", 20}, {"sum", sum}}
	}
	counter := func(v float64) Object {
		return append(set(v, v, 20*v), Member{"overflowMax", 0}, Member{"overflowMin", 0}, Member{"overflowSum", 0})
	}
	network := Object{}
	for _, n := range []string{"rxBytes", "rxDropped", "rxErrors", "rxPackets", "txBytes", "txDropped", "txErrors", "txPackets"} {
		network = append(network, Member{n, counter(946)})
	}
	network = append(network, Member{"rxBytesPerSecond", set(0, 0, 0)}, Member{"txBytesPerSecond", set(0.5, 0, 1.25)})
	return Object{{"taskArn", task}, {"taskDefinitionFamily", family}, {"taskDefinitionVersion", revision}, {"containerMetrics", []Object{{
		{"containerName", container}, {"cpuStatsSet", set(0.92, 0.05, 4.35)}, {"memoryStatsSet", set(1, 0, 2)}, {"networkStatsSet", network},
		{"storageStatsSet", Object{{"readSizeBytes", counter(4096)}, {"writeSizeBytes", counter(0)}}},
		{"restartStatsSet", Object{{"restartCount", 2}}},
	}}}}
}

// Health is a PublishHealthRequest about one task.
func (a *Agent) Health(at time.Time, task, family, container, status string) Object {
	return Object{
		{"metadata", Object{{"cluster", a.Cluster}, {"containerInstance", a.Instance}, {"messageId", uuid()}, {"fin", true}}},
		{"timestamp", at},
		{"tasks", []Object{{{"taskArn", task}, {"taskDefinitionFamily", family}, {"taskDefinitionVersion", "1"},
			{"containers", []Object{{{"containerName", container}, {"healthStatus", status}, {"statusSince", at}}}}}}},
	}
}

// InstanceStatus is a PublishInstanceStatusRequest: what the agent's own check of Docker says.
func (a *Agent) InstanceStatus(at time.Time, status string) Object {
	return Object{
		{"metadata", Object{{"cluster", a.Cluster}, {"containerInstance", a.Instance}, {"requestId", uuid()}}},
		{"timestamp", at},
		{"statuses", []Object{{{"type", "ContainerRuntime"}, {"status", status}, {"lastStatusChange", at}, {"lastUpdated", at}}}},
	}
}
