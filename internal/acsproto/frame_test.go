package acsproto

import (
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// captured are frames as the official agent and its control plane write them, shortened.
var captured = []struct {
	frame string
	want  Message
}{
	{`{"type":"HeartbeatMessage","message":{"messageId":"a658","healthy":true}}`, Heartbeat{"a658", true}},
	{`{"type":"HeartbeatAckRequest","message":{"messageId":"a658"}}`, HeartbeatAck{"a658"}},
	{`{"type":"AckRequest","message":{"cluster":"c","containerInstance":"i","messageId":"75c9"}}`, Ack{"c", "i", "75c9"}},
	{`{"type":"NackRequest","message":{"cluster":"c","containerInstance":"i","messageId":"upd-1","reason":"Updates are disabled"}}`, Nack{"c", "i", "upd-1", "Updates are disabled"}},
	{`{"type":"PayloadMessage","message":{"messageId":"m","clusterArn":"c","containerInstanceArn":"i","generatedAt":1,"seqNum":7,"later":{"x":1},"tasks":[
		{"arn":"t","desiredStatus":"RUNNING","cpu":0.5,"containers":[{"name":"x","image":"y","essential":true,"environment":{"A":"1"}}]}]}}`,
		Payload{MessageID: "m", Cluster: "c", ContainerInstance: "i", GeneratedAt: 1, SeqNum: 7, Tasks: []Task{
			{ARN: "t", DesiredStatus: "RUNNING", CPU: 0.5, Containers: []Container{{Name: "x", Image: "y", Essential: true, Environment: map[string]string{"A": "1"}}}}}}},
	{`{"type":"TaskManifestMessage","message":{"messageId":"man-3","clusterArn":"c","containerInstanceArn":"i","generatedAt":2,"timeline":11,
		"tasks":[{"taskArn":"t","taskClusterArn":"c","desiredStatus":"RUNNING"}]}}`,
		TaskManifest{"man-3", "c", "i", 2, 11, []ManifestTask{{"t", "c", "RUNNING"}}}},
	{`{"type":"TaskStopVerificationMessage","message":{"messageId":"man-3","stopCandidates":[{"desiredStatus":"STOPPED","taskArn":"t","taskClusterArn":"c"}]}}`,
		TaskStopVerification{"man-3", []ManifestTask{{"t", "c", "STOPPED"}}}},
	{`{"type":"PublishMetricsRequest","message":{"metadata":{"cluster":"demo","containerInstance":"i","messageId":"u","idle":false,"fin":true},"timestamp":1795404234.876,
		"taskMetrics":[{"taskArn":"t","containerMetrics":[{"containerName":"main","cpuStatsSet":{"max":0.92,"min":0.05,"sampleCount":20,"sum":4.35},"networkStatsSet":{}}]}]}}`,
		PublishMetrics{Metadata{Cluster: "demo", ContainerInstance: "i", MessageID: "u", Fin: true}, 1795404234.876, []TaskMetrics{
			{Task: "t", Containers: []ContainerMetrics{{Name: "main", CPU: StatsSet{0.92, 0.05, 20, 4.35}}}}}}},
	{`{"type":"BerthExecMessage","message":{"messageId":"m","clusterArn":"c","containerInstanceArn":"i","sessionId":"s","taskArn":"t","containerName":"app","runtimeId":"r","command":"sh"}}`,
		Exec{MessageID: "m", Cluster: "c", ContainerInstance: "i", Session: "s", Task: "t", Container: "app", RuntimeID: "r", Command: "sh"}},
	{`{"type":"CloseMessage","message":{"message":"bye"}}`, Unknown{"CloseMessage", []byte(`{"message":"bye"}`)}},
}

func TestDecode(t *testing.T) {
	for _, c := range captured {
		got, err := Decode([]byte(c.frame))
		if err != nil {
			t.Errorf("%s: %v", c.frame, err)
			continue
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", c.frame, diff)
		}
		again, err := Encode(got)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := Decode(again); err != nil || !reflect.DeepEqual(back, got) {
			t.Errorf("%s does not come back: %v, %v", again, back, err)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	for _, frame := range []string{``, `[]`, `{}`, `{"type":""}`, `{"type":"PayloadMessage","message":{"tasks":5}}`, `{"type":"AckRequest","message":[]}`} {
		if m, err := Decode([]byte(frame)); err == nil {
			t.Errorf("%q decodes to %v", frame, m)
		}
	}
}

func TestSplitHeader(t *testing.T) {
	header, body := SplitHeader([]byte("Host: cp\r\nX-Amz-Date: d\r\n\r\n{\"type\":\"x\"}"))
	if string(header) != "Host: cp\r\nX-Amz-Date: d\r\n" || string(body) != `{"type":"x"}` {
		t.Errorf("%q, %q", header, body)
	}
	bare := "{\"text\":\"a\r\n\r\nb\"}"
	if header, body := SplitHeader([]byte(bare)); header != nil || string(body) != bare {
		t.Errorf("a bare frame: %q, %q", header, body)
	}
}

func FuzzDecode(f *testing.F) {
	for _, c := range captured {
		f.Add([]byte(c.frame))
		f.Add([]byte("Host: cp\r\n\r\n" + strings.ReplaceAll(c.frame, "true", "null")))
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		_, body := SplitHeader(frame)
		m, err := Decode(body)
		if err != nil {
			return
		}
		again, err := Encode(m)
		if err != nil {
			t.Fatalf("%#v does not encode: %v", m, err)
		}
		if _, err := Decode(again); err != nil {
			t.Fatalf("%s does not decode again: %v", again, err)
		}
	})
}
