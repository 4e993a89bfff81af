package ecs

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/golden"
)

func TestLaunchStories(t *testing.T) {
	for _, dir := range []string{"run_task", "start_task", "submit_task_state_change", "discover_poll_endpoint"} {
		golden.Run(t, "testdata/"+dir+"/*.txtar", func(t *testing.T, in map[string]string) (out string) {
			synctest.Test(t, func(t *testing.T) {
				s := &story{launchPad: newLaunchPad(t)}
				for line := range strings.Lines(in["requests"]) {
					line = strings.TrimSpace(line)
					if wait, is := strings.CutPrefix(line, "wait "); is {
						d, err := time.ParseDuration(wait)
						if err != nil {
							t.Fatal(err)
						}
						time.Sleep(d)
						continue
					}
					out += "> " + line + "\n" + s.tell(t, line)
				}
			})
			return out
		})
	}
}

// wrong is an input that must change nothing.
type wrong struct{ operation, input, want string }

func TestWrongLaunches(t *testing.T) {
	long := strings.Repeat("x", 2000)
	override := func(o string) string { return `{"cluster":"demo","taskDefinition":"web","overrides":` + o + `}` }
	container := func(o string) string { return override(`{"containerOverrides":[` + o + `]}`) }
	run := func(members string) string { return `{"cluster":"demo","taskDefinition":"web",` + members + `}` }
	const invalid = "InvalidParameterException: "
	cases := []wrong{
		{"RunTask", `{"cluster":"nope","taskDefinition":"web"}`, "ClusterNotFoundException: Cluster not found."},
		{"RunTask", `{"taskDefinition":"web"}`, "ClusterNotFoundException: Cluster not found."},
		{"RunTask", `{"cluster":"gone","taskDefinition":"web"}`, "ClusterNotFoundException: The referenced cluster was inactive."},
		{"RunTask", `{"cluster":"empty","taskDefinition":"web"}`, invalid + "No Container Instances were found in your cluster."},
		{"RunTask", `{"cluster":"demo"}`, invalid + "TaskDefinition can not be blank."},
		{"RunTask", `{"cluster":"demo","taskDefinition":"nope"}`, "ClientException: TaskDefinition not found."},
		{"RunTask", `{"cluster":"demo","taskDefinition":"web:7"}`, "ClientException: TaskDefinition not found."},
		{"RunTask", `{"cluster":"demo","taskDefinition":"old:1"}`, invalid + "TaskDefinition is inactive"},
		{"RunTask", `{"cluster":"demo","taskDefinition":"vpc"}`, invalid + "Network Configuration must be provided when networkMode 'awsvpc' is specified."},
		{"RunTask", run(`"networkConfiguration":{"awsvpcConfiguration":{"subnets":["s"]}}`), invalid + "Network Configuration is not valid for the given networkMode of this task definition."},
		{"RunTask", run(`"count":0`), invalid + "count should be between 1 and 10, but was 0"},
		{"RunTask", run(`"count":11`), invalid + "count should be between 1 and 10, but was 11"},
		{"RunTask", run(`"launchType":"FARGATE"`), invalid + "Task definition does not support launch_type FARGATE."},
		{"RunTask", run(`"launchType":"MOON"`), "ClientException: launch type should be one of [EC2,FARGATE,EXTERNAL]"},
		{"RunTask", run(`"launchType":"EXTERNAL"`), invalid + "Task definition does not support launch_type EXTERNAL."},
		{"RunTask", run(`"launchType":"EC2","capacityProviderStrategy":[{"capacityProvider":"p"}]`), invalid + "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again."},
		{"RunTask", run(`"capacityProviderStrategy":[{"capacityProvider":"p"}]`), invalid + "There are no capacity providers in the capacity provider strategy with a weight value greater than zero."},
		{"RunTask", run(`"capacityProviderStrategy":[{"capacityProvider":"p","weight":1}]`), invalid + "The specified capacity provider 'p' was not found. Specify a valid capacity provider and try again."},
		{"RunTask", run(`"platformVersion":"LATEST"`), invalid + "The platform version must be null when specifying an EC2 launch type."},
		{"RunTask", run(`"volumeConfigurations":[{"name":"v"}]`), invalid + "Berth does not act on volumeConfigurations yet"},
		{"RunTask", run(`"enableExecuteCommand":true`), invalid + "The execute command failed because a valid task role is not being used. Specify a valid task role in your task definition or as a task override and try again."},
		{"RunTask", run(`"group":"` + long[:256] + `"`), invalid + "group can be at most 255 characters long."},
		{"RunTask", run(`"group":"service:web"`), invalid + "Invalid namespace for group."},
		{"RunTask", run(`"startedBy":"` + long[:129] + `"`), invalid + "startedBy longer than 128."},
		{"RunTask", run(`"startedBy":"ecs-svc/1"`), invalid + "startedBy cannot begin with ecs-svc/"},
		{"RunTask", run(`"referenceId":"` + long + `"`), invalid + "referenceId can be at most 1024 characters long."},
		{"RunTask", run(`"propagateTags":"SERVICE"`), invalid + "propagateTags SERVICE is only valid for the tasks of a service."},
		{"RunTask", run(`"propagateTags":"SOME"`), invalid + "propagateTags should be one of [TASK_DEFINITION,SERVICE,NONE], but was 'SOME'"},
		{"RunTask", run(`"tags":[{"key":"aws:x","value":"y"}]`), invalid + "The tag key 'aws:x' is not allowed"},
		{"RunTask", run(`"clientToken":"a b"`), invalid + "clientToken can be at most 64 ASCII characters long"},
		{"RunTask", run(`"clientToken":"` + long[:65] + `"`), invalid + "clientToken can be at most 64 ASCII characters long"},
		{"RunTask", run(`"placementStrategy":[{"type":"binpack","field":"x"}]`), invalid + "binpack field 'x' is invalid"},
		{"RunTask", run(`"placementStrategy":[{"type":"random","field":"x"}]`), invalid + "random field should not be specified"},
		{"RunTask", run(`"placementStrategy":[` + strings.TrimSuffix(strings.Repeat(`{"type":"random"},`, 6), ",") + `]`), invalid + "Maximum number of strategies is 5"},
		{"RunTask", run(`"placementConstraints":[{"type":"distinctInstance","expression":"x"}]`), invalid + "distinctInstance expression should not be specified."},
		{"RunTask", run(`"placementConstraints":[{"type":"memberOf","expression":"x"}]`), invalid + `memberOf expression 'x' is invalid: unknown subject "x"`},
		{"RunTask", run(`"placementConstraints":[{"type":"memberOf"}]`), invalid + "memberOf expression should be specified"},
		{"RunTask", run(`"placementConstraints":[` + strings.TrimSuffix(strings.Repeat(`{"type":"distinctInstance"},`, 11), ",") + `]`), invalid + "Maximum number of constraints is 10"},
		{"RunTask", container(`{"name":"ghost"}`), invalid + "Override for container named ghost is not a container in the TaskDefinition."},
		{"RunTask", container(`{"name":"web"},{"name":"web"}`), invalid + "There is more than one override for the container named web."},
		{"RunTask", container(`{}`), invalid + "Container.name should not be null or empty."},
		{"RunTask", container(`{"name":"web","cpu":-1}`), invalid + "Invalid 'cpu' setting for container 'web'."},
		{"RunTask", container(`{"name":"web","memory":3}`), invalid + "Invalid 'memory' setting for container 'web'."},
		{"RunTask", container(`{"name":"web","memoryReservation":3}`), invalid + "Invalid 'memoryReservation' setting for container 'web'."},
		{"RunTask", container(`{"name":"web","memoryReservation":300}`), invalid + "Invalid setting for container 'web'. 'memory' must be greater than or equal to 'memoryReservation'."},
		{"RunTask", container(`{"name":"web","environment":[{"value":"x"}]}`), invalid + "The name of an environment variable of container 'web' should not be null or empty."},
		{"RunTask", container(`{"name":"web","environmentFiles":[{"type":"s3","value":"x"}]}`), invalid + "Invalid arn syntax: the environment file 'x' of container 'web' should be the ARN of an S3 object."},
		{"RunTask", container(`{"name":"web","resourceRequirements":[{"type":"GPU","value":"x"}]}`), invalid + "Invalid 'resourceRequirements' setting for container 'web': the value of GPU should be a number of at least 1."},
		{"RunTask", container(`{"name":"web","command":["` + strings.Repeat(long, 5) + `"]}`), invalid + "Container Overrides length must be at most 8192"},
		{"RunTask", override(`{"cpu":"much"}`), invalid + `Invalid 'cpu' setting for task: "much"`},
		{"RunTask", override(`{"memory":"0"}`), invalid + `Invalid 'memory' setting for task: "0"`},
		{"RunTask", override(`{"taskRoleArn":"a b"}`), "ClientException: Role is not valid: taskRoleArn should be the name or ARN of an IAM role, but was 'a b'."},
		{"RunTask", override(`{"executionRoleArn":"arn:aws:s3:::b"}`), "ClientException: Role is not valid: executionRoleArn should be"},
		{"RunTask", override(`{"ephemeralStorage":{"sizeInGiB":21}}`), invalid + "Tasks using the EC2 launch type do not support EphemeralStorage"},
		{"RunTask", override(`{"inferenceAcceleratorOverrides":[{"deviceName":"d"}]}`), invalid + "Unsupported field 'inferenceAcceleratorOverrides'"},
		{"StartTask", run(`"containerInstances":[]`), invalid + "Container Instances cannot be empty."},
		{"StartTask", run(`"containerInstances":["` + strings.Join(slices.Repeat([]string{"i1"}, 11), `","`) + `"]`), invalid + "instanceIds can have at most 10 items."},
		{"StartTask", `{"cluster":"demo","containerInstances":["i1"]}`, invalid + "TaskDefinition can not be blank."},
		{"StartTask", run(`"containerInstances":["i1","arn:aws:ecs:us-east-1:123456789012:task/demo/i1"]`), invalid + "Invalid identifier: Identifier is for a task."},
		{"StartTask", run(`"containerInstances":["i1","arn:aws:ecs:us-east-1:123456789012:container-instance/empty/i1"]`), invalid + "Invalid identifier: Identifier is for cluster empty. Your cluster is demo"},
		{"StartTask", run(`"containerInstances":["i1"],"group":"service:x"`), invalid + "Invalid namespace for group."},
	}
	p := newLaunchPad(t)
	p.refuse(t, cases)
}

