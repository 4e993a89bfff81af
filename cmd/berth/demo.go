package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// demoImage is the image of the demo's containers: this very program.
const demoImage = "berth/hello:1"

// waitInstances waits until n container instances of the default cluster are connected.
func (c *client) waitInstances(ctx context.Context, n int, say func(string, ...any)) error {
	say("waiting for %d container instances", n)
	return c.poll(ctx, 2*time.Minute, "the container instances did not connect", func() (bool, error) {
		list, err := c.ecs().ListContainerInstances(ctx, &awsecs.ListContainerInstancesInput{Status: types.ContainerInstanceStatusActive})
		if err != nil || len(list.ContainerInstanceArns) < n {
			return false, err
		}
		d, err := c.ecs().DescribeContainerInstances(ctx, &awsecs.DescribeContainerInstancesInput{ContainerInstances: list.ContainerInstanceArns})
		if err != nil {
			return false, err
		}
		connected := 0
		for _, i := range d.ContainerInstances {
			if i.AgentConnected {
				connected++
			}
		}
		return connected >= n, nil
	})
}

// poll asks until done; it is a client of the public API, which has no events.
func (c *client) poll(ctx context.Context, limit time.Duration, failure string, done func() (bool, error)) error {
	deadline := time.Now().Add(limit)
	var last error
	for time.Now().Before(deadline) {
		ok, err := done()
		if ok {
			return nil
		}
		last = err
		if !pauseFor(ctx, 100*time.Millisecond) {
			return ctx.Err()
		}
	}
	if last != nil {
		return fmt.Errorf("%s within %s: %w", failure, limit, last)
	}
	return fmt.Errorf("%s within %s; see %s and %s", failure, limit, c.data.path("agent.log"), c.data.path("server.log"))
}

// demo runs a service of three tasks in the default cluster, unless it is there already.
func (c *client) demo(ctx context.Context, say func(string, ...any)) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	say("importing the demo's image %s", demoImage)
	if err := importImage(ctx, demoImage, self); err != nil {
		return fmt.Errorf("demo image: %w", err)
	}
	if err := c.demoService(ctx, say); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	say("waiting for three running tasks")
	return c.poll(ctx, 2*time.Minute, "the demo's tasks did not start", func() (bool, error) {
		d, err := c.ecs().DescribeServices(ctx, &awsecs.DescribeServicesInput{Services: []string{"hello"}})
		if err != nil || len(d.Services) == 0 {
			return false, err
		}
		return d.Services[0].RunningCount >= d.Services[0].DesiredCount, nil
	})
}

func (c *client) demoService(ctx context.Context, say func(string, ...any)) error {
	if there, err := c.hasDemo(ctx); err != nil || there {
		return err
	}
	say("registering the task definition hello and creating the service hello")
	def, err := c.ecs().RegisterTaskDefinition(ctx, &awsecs.RegisterTaskDefinitionInput{
		Family: aws.String("hello"),
		ContainerDefinitions: []types.ContainerDefinition{{
			Name: aws.String("web"), Image: aws.String(demoImage), Command: []string{"hello"}, Cpu: 128, Memory: aws.Int32(64),
			Essential: aws.Bool(true), StopTimeout: aws.Int32(2),
			PortMappings: []types.PortMapping{{ContainerPort: aws.Int32(80)}},
		}},
	})
	if err != nil {
		return err
	}
	_, err = c.ecs().CreateService(ctx, &awsecs.CreateServiceInput{
		ServiceName: aws.String("hello"), TaskDefinition: def.TaskDefinition.TaskDefinitionArn, DesiredCount: aws.Int32(3),
		DeploymentConfiguration: &types.DeploymentConfiguration{DeploymentCircuitBreaker: &types.DeploymentCircuitBreaker{Enable: true, Rollback: true}},
	})
	if err != nil {
		if there, _ := c.hasDemo(ctx); there {
			return nil // another `berth up --demo` was faster
		}
	}
	return err
}

// hasDemo reports whether the demo's service is there.
func (c *client) hasDemo(ctx context.Context) (bool, error) {
	d, err := c.ecs().DescribeServices(ctx, &awsecs.DescribeServicesInput{Services: []string{"hello"}})
	if err != nil {
		return false, err
	}
	return len(d.Services) > 0 && aws.ToString(d.Services[0].Status) == "ACTIVE", nil
}
