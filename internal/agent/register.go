package agent

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/smithy-go"

	"berth/internal/acs"
)

// callTimeout bounds one call of the control plane's API.
const callTimeout = 42 * time.Second

// client is the SDK's client with an instance's keys. It tries once: whoever calls tries again.
func (c *Config) client(e *endpoints, i InstanceConfig) API {
	return awsecs.New(awsecs.Options{
		EndpointResolverV2: e, Region: c.Region, Retryer: aws.NopRetryer{}, HTTPClient: newCaller(c.HTTPClient, e),
		Credentials: i.Keys(),
	})
}

// register makes the instance known to the control plane, again where it was known before. It tries until it succeeds;
// acs.ErrInactive: the control plane has deregistered it.
func (i *instance) register(ctx context.Context) error {
	machine, err := i.machine(ctx)
	if err != nil {
		return err
	}
	if err := i.checkRuntime(machine); err != nil {
		return err
	}
	select { // the containers may tell who the instance is
	case <-i.agent.listed:
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := i.keep(ctx, func(id *identity) {
		if id.ClientToken == "" || id.ARN != "" {
			id.ClientToken = rand.Text()
		}
		id.Cluster = i.Cluster
	}); err != nil {
		return err
	}
	in, token := i.registration(machine)
	var out *awsecs.RegisterContainerInstanceOutput
	err = i.insist(ctx, "register", func(ctx context.Context) (err error) {
		out, err = i.api.RegisterContainerInstance(ctx, in, withClientToken(token))
		if in.ContainerInstanceArn != nil && forgotten(err) {
			return &givenUp{fmt.Errorf("%w: %w", acs.ErrInactive, err)}
		}
		return i.right("ecs:RegisterContainerInstance", err)
	})
	if err != nil {
		return err
	}
	if out.ContainerInstance == nil || aws.ToString(out.ContainerInstance.ContainerInstanceArn) == "" {
		return fmt.Errorf("register: the answer names no container instance")
	}
	arn := *out.ContainerInstance.ContainerInstanceArn
	i.log.Info("registered", "arn", arn)
	return i.keep(ctx, func(id *identity) { id.ARN, id.ClientToken, id.EC2 = arn, "", ec2Identity(out.ContainerInstance) })
}

// machine asks the engine what machine this is, until it answers.
func (i *instance) machine(ctx context.Context) (m Machine, err error) {
	err = i.insist(ctx, "ask the engine about the machine", func(ctx context.Context) (err error) {
		m, err = i.agent.Engine.Machine(ctx)
		return err
	})
	if err == nil && !m.LiveRestore {
		i.log.Warn("the engine has no live-restore: when it restarts, the containers stop", "remedy", `"live-restore": true in the engine's configuration`)
	}
	return m, err
}

// registration is the request that registers the instance, and its client token.
func (i *instance) registration(m Machine) (in *awsecs.RegisterContainerInstanceInput, token string) {
	i.mu.Lock()
	id := i.identity
	i.mu.Unlock()
	in = &awsecs.RegisterContainerInstanceInput{
		Cluster: aws.String(i.Cluster), ContainerInstanceArn: stringOrNil(id.ARN),
		InstanceIdentityDocument: aws.String(""), InstanceIdentityDocumentSignature: aws.String(""),
		TotalResources: resources(i.InstanceConfig, m), PlatformDevices: devices(i.GPUs),
		Attributes: attributes(i.InstanceConfig, m, i.agent.abilities(), id.ARN == ""),
	}
	return in, id.ClientToken
}

// The ports that are not given to tasks: ssh, the engine's and the agent's.
func reservedPorts() []string { return []string{"22", "2375", "2376", "51678", "51679", "51680"} }

// systemMiB is what is left to the system where an instance has no declared size.
const systemMiB = 256

func resources(c InstanceConfig, m Machine) []types.Resource {
	cpu, memory := c.CPUUnits, c.MemoryMiB
	if cpu == 0 {
		cpu = int64(m.CPUs) * 1024
	}
	if memory == 0 {
		memory = max(m.MemoryBytes/mib-systemMiB, 1)
	}
	integer, set := aws.String("INTEGER"), aws.String("STRINGSET")
	return []types.Resource{
		{Name: aws.String("CPU"), Type: integer, IntegerValue: int32(cpu)},
		{Name: aws.String("MEMORY"), Type: integer, IntegerValue: int32(memory)},
		{Name: aws.String("PORTS"), Type: set, StringSetValue: reservedPorts()},
		{Name: aws.String("PORTS_UDP"), Type: set, StringSetValue: []string{}},
	}
}

// devices are an instance's GPUs.
func devices(gpus []string) (out []types.PlatformDevice) {
	for _, id := range gpus {
		out = append(out, types.PlatformDevice{Id: aws.String(id), Type: types.PlatformDeviceTypeGpu})
	}
	return out
}

// discover asks for the endpoints of the sessions. telemetry is the endpoint of the second.
func (i *instance) discover(ctx context.Context) (c acs.AgentConfig, telemetry string, err error) {
	machine, err := i.machine(ctx)
	if err != nil {
		return c, "", err
	}
	var session string
	err = i.insist(ctx, "discover the session endpoints", func(ctx context.Context) (err error) {
		session, telemetry, err = i.poll(ctx)
		if errors.Is(err, acs.ErrInactive) {
			return &givenUp{err}
		}
		return err
	})
	if err != nil {
		return c, "", err
	}
	return acs.AgentConfig{
		Endpoint: session, Region: i.agent.Region, Cluster: i.Cluster, Instance: i.knownARN(), SendCredentials: true,
		Credentials:  i.Keys(),
		AgentVersion: i.agent.Version, AgentHash: i.agent.Hash, DockerVersion: machine.Version, Log: i.log, HTTPClient: i.agent.HTTPClient,
	}, telemetry, nil
}

// poll asks the current replica once for the endpoints of the sessions. acs.ErrInactive: the control plane does not know the instance.
func (i *instance) poll(ctx context.Context) (session, telemetry string, err error) {
	out, err := i.api.DiscoverPollEndpoint(ctx, &awsecs.DiscoverPollEndpointInput{Cluster: aws.String(i.Cluster), ContainerInstance: aws.String(i.knownARN())})
	err = i.right("ecs:DiscoverPollEndpoint", err)
	switch {
	case forgotten(err):
		return "", "", fmt.Errorf("%w: %w", acs.ErrInactive, err)
	case err != nil:
		return "", "", err
	case out.Endpoint == nil || out.TelemetryEndpoint == nil:
		return "", "", errors.New("the answer names none")
	}
	return *out.Endpoint, *out.TelemetryEndpoint, nil
}

// relocate finds the endpoints of the sessions anew: at another replica where the one behind failed has failed, else at any. It asks each that it
// knows before it gives up: the pause until it is called again may be minutes.
func (i *instance) relocate(ctx context.Context, failed string) (session, telemetry string, err error) {
	known := i.agent.endpoints
	if failed == "" {
		known.renew()
	} else {
		known.fail(failed)
	}
	for range known.all {
		asked := known.current()
		err = bounding(ctx, func(ctx context.Context) (err error) {
			session, telemetry, err = i.poll(ctx)
			return err
		})
		if err == nil || ctx.Err() != nil || known.current() == asked {
			break
		}
	}
	return session, telemetry, err
}

// givenUp is an error that trying again will not mend.
type givenUp struct{ error }

func (g *givenUp) Unwrap() error { return g.error }

// insist calls f, again and again with longer pauses, until it succeeds, gives up, or ctx ends.
func (i *instance) insist(ctx context.Context, what string, f func(context.Context) error) error {
	var p pause
	for {
		err := bounding(ctx, f)
		var last *givenUp
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, &last):
			return fmt.Errorf("%s: %w", what, last.error)
		}
		p.fail(time.Now())
		if !errors.Is(err, acs.ErrTold) {
			i.log.Warn("call failed, trying again", "call", what, "err", err, "in", time.Until(p.until).Round(time.Millisecond))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Until(p.until)):
		}
	}
}

func bounding(ctx context.Context, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return f(ctx)
}

// forgotten says whether the control plane does not know the instance (any more).
func forgotten(err error) bool {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return false
	}
	switch api.ErrorCode() {
	case "ClientException", "InvalidParameterException", "InactiveInstanceException":
		text := strings.ToLower(api.ErrorCode() + " " + api.ErrorMessage())
		return strings.Contains(text, "inactive") || strings.Contains(text, "not found") || strings.Contains(text, "not registered") ||
			strings.Contains(text, "does not exist")
	}
	return false
}
