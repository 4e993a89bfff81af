package faults

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/e2e/site"
)

// What a task reserves, and what an instance has: four tasks fill it.
const (
	taskCPU, taskMemory         = 256, 128
	instanceCPU, instanceMemory = 1024, 512
)

// A task has two registers. Of the first the clients are the writers: 1 is that it was placed, 2 that it should stop.
func asked(task string) string { return task + " desired" }
func last(task string) string  { return task + " last" }

const placed, stopAsked = 1, 2

// rank numbers a task's statuses in their order.
func rank(status string) int {
	return 1 + slices.Index([]string{"PROVISIONING", "PENDING", "ACTIVATING", "RUNNING", "DEACTIVATING", "STOPPING", "DEPROVISIONING", "STOPPED"}, status)
}

// runTasks runs tasks and stops them again. Like an SDK, it sends a request that was not answered again with the same token: it must not become two tasks.
func (c *crowd) runTasks(ctx context.Context, home int, definition string) {
	for n := 0; ctx.Err() == nil; n++ {
		token := fmt.Sprintf("run-%d-%d", home, n)
		task := ""
		for try := 0; ctx.Err() == nil; try++ {
			var out *awsecs.RunTaskOutput
			at, err := c.do("runner", (home+try)%len(c.apis), func(ctx context.Context, api *awsecs.Client) (err error) {
				out, err = api.RunTask(ctx, &awsecs.RunTaskInput{TaskDefinition: &definition, ClientToken: &token, StartedBy: &token})
				return err
			})
			if err == nil {
				for _, t := range out.Tasks {
					task = *t.TaskArn
					c.wrote(write{at, asked(task), placed, true})
					c.ordered(order{token, task})
				}
				break
			}
			pause(ctx, 200*time.Millisecond)
		}
		pause(ctx, 500*time.Millisecond)
		if task == "" {
			continue
		}
		c.tasks.add(task)
		for try := 0; ; try++ { // also when the test ends: the last check finds it stopped
			through := (home + try) % len(c.apis)
			at, err := c.do("runner", through, func(ctx context.Context, api *awsecs.Client) error {
				_, err := api.StopTask(ctx, &awsecs.StopTaskInput{Task: &task})
				return err
			})
			c.wrote(write{at, asked(task), stopAsked, err == nil})
			if err == nil {
				c.lookAtTasks((through+1)%len(c.apis), []string{task})
				break
			}
			if ctx.Err() != nil || refused(err) {
				if refused(err) {
					c.saw(read{at, asked(task), 0, false})
				}
				break
			}
			pause(ctx, 200*time.Millisecond)
		}
	}
}

// audit looks at everything that occupies the instances.
func (c *crowd) audit(ctx context.Context, through int) {
	for ; ctx.Err() == nil; pause(ctx, 500*time.Millisecond) {
		c.auditOnce(through)
		if keys := c.tasks.some(30); len(keys) > 0 {
			c.lookAtTasks(through, keys)
		}
	}
}

// auditOnce lists what should run and what should stop but has not, looks at it in one answer, and at the instances in another.
func (c *crowd) auditOnce(through int) bool {
	var tasks []string
	var instances *awsecs.DescribeContainerInstancesOutput
	at, err := c.do("auditor", through, func(ctx context.Context, api *awsecs.Client) error {
		list, err := api.ListTasks(ctx, &awsecs.ListTasksInput{DesiredStatus: types.DesiredStatusRunning})
		if err != nil {
			return err
		}
		tasks = list.TaskArns
		arns, err := api.ListContainerInstances(ctx, &awsecs.ListContainerInstancesInput{})
		if err != nil || len(arns.ContainerInstanceArns) == 0 {
			return err
		}
		instances, err = api.DescribeContainerInstances(ctx, &awsecs.DescribeContainerInstancesInput{ContainerInstances: arns.ContainerInstanceArns})
		return err
	})
	if err != nil {
		return false
	}
	var rooms []room
	if instances != nil {
		for _, i := range instances.ContainerInstances {
			r := room{span: at, instance: *i.ContainerInstanceArn, registered: amounts(i.RegisteredResources)}
			left := amounts(i.RemainingResources)
			r.used = [2]int{r.registered[0] - left[0], r.registered[1] - left[1]}
			rooms = append(rooms, r)
		}
	}
	c.measured(rooms...)
	for _, t := range c.tasks.some(40) { // some of them stop now
		if len(tasks) < 100 && !slices.Contains(tasks, t) {
			tasks = append(tasks, t)
		}
	}
	return len(tasks) == 0 || c.lookAtTasks(through, tasks)
}

func amounts(resources []types.Resource) (a [2]int) {
	for _, r := range resources {
		switch *r.Name {
		case "CPU":
			a[0] = int(r.IntegerValue)
		case "MEMORY":
			a[1] = int(r.IntegerValue)
		}
	}
	return a
}