// refuse checks what wrong inputs are answered, and that they change nothing.
func (p *launchPad) refuse(t *testing.T, cases []wrong) {
	t.Helper()
	before := p.store.View().N
	for _, c := range cases {
		t.Run(c.operation, func(t *testing.T) {
			out, err := p.ask(t, "ADMIN", c.operation, c.input)
			if err == nil {
				t.Fatalf("%.300s\nanswered %s\nwant     %s", c.input, out, c.want)
			}
			if got := err.Code + ": " + err.Message; !strings.HasPrefix(got, c.want) || err.Status != 400 {
				t.Errorf("%.300s\ngot  %d %s\nwant 400 %s", c.input, err.Status, got, c.want)
			}
		})
	}
	if after := p.store.View().N; after != before {
		t.Errorf("wrong inputs made commits: %d before, %d after", before, after)
	}
}

func TestRunTaskOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newLaunchPad(t)
		const input = `{"cluster":"demo","taskDefinition":"web","clientToken":"t1","count":2}`
		run := func(body string) (tasks []string) {
			out, err := p.ask(t, "ADMIN", "RunTask", body)
			if err != nil {
				t.Fatal(err)
			}
			var a struct{ Tasks []struct{ TaskArn string } }
			if err := json.Unmarshal(out, &a); err != nil {
				t.Fatal(err)
			}
			for _, task := range a.Tasks {
				tasks = append(tasks, task.TaskArn)
			}
			return tasks
		}
		first := run(input)
		time.Sleep(23 * time.Hour)
		if diff := cmp.Diff(first, run(input)); diff != "" || len(first) != 2 {
			t.Errorf("a repeat got other tasks (-first +repeat)\n%s", diff)
		}
		_, err := p.ask(t, "ADMIN", "RunTask", `{"cluster":"demo","taskDefinition":"web","clientToken":"t1","count":1}`)
		if err == nil || err.Code != "ConflictException" || !strings.Contains(err.Message, first[0]) || !slices.Equal(err.ResourceIDs, first) {
			t.Errorf("the token with other parameters: %v", err)
		}
		if len(p.tasks()) != 2 {
			t.Errorf("%d tasks, want 2", len(p.tasks()))
		}
		time.Sleep(2 * time.Hour)
		if again := run(input); len(again) != 2 || again[0] == first[0] {
			t.Errorf("a day later the token still stands for %v", again)
		}
	})
}

