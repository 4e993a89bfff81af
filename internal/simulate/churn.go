package simulate

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// Churn replaces tasks of a load's services at a steady rate, in the four ways in which tasks come and go: a quarter of them by rolling updates,
// a quarter by stopping single tasks that their services replace, a quarter by services that shrink and grow again, and a quarter by tasks that
// are run without a service and stopped later. The number of tasks stays about the same.
type Churn struct {
	Load        *Load
	Fleet       *Fleet // its Called should be the churn's Called
	Rate        float64
	Definitions [2]string // that rolling updates change between; the services have the first one
	Every       time.Duration
	// Tell is told what happened in each interval of length Every.
	Tell func(Interval)

	calls   latencies
	rolled  map[int]int // the definition that a service has
	shrunk  int         // the service that is smaller now, -1 none
	rounds  [3]int      // of roll, stop, scale
	reads   int
	singles []string // tasks without a service, oldest first
}

// Interval is what happened in a part of a churn.
type Interval struct {
	After   time.Duration    `json:"after"` // from the churn's begin to the interval's end
	Took    time.Duration    `json:"took"`
	Started int64            `json:"started"` // tasks that were reported RUNNING
	Stopped int64            `json:"stopped"` // and STOPPED
	Tasks   int64            `json:"tasks"`   // that the fleet has at the end
	Calls   map[string]Calls `json:"calls"`
	Error   string           `json:"error,omitempty"` // the last one
}

// batch is how many tasks are stopped, run or taken away from a service at once: as many as one RunTask starts at most.
const batch = 10

// standing is how many tasks without a service there are once it has begun.
const standing = 10 * batch

// Called is for Config.Called: it notes how long the fleet's reports take.
func (c *Churn) Called(operation string, took time.Duration, err error) {
	if operation == "SubmitTaskStateChange" {
		c.calls.note(operation, took, err)
	}
}

// Run churns for so long, or where that is 0 until ctx ends, and returns what happened. Calls that fail are counted and do not end it.
func (c *Churn) Run(ctx context.Context, stay time.Duration) []Interval {
	c.rolled, c.shrunk = map[int]int{}, -1
	c.calls.take() //nolint:errcheck // what was before does not count
	during, cancel := ctx, context.CancelFunc(func() {})
	if stay > 0 {
		during, cancel = context.WithTimeout(ctx, stay)
	}
	defer cancel()
	var wg sync.WaitGroup
	for _, step := range []func(context.Context) float64{c.roll, c.stop, c.scale, c.run} {
		wg.Go(func() { pace(during, c.Rate/4, func() float64 { return step(ctx) }) })
	}
	wg.Go(func() { pace(during, 10, func() float64 { c.read(ctx); return 1 }) })
	all := c.watch(during)
	wg.Wait()
	if ctx.Err() == nil {
		c.settle(ctx)
	}
	return all
}

// pace repeats step, which returns how much it did, so that rate is done in a second. What was late is caught up only for a moment.
func pace(ctx context.Context, rate float64, step func() float64) {
	due := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Until(due)):
		}
		if ctx.Err() != nil {
			return
		}
		due = due.Add(time.Duration(step() / rate * float64(time.Second)))
		if late := time.Now().Add(-5 * time.Second); due.Before(late) {
			due = late
		}
	}
}

// watch sums up one interval after another.
func (c *Churn) watch(ctx context.Context) (all []Interval) {
	began := time.Now()
	last, started, stopped := began, c.Fleet.Running.Load(), c.Fleet.Stopped.Load()
	tick := time.NewTicker(c.Every)
	defer tick.Stop()
	for over := false; !over; {
		select {
		case <-ctx.Done():
			over = true
		case <-tick.C:
		}
		now := time.Now()
		if over && now.Sub(last) < c.Every/2 && len(all) > 0 {
			return all // too short to tell anything
		}
		i := Interval{
			After: now.Sub(began), Took: now.Sub(last), Started: c.Fleet.Running.Load() - started, Stopped: c.Fleet.Stopped.Load() - stopped,
			Tasks: c.Fleet.Tasks.Load(),
		}
		last, started, stopped = now, started+i.Started, stopped+i.Stopped
		var err error
		if i.Calls, err = c.calls.take(); err != nil {
			i.Error = err.Error()
		}
		all = append(all, i)
		if c.Tell != nil {
			c.Tell(i)
		}
	}
	return all
}

// timed makes one call. A call that ctx has ended is no failure.
func (c *Churn) timed(ctx context.Context, operation string, call func() error) error {
	began := time.Now()
	err := call()
	if err == nil || ctx.Err() == nil {
		c.calls.note(operation, time.Since(began), err)
	}
	return err
}

// next is the service whose turn it is in one of the rounds. Each round begins elsewhere.
func (c *Churn) next(round int) int {
	n := (c.rounds[round] + round*c.Load.Services/len(c.rounds)) % c.Load.Services
	c.rounds[round]++
	return n
}

// roll gives a service the other definition.
func (c *Churn) roll(ctx context.Context) float64 {
	n := c.next(0)
	to := 1 - c.rolled[n]
	if c.update(ctx, n, &awsecs.UpdateServiceInput{TaskDefinition: &c.Definitions[to]}) == nil {
		c.rolled[n] = to
	}
	return float64(max(1, c.Load.share(n)))
}