// lookAtTasks reads tasks in one answer, which is of one moment: no instance may be overbooked in it.
func (c *crowd) lookAtTasks(through int, tasks []string) bool {
	slices.Sort(tasks)
	tasks = slices.Compact(tasks)
	var out *awsecs.DescribeTasksOutput
	at, err := c.do("auditor", through, func(ctx context.Context, api *awsecs.Client) (err error) {
		out, err = api.DescribeTasks(ctx, &awsecs.DescribeTasksInput{Tasks: tasks})
		return err
	})
	if err != nil {
		return false
	}
	found := map[string]*types.Task{}
	used := map[string][2]int{}
	for i := range out.Tasks {
		t := &out.Tasks[i]
		found[*t.TaskArn] = t
		if t.StartedBy != nil && (*t.StartedBy)[:3] == "run" {
			c.ordered(order{*t.StartedBy, *t.TaskArn})
		}
		if t.ContainerInstanceArn != nil && *t.LastStatus != "STOPPED" {
			u := used[*t.ContainerInstanceArn]
			used[*t.ContainerInstanceArn] = [2]int{u[0] + taskCPU, u[1] + taskMemory}
		}
	}
	for i, u := range used {
		c.measured(room{at, i, [2]int{instanceCPU, instanceMemory}, u})
	}
	reads := make([]read, 0, 2*len(tasks))
	for _, a := range tasks {
		desired, status := 0, 0
		if t := found[a]; t != nil {
			desired, status = placed, rank(*t.LastStatus)
			if *t.DesiredStatus == "STOPPED" {
				desired = stopAsked
			}
		}
		reads = append(reads, read{at, asked(a), desired, false}, read{at, last(a), status, false})
	}
	c.saw(reads...)
	return true
}

// taken is for the fleets: a report that was taken is a write.
func (c *crowd) taken(task, status string, when time.Time) {
	at := when.Sub(c.began)
	c.wrote(write{span{"an agent", at, at}, last(task), rank(status), true})
	c.reported(start{at, task, status == "STOPPED"})
}

// finish lets the clients go on until they have done enough, stops them, reads everything once more through every replica, and checks the history.
func (c *crowd) finish() {
	c.t.Helper()
	site.Eventually(c.t, "the clients have done enough to show anything", c.enough)
	c.end()
	for i, r := range c.s.Members {
		for keys := range slices.Chunk(c.keys.every(), 100) {
			site.Eventually(c.t, r.String()+" answers", c.answers(func() bool { return c.look(i, slices.Clone(keys)) }))
		}
		for tasks := range slices.Chunk(c.tasks.every(), 100) {
			site.Eventually(c.t, r.String()+" answers", c.answers(func() bool { return c.lookAtTasks(i, slices.Clone(tasks)) }))
		}
		site.Eventually(c.t, r.String()+" answers", c.answers(func() bool { return c.auditOnce(i) }))
	}
	wrong := c.check()
	for i, w := range wrong {
		if i == 20 {
			c.t.Errorf("and %d more", len(wrong)-i)
			break
		}
		c.t.Error(w)
	}
	c.t.Logf("%s; %d writes, %d reads, %d reports, %d tasks run, %d pictures of instances", c.report(), len(c.writes), len(c.reads), len(c.starts), len(c.tasks.keys), len(c.rooms))
}

// enough is an error while the history is too short: faults may have kept the clients waiting.
func (c *crowd) enough() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if tasks := len(c.tasks.every()); len(c.writes) < 200 || len(c.reads) < 1000 || tasks < 10 {
		return fmt.Errorf("%d writes, %d reads, %d tasks run", len(c.writes), len(c.reads), tasks)
	}
	return nil
}

func (c *crowd) answers(f func() bool) func() error {
	return func() error {
		if !f() {
			return fmt.Errorf("%v", c.last.Load())
		}
		return nil
	}
}

// define registers what all tasks are.
func define(s *site.Site) string {
	s.T.Helper()
	var arn string
	site.Eventually(s.T, "a task definition is registered", func() error {
		out, err := s.Members[rand.IntN(len(s.Members))].Client().RegisterTaskDefinition(context.Background(), &awsecs.RegisterTaskDefinitionInput{
			Family: aws.String("work"),
			ContainerDefinitions: []types.ContainerDefinition{
				{Name: aws.String("app"), Image: aws.String("berth/hello:1"), Cpu: taskCPU, Memory: aws.Int32(taskMemory), Essential: aws.Bool(true)},
			},
		})
		if err == nil {
			arn = *out.TaskDefinition.TaskDefinitionArn
		}
		return err
	})
	return arn
}
