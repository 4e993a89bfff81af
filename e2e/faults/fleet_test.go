package faults

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	berthapi "berth/internal/api/berth"
	"berth/internal/simulate"
)

// startFleet joins simulated instances through one replica, which they keep to.
func (r *replica) startFleet(size int, reported func(task, status string, at time.Time)) *simulate.Fleet {
	r.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	f := simulate.New(simulate.Config{
		Endpoint: "http://" + r.listen(), Region: "us-east-1", Cluster: "default", Instances: size, CPUUnits: instanceCPU, MemoryMiB: instanceMemory,
		StartDelay: 50 * time.Millisecond, StartSpread: 200 * time.Millisecond, StopDelay: 100 * time.Millisecond, Telemetry: true,
		Join: r.trade, Reported: reported,
	})
	if err := f.Register(ctx); err != nil {
		r.t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	r.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			r.t.Errorf("fleet: %v", err)
		}
	})
	eventually(r.t, "the instances have sessions", func() error {
		if n := f.Manifests.Load(); n < int64(size) {
			return fmt.Errorf("%d of %d", n, size)
		}
		return nil
	})
	return f
}

// trade makes a token and gets a container instance's key for it.
func (r *replica) trade(ctx context.Context) (id, secret string, err error) {
	key, err := berthapi.Trade(ctx, "http://"+r.listen(), strings.TrimSpace(r.run("token")))
	return key.AccessKeyID, key.SecretAccessKey, err
}

// serve makes the service "steady" and returns its tasks when all run.
func (s *site) serve(definition string, count int) []string {
	s.t.Helper()
	_, err := s.members[0].client().CreateService(context.Background(), &awsecs.CreateServiceInput{
		ServiceName: aws.String("steady"), TaskDefinition: &definition, DesiredCount: aws.Int32(int32(count)),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return s.served(count)
}

// served waits until the service has its tasks, all RUNNING, and returns them.
func (s *site) served(count int) (tasks []string) {
	s.t.Helper()
	api, ctx := s.members[len(s.members)-1].client(), context.Background()
	eventually(s.t, "the service's tasks run", func() error {
		list, err := api.ListTasks(ctx, &awsecs.ListTasksInput{ServiceName: aws.String("steady"), DesiredStatus: types.DesiredStatusRunning})
		if err != nil {
			return err
		}
		if len(list.TaskArns) != count {
			return fmt.Errorf("it has %d of %d", len(list.TaskArns), count)
		}
		out, err := api.DescribeTasks(ctx, &awsecs.DescribeTasksInput{Tasks: list.TaskArns})
		if err != nil {
			return err
		}
		for _, t := range out.Tasks {
			if *t.LastStatus != "RUNNING" {
				return fmt.Errorf("%s is %s", *t.TaskArn, *t.LastStatus)
			}
		}
		tasks = list.TaskArns
		slices.Sort(tasks)
		return nil
	})
	return tasks
}