func (c *Churn) update(ctx context.Context, n int, in *awsecs.UpdateServiceInput) error {
	in.Cluster, in.Service = &c.Load.Cluster, aws.String(c.Load.name(n))
	return c.timed(ctx, "UpdateService", func() error {
		_, err := c.Load.API.UpdateService(ctx, in)
		return err
	})
}

// stop stops some tasks of a service, as somebody does who wants them to begin anew.
func (c *Churn) stop(ctx context.Context) float64 {
	n := c.next(1)
	var out *awsecs.ListTasksOutput
	err := c.timed(ctx, "ListTasks", func() (err error) {
		out, err = c.Load.API.ListTasks(ctx, &awsecs.ListTasksInput{
			Cluster: &c.Load.Cluster, ServiceName: aws.String(c.Load.name(n)), DesiredStatus: types.DesiredStatusRunning, MaxResults: aws.Int32(batch),
		})
		return err
	})
	if err != nil {
		return batch
	}
	c.stopTasks(ctx, out.TaskArns)
	return float64(max(1, len(out.TaskArns)))
}

func (c *Churn) stopTasks(ctx context.Context, tasks []string) {
	for _, t := range tasks {
		c.timed(ctx, "StopTask", func() error { //nolint:errcheck // counted
			_, err := c.Load.API.StopTask(ctx, &awsecs.StopTaskInput{Cluster: &c.Load.Cluster, Task: &t, Reason: aws.String("churn")})
			return err
		})
	}
}

// scale makes a service smaller, and the next time as large as it was.
func (c *Churn) scale(ctx context.Context) float64 {
	if n := c.shrunk; n >= 0 {
		if c.update(ctx, n, &awsecs.UpdateServiceInput{DesiredCount: aws.Int32(c.Load.share(n))}) == nil {
			c.shrunk = -1
		}
		return float64(c.slice(n)) / 2
	}
	n := c.next(2)
	if c.update(ctx, n, &awsecs.UpdateServiceInput{DesiredCount: aws.Int32(c.Load.share(n) - c.slice(n))}) == nil {
		c.shrunk = n
	}
	return max(0.5, float64(c.slice(n))/2)
}

// slice is how many tasks a service shrinks by.
func (c *Churn) slice(n int) int32 { return min(batch, (c.Load.share(n)+1)/2) }

// run starts tasks without a service and, once there are enough, stops as many of the oldest.
func (c *Churn) run(ctx context.Context) float64 {
	err := c.timed(ctx, "RunTask", func() error {
		out, err := c.Load.API.RunTask(ctx, &awsecs.RunTaskInput{Cluster: &c.Load.Cluster, TaskDefinition: &c.Definitions[0], Count: aws.Int32(batch)})
		if err != nil {
			return err
		}
		for _, t := range out.Tasks {
			c.singles = append(c.singles, aws.ToString(t.TaskArn))
		}
		if len(out.Failures) > 0 {
			return fmt.Errorf("RunTask: %s", aws.ToString(out.Failures[0].Reason))
		}
		return nil
	})
	if excess := len(c.singles) - standing; err == nil && excess > 0 {
		c.stopTasks(ctx, c.singles[:excess])
		c.singles = append([]string(nil), c.singles[excess:]...)
	}
	return batch
}

// settle makes the load what it was: every service with its own number of tasks, and no other task.
func (c *Churn) settle(ctx context.Context) {
	if n := c.shrunk; n >= 0 {
		c.update(ctx, n, &awsecs.UpdateServiceInput{DesiredCount: aws.Int32(c.Load.share(n))}) //nolint:errcheck // nobody counts any more
	}
	c.stopTasks(ctx, c.singles)
	c.singles = nil
}

// read looks at what there is, as users and their dashboards do.
func (c *Churn) read(ctx context.Context) {
	l, n := c.Load, c.reads
	c.reads++
	service := l.name(n / 4 % l.Services)
	switch n % 4 {
	case 0:
		c.timed(ctx, "DescribeServices", func() error { //nolint:errcheck // counted
			_, err := l.API.DescribeServices(ctx, &awsecs.DescribeServicesInput{Cluster: &l.Cluster, Services: []string{service}})
			return err
		})
	case 1:
		c.timed(ctx, "DescribeClusters", func() error { //nolint:errcheck // counted
			_, err := l.API.DescribeClusters(ctx, &awsecs.DescribeClustersInput{Clusters: []string{l.Cluster}})
			return err
		})
	default:
		c.readTasks(ctx, service)
	}
}

func (c *Churn) readTasks(ctx context.Context, service string) {
	l := c.Load
	var tasks []string
	err := c.timed(ctx, "ListTasks", func() error {
		out, err := l.API.ListTasks(ctx, &awsecs.ListTasksInput{Cluster: &l.Cluster, ServiceName: &service})
		if err == nil {
			tasks = out.TaskArns
		}
		return err
	})
	if err != nil || len(tasks) == 0 {
		return
	}
	c.timed(ctx, "DescribeTasks", func() error { //nolint:errcheck // counted
		out, err := l.API.DescribeTasks(ctx, &awsecs.DescribeTasksInput{Cluster: &l.Cluster, Tasks: tasks[:min(100, len(tasks))]})
		if err == nil && len(out.Tasks) == 0 {
			return errors.New("DescribeTasks: no task of those that were just listed is there")
		}
		return err
	})
}
