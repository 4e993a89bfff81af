package faults

import (
	"context"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/e2e/site"
	"berth/internal/simulate"
)

// TestMain lets as many tests run at once as mostly wait.
func TestMain(m *testing.M) { os.Exit(site.Main(m, 4)) }

// startFleet joins simulated instances through one replica.
func startFleet(r *site.Replica, size int, reported func(task, status string, at time.Time)) *simulate.Fleet {
	return r.StartFleet(size, simulate.Config{
		CPUUnits: instanceCPU, MemoryMiB: instanceMemory,
		StartDelay: 50 * time.Millisecond, StartSpread: 200 * time.Millisecond, StopDelay: 100 * time.Millisecond, Telemetry: true, Reported: reported,
	})
}

// serve makes the service "steady" and returns its tasks when all run.
func serve(s *site.Site, definition string, count int) []string {
	s.T.Helper()
	_, err := s.Members[0].Client().CreateService(context.Background(), &awsecs.CreateServiceInput{
		ServiceName: aws.String("steady"), TaskDefinition: &definition, DesiredCount: aws.Int32(int32(count)),
	})
	if err != nil {
		s.T.Fatal(err)
	}
	return served(s, count)
}

// served waits until the service has its tasks, all RUNNING, and returns them.
func served(s *site.Site, count int) (tasks []string) {
	s.T.Helper()
	api, ctx := s.Members[len(s.Members)-1].Client(), context.Background()
	site.Eventually(s.T, "the service's tasks run", func() error {
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
