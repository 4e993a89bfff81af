package awslogs

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cwl "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/moby/moby/api/types/container"

	"berth/internal/agent"
	"berth/internal/agent/docker"
)

// chatty is a container of the machine's engine that writes five lines a second.
func chatty(b *testing.B) (*docker.Engine, string) {
	b.Helper()
	installation := fmt.Sprint("test-", os.Getpid())
	e, err := docker.Open("", installation)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { e.Close() })
	if _, err := e.Machine(b.Context()); err != nil {
		b.Skip("no container engine:", err)
	}
	const image = "berth-test/engine:1"
	config := docker.ImageConfig{Links: []string{"/bin/sh", "/bin/sleep", "/bin/true", "/bin/cat", "/bin/nc", "/bin/tail"}, Cmd: []string{"/bin/sh"}}
	if err := e.ImportImage(b.Context(), image, "/bin/busybox", config); err != nil {
		b.Fatal(err)
	}
	id, err := e.Create(b.Context(), agent.Spec{
		Name:       installation + "-chatty",
		Config:     &container.Config{Image: image, Cmd: []string{"/bin/sh", "-c", "i=0; while :; do echo line $i; i=$((i+1)); /bin/sleep 0.2; done"}},
		HostConfig: &container.HostConfig{NetworkMode: "none", LogConfig: container.LogConfig{Type: "json-file", Config: map[string]string{"max-size": "20m", "max-file": "2"}}},
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := e.Remove(ctx, id); err != nil {
			b.Error(err)
		}
	})
	if err := e.Start(b.Context(), id); err != nil {
		b.Fatal(err)
	}
	return e, id
}

// BenchmarkLive tells how far a reader of the stream is behind a real container: from when the engine has a line to when PutLogEvents has been answered.
func BenchmarkLive(b *testing.B) {
	e, id := chatty(b)
	p := newPlane(b)
	p.group(b, "/ecs/web")
	p.config.Reader = e
	s := source(webOptions())
	s.ID = id
	ctx, cancel := context.WithCancel(b.Context())
	var behind []time.Duration
	begin := time.Now()
	err := p.Send(ctx, s, agent.LogMark{At: begin.Add(time.Second)}, func(m agent.LogMark) {
		if behind = append(behind, time.Since(m.At)); len(behind) >= max(b.N, 20) {
			cancel()
		}
	})
	if ctx.Err() == nil {
		b.Fatal(err)
	}
	out, err := p.client.GetLogEvents(b.Context(), &cwl.GetLogEventsInput{LogGroupName: aws.String("/ecs/web"), LogStreamName: aws.String(webStream)})
	if err != nil || len(out.Events) < 20 {
		b.Errorf("%d lines came, %v", len(out.Events), err)
	}
	slices.SortFunc(behind, cmp.Compare[time.Duration])
	b.ReportMetric(float64(behind[len(behind)/2].Microseconds())/1000, "ms-p50")
	b.ReportMetric(float64(behind[len(behind)*99/100].Microseconds())/1000, "ms-p99")
}
