package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/sdkhttp"
)

// client is the SDK's client of the installation.
func (w *world) client() *awsecs.Client {
	return awsecs.New(awsecs.Options{
		Region: w.env["AWS_REGION"], BaseEndpoint: aws.String(w.env["AWS_ENDPOINT_URL"]), HTTPClient: sdkhttp.New(),
		Credentials: credentials.NewStaticCredentialsProvider(w.env["AWS_ACCESS_KEY_ID"], w.env["AWS_SECRET_ACCESS_KEY"], ""),
	})
}

// BenchmarkLaunch measures from RunTask until DescribeTasks says RUNNING, beside `docker run -d` of the same image in the same network mode.
func BenchmarkLaunch(b *testing.B) {
	w := start(b)
	c := w.client()
	for _, mode := range []types.NetworkMode{types.NetworkModeBridge, types.NetworkModeHost} {
		_, err := c.RegisterTaskDefinition(b.Context(), &awsecs.RegisterTaskDefinitionInput{
			Family: aws.String("bench-" + string(mode)), NetworkMode: mode,
			ContainerDefinitions: []types.ContainerDefinition{{Name: aws.String("x"), Image: aws.String(image), EntryPoint: []string{"/bin/sleep"},
				Command: []string{"3600"}, Memory: aws.Int32(32), StopTimeout: aws.Int32(1)}},
		})
		if err != nil {
			b.Fatal(err)
		}
		b.Run(string(mode), func(b *testing.B) {
			var ours, theirs []time.Duration
			for b.Loop() {
				ours = append(ours, w.launch(b, c, &awsecs.RunTaskInput{TaskDefinition: aws.String("bench-" + string(mode))}))
				theirs = append(theirs, dockerRun(b, string(mode)))
			}
			b.ReportMetric(median(ours).Seconds()*1000, "ms/task")
			b.ReportMetric(median(theirs).Seconds()*1000, "ms/docker-run")
			b.ReportMetric(median(ours).Seconds()/median(theirs).Seconds(), "ratio")
		})
	}
}

// BenchmarkLaunchFargate measures from RunTask until DescribeTasks says RUNNING of a task on Fargate, with its own network interface, on a member of the pool
// that is there, beside a task in bridge mode of the same size on a container instance.
func BenchmarkLaunchFargate(b *testing.B) {
	w := start(b)
	c := w.client()
	for family, mode := range map[string]types.NetworkMode{"fargate": types.NetworkModeAwsvpc, "ec2": types.NetworkModeBridge} {
		_, err := c.RegisterTaskDefinition(b.Context(), &awsecs.RegisterTaskDefinitionInput{
			Family: aws.String(family), NetworkMode: mode, Cpu: aws.String("256"), Memory: aws.String("512"),
			ContainerDefinitions: []types.ContainerDefinition{{Name: aws.String("x"), Image: aws.String(image), EntryPoint: []string{"/bin/sleep"},
				Command: []string{"3600"}, StopTimeout: aws.Int32(2)}},
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	ec2 := &awsecs.RunTaskInput{TaskDefinition: aws.String("ec2")}
	fargate := &awsecs.RunTaskInput{
		TaskDefinition: aws.String("fargate"), LaunchType: types.LaunchTypeFargate,
		NetworkConfiguration: &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: []string{w.subnet(b)}}},
	}
	w.launch(b, c, fargate) // the pool grows
	var ours, theirs []time.Duration
	for b.Loop() {
		ours = append(ours, w.launch(b, c, fargate))
		theirs = append(theirs, w.launch(b, c, ec2))
	}
	b.ReportMetric(median(ours).Seconds()*1000, "ms/task")
	b.ReportMetric(median(theirs).Seconds()*1000, "ms/bridge-task")
	b.ReportMetric(median(ours).Seconds()/median(theirs).Seconds(), "ratio")
}

// subnet is a subnet of the default VPC.
func (w *world) subnet(b *testing.B) string {
	aws := exec.Command("aws", "ec2", "describe-subnets", "--query", "Subnets[0].SubnetId", "--output", "text")
	aws.Env = os.Environ()
	for k, v := range w.env {
		aws.Env = append(aws.Env, k+"="+v)
	}
	out, err := aws.Output()
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

func (w *world) launch(b *testing.B, c *awsecs.Client, in *awsecs.RunTaskInput) time.Duration {
	run := *in // the SDK puts a token of its own into it
	began := time.Now()
	out, err := c.RunTask(b.Context(), &run)
	if err != nil || len(out.Tasks) != 1 {
		b.Fatalf("run task: %v, %+v", err, out)
	}
	task := *out.Tasks[0].TaskArn
	for {
		d, err := c.DescribeTasks(b.Context(), &awsecs.DescribeTasksInput{Tasks: []string{task}})
		if err != nil || len(d.Tasks) != 1 {
			b.Fatal(err)
		}
		if s := *d.Tasks[0].LastStatus; s == "RUNNING" {
			break
		} else if s == "STOPPED" {
			b.Fatal(aws.ToString(d.Tasks[0].StoppedReason))
		}
		time.Sleep(2 * time.Millisecond)
	}
	took := time.Since(began)
	if _, err := c.StopTask(context.WithoutCancel(b.Context()), &awsecs.StopTaskInput{Task: &task}); err != nil {
		b.Fatal(err)
	}
	for range 500 {
		d, err := c.DescribeTasks(b.Context(), &awsecs.DescribeTasksInput{Tasks: []string{task}})
		if err == nil && *d.Tasks[0].LastStatus == "STOPPED" {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	return took
}

func dockerRun(b *testing.B, mode string) time.Duration {
	began := time.Now()
	out, err := exec.Command("docker", "run", "-d", "--memory", "32m", "--network", mode, "--entrypoint", "/bin/sleep", image, "3600").Output()
	took := time.Since(began)
	if err != nil {
		b.Fatal(err)
	}
	if err := exec.Command("docker", "rm", "-f", strings.TrimSpace(string(out))).Run(); err != nil {
		b.Fatal(err)
	}
	return took
}

func median(d []time.Duration) time.Duration {
	d = slices.Clone(d)
	slices.Sort(d)
	return d[len(d)/2]
}

// BenchmarkDescribeTasks measures DescribeTasks of 100 tasks as a client sees it, its own decoding included.
func BenchmarkDescribeTasks(b *testing.B) {
	w := start(b)
	c := w.client()
	if _, err := c.RegisterTaskDefinition(b.Context(), &awsecs.RegisterTaskDefinitionInput{
		Family: aws.String("many"), ContainerDefinitions: []types.ContainerDefinition{{Name: aws.String("x"), Image: aws.String(image),
			EntryPoint: []string{"/bin/true"}, Memory: aws.Int32(8)}},
	}); err != nil {
		b.Fatal(err)
	}
	var tasks []string
	for len(tasks) < 100 {
		out, err := c.RunTask(b.Context(), &awsecs.RunTaskInput{TaskDefinition: aws.String("many"), Count: aws.Int32(10)})
		if err != nil || len(out.Failures) > 0 {
			b.Fatal(err, fmt.Sprint(out))
		}
		for _, t := range out.Tasks {
			tasks = append(tasks, *t.TaskArn)
		}
	}
	for b.Loop() {
		if _, err := c.DescribeTasks(b.Context(), &awsecs.DescribeTasksInput{Tasks: tasks}); err != nil {
			b.Fatal(err)
		}
	}
}