// TestRunTaskTogether: requests at the same time never book the same room (I3).
func TestRunTaskTogether(t *testing.T) {
	p := newLaunchPad(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := p.ask(t, "ADMIN", "RunTask", `{"cluster":"demo","taskDefinition":"web","count":3}`); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	on := map[arn.Instance]int{}
	for _, task := range p.tasks() {
		on[task.ContainerInstanceArn]++
	}
	want := map[arn.Instance]int{padCluster.Instance("i1"): 3, padCluster.Instance("i2"): 3} // 1,024 MiB hold three of 300
	if !maps.Equal(on, want) {
		t.Errorf("tasks on instances: %v, want %v", on, want)
	}
}

func TestTooManyPropagatedTags(t *testing.T) {
	d := padDefinition("tagged", types.TaskDefinition{}, types.ContainerDefinition{Name: aws.String("c"), Memory: aws.Int32(10)})
	tag := func(n int) string { return fmt.Sprintf(`{"key":"k%d","value":"v"}`, n) }
	var tags []string
	for n := range 50 {
		tags = append(tags, tag(n))
	}
	p := newLaunchPad(t, d)
	body := `{"cluster":"demo","taskDefinition":"%s","propagateTags":"%s","enableECSManagedTags":true,"tags":[` + strings.Join(tags, ",") + `]}`
	if _, err := p.ask(t, "ADMIN", "RunTask", fmt.Sprintf(body, "tagged", "TASK_DEFINITION")); err == nil || !strings.HasPrefix(err.Message, "Too many tags") {
		t.Errorf("51 tags: %v", err)
	}
	if _, err := p.ask(t, "ADMIN", "RunTask", fmt.Sprintf(body, "tagged", "NONE")); err != nil {
		t.Errorf("50 tags and ECS's own: %v", err)
	}
	for _, task := range p.tasks() {
		if len(task.Tags) != 51 {
			t.Errorf("%d tags on the task, want 51", len(task.Tags))
		}
	}
	if len(p.tasks()) != 1 {
		t.Errorf("%d tasks, want 1", len(p.tasks()))
	}
}

func TestLaunchResources(t *testing.T) {
	p := newLaunchPad(t)
	family, unknown := "web", "nope"
	for in, want := range map[*awsecs.RunTaskInput][]string{
		{TaskDefinition: &family}:  {string(padScope.TaskDefinition("web", 1))},
		{TaskDefinition: &unknown}: nil,
		{}:                         nil,
	} {
		if got := p.ops["RunTask"].Resources(p.request("ADMIN"), in); !slices.Equal(got, want) {
			t.Errorf("the policy is asked about %v, want %v", got, want)
		}
	}
}

func BenchmarkRunTask(b *testing.B) {
	var more []ecs.Record
	for n := range 1000 {
		i := padInstance(fmt.Sprintf("m%04d", n), "us-east-1a", ecs.Active)
		i.Registered = ecs.Resources{CPUUnits: 1 << 40, MemoryMiB: 1 << 40}
		more = append(more, i)
	}
	p := newLaunchPad(b, more...)
	for b.Loop() {
		if _, err := p.ask(b, "ADMIN", "RunTask", `{"cluster":"demo","taskDefinition":"web","count":10}`); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(10*b.N)/b.Elapsed().Seconds(), "tasks/s")
}
