package e2e

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/agent/docker"
)

// BenchmarkReplace measures from the death of a service's container until its replacement is RUNNING in DescribeTasks.
func BenchmarkReplace(b *testing.B) {
	w := start(b)
	c := w.client()
	if _, err := c.RegisterTaskDefinition(b.Context(), &awsecs.RegisterTaskDefinitionInput{
		Family: aws.String("replace"), ContainerDefinitions: []types.ContainerDefinition{{Name: aws.String("x"), Image: aws.String(image),
			EntryPoint: []string{"/bin/sleep"}, Command: []string{"3600"}, Memory: aws.Int32(32), StopTimeout: aws.Int32(1)}},
	}); err != nil {
		b.Fatal(err)
	}
	if _, err := c.CreateService(b.Context(), &awsecs.CreateServiceInput{ServiceName: aws.String("replace"), TaskDefinition: aws.String("replace"),
		DesiredCount: aws.Int32(1)}); err != nil {
		b.Fatal(err)
	}
	engine, err := docker.Open("", "")
	if err != nil {
		b.Fatal(err)
	}
	defer engine.Close()
	task, container := runningTask(b, c, "")
	var took []time.Duration
	for b.Loop() {
		time.Sleep(11 * time.Second) // a task that lived for less is a failed start, and those in a row are throttled
		began := time.Now()
		if err := engine.Stop(context.Background(), container, 0); err != nil {
			b.Fatal(err)
		}
		task, container = runningTask(b, c, task)
		took = append(took, time.Since(began))
	}
	b.ReportMetric(median(took).Seconds()*1000, "ms/replaced")
}

// runningTask waits for a RUNNING task of the service other than old, and returns it with its container.
func runningTask(b *testing.B, c *awsecs.Client, old string) (task, container string) {
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		l, err := c.ListTasks(b.Context(), &awsecs.ListTasksInput{ServiceName: aws.String("replace")})
		if err != nil {
			b.Fatal(err)
		}
		if len(l.TaskArns) == 0 {
			continue
		}
		d, err := c.DescribeTasks(b.Context(), &awsecs.DescribeTasksInput{Tasks: l.TaskArns})
		if err != nil {
			b.Fatal(err)
		}
		for _, t := range d.Tasks {
			if *t.TaskArn != old && *t.LastStatus == "RUNNING" {
				return *t.TaskArn, aws.ToString(t.Containers[0].RuntimeId)
			}
		}
	}
	b.Fatal("no replacement within a minute")
	return "", ""
}
