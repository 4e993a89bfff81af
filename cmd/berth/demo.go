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

// demo runs the same web server in both modes, as services of three tasks in the default cluster, unless they are there already. It returns the address of
// a Fargate task, if this machine reaches one.
func (c *client) demo(ctx context.Context, say func(string, ...any)) (address string, err error) {
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("demo: %w", err)
	}
	say("importing the demo's image %s", demoImage)
	if err := importImage(ctx, demoImage, self); err != nil {
		return "", fmt.Errorf("demo image: %w", err)
	}
	if err := c.demoEC2(ctx, say); err != nil {
		return "", fmt.Errorf("demo: %w", err)
	}
	fargate, err := c.demoFargate(ctx, say)
	if err != nil {
		return "", fmt.Errorf("demo: %w", err)
	}
	say("waiting for three running tasks of the service hello")
	if err := c.waitRunning(ctx, "hello"); err != nil || !fargate {
		return "", err
	}
	say("waiting for three running tasks of the service %s", fargateName)
	if err := c.waitRunning(ctx, fargateName); err != nil {
		return "", err
	}
	return c.fargateAddress(ctx, say)
}

// waitRunning waits until a service has its desired count of running tasks.
func (c *client) waitRunning(ctx context.Context, name string) error {
	event := ""
	err := c.poll(ctx, 2*time.Minute, "the tasks of the demo's service "+name+" did not start", func() (bool, error) {
		d, err := c.ecs().DescribeServices(ctx, &awsecs.DescribeServicesInput{Services: []string{name}})
		if err != nil || len(d.Services) == 0 {
			return false, err
		}
		if e := d.Services[0].Events; len(e) > 0 {
			event = aws.ToString(e[0].Message)
		}
		return d.Services[0].RunningCount >= d.Services[0].DesiredCount, nil
	})
	if err != nil && event != "" {
		return fmt.Errorf("%w; its last event is: %s", err, event)
	}
	return err
}

// demoContainer is the container of both modes.
func demoContainer() types.ContainerDefinition {
	return types.ContainerDefinition{
		Name: aws.String("web"), Image: aws.String(demoImage), Command: []string{"hello"}, Essential: aws.Bool(true), StopTimeout: aws.Int32(2),
		PortMappings: []types.PortMapping{{ContainerPort: aws.Int32(80)}},
	}
}

// demoEC2 makes the service hello.
func (c *client) demoEC2(ctx context.Context, say func(string, ...any)) error {
	if there, err := c.hasService(ctx, "hello"); err != nil || there {
		return err
	}
	say("registering the task definition hello and creating the service hello, in EC2 mode")
	web := demoContainer()
	web.Cpu, web.Memory = 128, aws.Int32(64)
	return c.createService(ctx,
		&awsecs.RegisterTaskDefinitionInput{Family: aws.String("hello"), ContainerDefinitions: []types.ContainerDefinition{web}},
		&awsecs.CreateServiceInput{ServiceName: aws.String("hello")})
}

// createService registers a definition and makes a service of three tasks of it, unless another `berth up --demo` is faster.
func (c *client) createService(ctx context.Context, definition *awsecs.RegisterTaskDefinitionInput, service *awsecs.CreateServiceInput) error {
	d, err := c.ecs().RegisterTaskDefinition(ctx, definition)
	if err != nil {
		return err
	}
	service.TaskDefinition, service.DesiredCount = d.TaskDefinition.TaskDefinitionArn, aws.Int32(3)
	service.DeploymentConfiguration = &types.DeploymentConfiguration{DeploymentCircuitBreaker: &types.DeploymentCircuitBreaker{Enable: true, Rollback: true}}
	if _, err = c.ecs().CreateService(ctx, service); err != nil {
		if there, _ := c.hasService(ctx, *service.ServiceName); there {
			return nil
		}
	}
	return err
}

// hasService reports whether a service is there.
func (c *client) hasService(ctx context.Context, name string) (bool, error) {
	d, err := c.ecs().DescribeServices(ctx, &awsecs.DescribeServicesInput{Services: []string{name}})
	if err != nil {
		return false, err
	}
	return len(d.Services) > 0 && aws.ToString(d.Services[0].Status) == "ACTIVE", nil
}
