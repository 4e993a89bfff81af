package trail

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/access"
	ecsapi "berth/internal/api/ecs"
	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/state/statetest"
)

// BenchmarkCall is a call with the audit log and without: over the door, from JSON to JSON, with a store in memory. cpu-us/op has the writer's part.
func BenchmarkCall(b *testing.B) {
	for _, o := range []struct{ operation, body string }{
		{"RunTask", `{"taskDefinition":"web:1"}`}, {"DescribeTasks", `{"tasks":["0123456789abcdef0123456789abcdef"]}`},
	} {
		for _, on := range []bool{false, true} {
			b.Run(fmt.Sprintf("%s/audit=%v", o.operation, on), func(b *testing.B) { benchmarkCall(b, o.operation, o.body, on) })
		}
	}
}

func benchmarkCall(b *testing.B, operation, body string, on bool) {
	scope := arn.Scope{Region: "us-east-1", Account: "111122223333"}
	cluster := scope.Cluster("default")
	d := &ecs.TaskDefinition{Definition: types.TaskDefinition{
		Family: aws.String("web"), Revision: 1, Status: types.TaskDefinitionStatusActive, NetworkMode: types.NetworkModeBridge,
		TaskDefinitionArn: aws.String(string(scope.TaskDefinition("web", 1))), Compatibilities: []types.Compatibility{types.CompatibilityEc2},
		ContainerDefinitions: []types.ContainerDefinition{{Name: aws.String("app"), Image: aws.String("x"), Memory: aws.Int32(16), Essential: aws.Bool(true)}},
	}}
	s := statetest.Open(b, &ecs.Cluster{ClusterArn: cluster, Status: ecs.Active}, d,
		&ecs.Instance{ContainerInstanceArn: cluster.Instance("i"), Status: ecs.Active, Connected: true, Registered: ecs.Resources{CPUUnits: 1 << 40, MemoryMiB: 1 << 40}})
	c := frontdoor.Config{
		Services: []frontdoor.Service{ecsapi.New(ecsapi.Config{State: s}).Service()}, Auth: frontdoor.AuthDev, DevPrincipal: access.Admin(scope.Account), Account: scope.Account,
	}
	if on {
		x, stop := startTrail(b, Config{Dir: b.TempDir()})
		defer stop()
		c.Audit = x.Take
		defer func() {
			_, dropped := x.Sums()
			b.ReportMetric(float64(dropped), "dropped")
		}()
	}
	door := frontdoor.New(c)
	used := processorTime(b)
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest(http.MethodPost, "http://cp/", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-amz-json-1.1")
		r.Header.Set("X-Amz-Target", "AmazonEC2ContainerServiceV20141113."+operation)
		w := httptest.NewRecorder()
		if door.ServeHTTP(w, r); w.Code != 200 {
			text, _ := io.ReadAll(w.Body)
			b.Fatalf("%d %s", w.Code, text)
		}
	}
	b.ReportMetric(float64((processorTime(b)-used).Microseconds())/float64(b.N), "cpu-us/op")
}

func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func startTrail(b *testing.B, c Config) (x *Trail, stop func()) {
	x, err := New(c)
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- x.Run(ctx) }()
	return x, func() {
		cancel()
		if err := <-done; err != nil {
			b.Error(err)
		}
	}
}
