package e2e

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/acs"
	"berth/internal/acsproto"
)

// instant is an agent whose tasks run as soon as they are ordered.
type instant struct {
	client *awsecs.Client
}

func (a *instant) Payload(ctx context.Context, p acsproto.Payload) error {
	for _, t := range p.Tasks {
		status := t.DesiredStatus
		_, err := a.client.SubmitTaskStateChange(ctx, &awsecs.SubmitTaskStateChangeInput{
			Cluster: &t.Cluster, Task: &t.ARN, Status: &status,
			Containers: []types.ContainerStateChange{{ContainerName: aws.String("x"), Status: &status, RuntimeId: aws.String("0")}},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (a *instant) Manifest(context.Context, acsproto.TaskManifest) ([]acsproto.ManifestTask, error) {
	return nil, nil
}
func (a *instant) StopVerified(context.Context, []acsproto.ManifestTask)         {}
func (a *instant) Network(context.Context, acsproto.Network)                     {}
func (a *instant) Credentials(context.Context, acsproto.IAMRoleCredentials) bool { return false }
func (a *instant) Heartbeat(context.Context)                                     {}

// BenchmarkIdle measures the control plane with 1,000 running tasks and nothing to do: resident MiB and percent of a core over ten seconds.
func BenchmarkIdle(b *testing.B) {
	w := start(b)
	c := w.client()
	_, err := c.CreateCluster(b.Context(), &awsecs.CreateClusterInput{ClusterName: aws.String("idle")})
	if err != nil {
		b.Fatal(err)
	}
	i, err := c.RegisterContainerInstance(b.Context(), &awsecs.RegisterContainerInstanceInput{
		Cluster: aws.String("idle"), TotalResources: []types.Resource{{Name: aws.String("CPU"), Type: aws.String("INTEGER"), IntegerValue: 1 << 20},
			{Name: aws.String("MEMORY"), Type: aws.String("INTEGER"), IntegerValue: 1 << 20}},
	})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error, 1)
	go func() {
		done <- acs.RunAgent(ctx, acs.AgentConfig{
			Endpoint: w.env["AWS_ENDPOINT_URL"] + "/acs/", Region: w.env["AWS_REGION"], Cluster: "idle", Instance: *i.ContainerInstance.ContainerInstanceArn,
			Credentials: credentials.NewStaticCredentialsProvider(w.env["AWS_ACCESS_KEY_ID"], w.env["AWS_SECRET_ACCESS_KEY"], ""),
		}, &instant{client: c})
	}()
	defer func() { cancel(); <-done }()
	if _, err := c.RegisterTaskDefinition(b.Context(), &awsecs.RegisterTaskDefinitionInput{Family: aws.String("idle"),
		ContainerDefinitions: []types.ContainerDefinition{{Name: aws.String("x"), Image: aws.String(image), Memory: aws.Int32(8)}}}); err != nil {
		b.Fatal(err)
	}
	began := time.Now()
	if _, err := c.CreateService(b.Context(), &awsecs.CreateServiceInput{Cluster: aws.String("idle"), ServiceName: aws.String("idle"),
		TaskDefinition: aws.String("idle"), DesiredCount: aws.Int32(1000)}); err != nil {
		b.Fatal(err)
	}
	for {
		d, err := c.DescribeServices(b.Context(), &awsecs.DescribeServicesInput{Cluster: aws.String("idle"), Services: []string{"idle"}})
		if err != nil {
			b.Fatal(err)
		}
		if d.Services[0].RunningCount == 1000 {
			break
		}
		if time.Since(began) > 2*time.Minute {
			b.Fatalf("%d tasks run after two minutes: %v", d.Services[0].RunningCount, d.Services[0].Events)
		}
		time.Sleep(50 * time.Millisecond)
	}
	time.Sleep(5 * time.Second)
	pid := w.pid("server")
	for b.Loop() {
		before := cpu(b, pid)
		time.Sleep(10 * time.Second)
		b.ReportMetric((cpu(b, pid)-before)/10*100, "%core")
	}
	b.ReportMetric(rss(b, pid), "MiB")
}

// cpu is the processor time of a process in seconds, of a hundredth each.
func cpu(b *testing.B, pid int) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Fatal(err)
	}
	f := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+2:]))
	var user, system float64
	fmt.Sscan(f[11], &user)
	fmt.Sscan(f[12], &system)
	return (user + system) / 100
}

func rss(b *testing.B, pid int) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		b.Fatal(err)
	}
	var pages float64
	fmt.Sscan(strings.Fields(string(text))[1], &pages)
	return pages * float64(os.Getpagesize()) / (1 << 20)
}
