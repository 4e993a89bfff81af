package simulate

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/frontdoor"
)

// rollout is how long a service of the plane takes to become what it should be.
const rollout = 3 * time.Second

// operator are the operations of who gives work. Each notes that it was asked, and what for.
func (p *plane) operator() []frontdoor.Operation {
	note := func(format string, a ...any) {
		p.asked = append(p.asked, fmt.Sprintf(format, a...))
	}
	return []frontdoor.Operation{
		frontdoor.Op("RegisterTaskDefinition", func(_ context.Context, _ *frontdoor.Request, in *awsecs.RegisterTaskDefinitionInput) (*awsecs.RegisterTaskDefinitionOutput, error) {
			version := *in.ContainerDefinitions[0].Environment[0].Value
			return &awsecs.RegisterTaskDefinitionOutput{TaskDefinition: &types.TaskDefinition{TaskDefinitionArn: aws.String(*in.Family + ":" + version)}}, nil
		}),
		frontdoor.Op("CreateService", func(_ context.Context, _ *frontdoor.Request, in *awsecs.CreateServiceInput) (*awsecs.CreateServiceOutput, error) {
			p.mu.Lock()
			defer p.mu.Unlock()
			note("create %s %d", *in.ServiceName, *in.DesiredCount)
			p.services[*in.ServiceName] = &types.Service{ServiceName: in.ServiceName, Status: aws.String("ACTIVE"), TaskDefinition: in.TaskDefinition, DesiredCount: *in.DesiredCount, CreatedAt: aws.Time(time.Now())}
			return &awsecs.CreateServiceOutput{}, nil
		}),
		frontdoor.Op("UpdateService", func(_ context.Context, _ *frontdoor.Request, in *awsecs.UpdateServiceInput) (*awsecs.UpdateServiceOutput, error) {
			p.mu.Lock()
			defer p.mu.Unlock()
			s := p.services[*in.Service]
			s.CreatedAt = aws.Time(time.Now())
			if in.TaskDefinition != nil {
				note("roll %s", *in.Service)
				s.TaskDefinition = in.TaskDefinition
			}
			if in.DesiredCount != nil {
				note("scale %s %d", *in.Service, *in.DesiredCount)
				s.DesiredCount = *in.DesiredCount
			}
			return &awsecs.UpdateServiceOutput{}, p.refused("UpdateService")
		}),
		frontdoor.Op("DeleteService", func(_ context.Context, _ *frontdoor.Request, in *awsecs.DeleteServiceInput) (*awsecs.DeleteServiceOutput, error) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.services[*in.Service].Status, p.services[*in.Service].DesiredCount = aws.String("INACTIVE"), 0
			return &awsecs.DeleteServiceOutput{}, nil
		}),
		frontdoor.Op("DescribeServices", func(_ context.Context, _ *frontdoor.Request, in *awsecs.DescribeServicesInput) (*awsecs.DescribeServicesOutput, error) {
			return &awsecs.DescribeServicesOutput{Services: p.describe(in.Services)}, nil
		}),
		frontdoor.Op("DescribeClusters", func(context.Context, *frontdoor.Request, *awsecs.DescribeClustersInput) (*awsecs.DescribeClustersOutput, error) {
			return &awsecs.DescribeClustersOutput{}, nil
		}),
		frontdoor.Op("ListTasks", func(_ context.Context, _ *frontdoor.Request, in *awsecs.ListTasksInput) (*awsecs.ListTasksOutput, error) {
			out := &awsecs.ListTasksOutput{}
			for n := range aws.ToInt32(in.MaxResults) {
				out.TaskArns = append(out.TaskArns, fmt.Sprintf("%s task %d", *in.ServiceName, n))
			}
			return out, nil
		}),
		frontdoor.Op("DescribeTasks", func(_ context.Context, _ *frontdoor.Request, in *awsecs.DescribeTasksInput) (*awsecs.DescribeTasksOutput, error) {
			return &awsecs.DescribeTasksOutput{Tasks: make([]types.Task, len(in.Tasks))}, nil
		}),
		frontdoor.Op("StopTask", func(_ context.Context, _ *frontdoor.Request, in *awsecs.StopTaskInput) (*awsecs.StopTaskOutput, error) {
			p.mu.Lock()
			defer p.mu.Unlock()
			note("stop %s", *in.Task)
			return &awsecs.StopTaskOutput{}, nil
		}),
		frontdoor.Op("RunTask", func(_ context.Context, _ *frontdoor.Request, in *awsecs.RunTaskInput) (*awsecs.RunTaskOutput, error) {
			p.mu.Lock()
			defer p.mu.Unlock()
			out := &awsecs.RunTaskOutput{}
			for range *in.Count {
				p.run++
				note("run single %d", p.run)
				out.Tasks = append(out.Tasks, types.Task{TaskArn: aws.String(fmt.Sprintf("single %d", p.run))})
			}
			return out, nil
		}),
	}
}

func (p *plane) describe(names []string) (out []types.Service) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, name := range names {
		s := *p.services[name]
		d := types.Deployment{TaskDefinition: s.TaskDefinition, RolloutState: types.DeploymentRolloutStateInProgress}
		if time.Since(*s.CreatedAt) >= rollout {
			s.RunningCount, d.RunningCount, d.RolloutState = s.DesiredCount, s.DesiredCount, types.DeploymentRolloutStateCompleted
		}
		s.Deployments = []types.Deployment{d}
		out = append(out, s)
	}
	return out
}

func (p *plane) load(t *testing.T, tasks, services int) *Load {
	return &Load{API: p.client(t), Cluster: "demo", Tasks: tasks, Services: services, Prefix: "s", CPU: 10, MemoryMiB: 16}
}

func TestPhases(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlane(t)
		l := p.load(t, 103, 25)
		l.Reported("early", "RUNNING", time.Now()) // counts for no phase
		one, err := l.Define(t.Context(), "1")
		if err != nil {
			t.Fatal(err)
		}
		go func() { // while the services come up
			time.Sleep(time.Second)
			for n := range 100 {
				l.Reported("x", "RUNNING", time.Now().Add(time.Duration(n)*10*time.Millisecond))
			}
			l.Reported("x", "STOPPED", time.Now())
		}()
		create, err := l.Create(t.Context(), one)
		if err != nil {
			t.Fatal(err)
		}
		if total := len(p.asked); total != 25 || p.services["s-0"].DesiredCount != 5 || p.services["s-24"].DesiredCount != 4 {
			t.Errorf("%d services of %d and %d tasks", total, p.services["s-0"].DesiredCount, p.services["s-24"].DesiredCount)
		}
		if create.Took < rollout || create.Took > rollout+time.Second || create.Steady < create.Took || create.APICalls < 20 || create.APIError != "" {
			t.Errorf("%+v", create)
		}
		if q := create.PerTask; q.P50 < 1400*time.Millisecond || q.P50 > 1600*time.Millisecond || q.Max < 1900*time.Millisecond {
			t.Errorf("to RUNNING: %+v", q)
		}
		two, err := l.Define(t.Context(), "2")
		if err != nil {
			t.Fatal(err)
		}
		update, err := l.Update(t.Context(), two)
		if err != nil || update.Took < rollout || update.PerTask.Max != 0 {
			t.Errorf("%+v, %v", update, err)
		}
		deleted, err := l.Delete(t.Context())
		if err != nil || deleted.Took > rollout {
			t.Errorf("%+v, %v", deleted, err)
		}
	})
}

func TestPhaseEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlane(t)
		l := p.load(t, 10, 1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := l.Create(ctx, "s:1"); err == nil || !strings.Contains(err.Error(), "0 of 10") {
			t.Errorf("%v", err)
		}
	})
}

// churned runs a churn for a while and returns what was asked for, by its first word.
func churned(t *testing.T, p *plane, c *Churn, stay time.Duration) (all []Interval, asked map[string]int) {
	t.Helper()
	c.Fleet = New(Config{})
	if _, err := c.Load.Create(t.Context(), "s:1"); err != nil {
		t.Fatal(err)
	}
	p.mu.Lock()
	p.asked = nil
	p.mu.Unlock()
	all = c.Run(t.Context(), stay)
	asked = map[string]int{}
	for _, a := range p.asked {
		word, _, _ := strings.Cut(a, " ")
		asked[word]++
	}
	return all, asked
}

func TestChurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlane(t)
		var told []Interval
		c := &Churn{Load: p.load(t, 40, 4), Rate: 16, Definitions: [2]string{"s:1", "s:2"}, Every: time.Minute, Tell: func(i Interval) { told = append(told, i) }}
		all, asked := churned(t, p, c, 3*time.Minute)
		// Four a second of each kind, for 180 seconds: 10 tasks a roll, 2.5 a scaling, 10 a run; all singles are stopped in the end.
		for what, want := range map[string]int{"roll": 72, "scale": 288, "run": 720, "stop": 1440} {
			if n := asked[what]; n < want-20 || n > want+20 {
				t.Errorf("%s: %d, want about %d", what, n, want)
			}
		}
		if len(all) != 3 || len(told) != 3 {
			t.Errorf("%d intervals, %d told", len(all), len(told))
		}
		for _, i := range all {
			if n := i.Calls["StopTask"].Succeeded; i.Took != time.Minute || n < 350 || n > 530 || i.Error != "" {
				t.Errorf("%+v", i)
			}
		}
		rolled := map[string]int{}
		stopped, started := map[string]int{}, map[string]bool{}
		for _, a := range p.asked {
			switch {
			case strings.HasPrefix(a, "roll "):
				rolled[a]++
			case strings.HasPrefix(a, "run "):
				started[strings.TrimPrefix(a, "run ")] = true
			case strings.HasPrefix(a, "stop single"):
				stopped[strings.TrimPrefix(a, "stop ")]++
			}
		}
		if len(rolled) != 4 {
			t.Errorf("rolled %v", rolled)
		}
		for task := range started {
			if stopped[task] != 1 {
				t.Errorf("%s was stopped %d times", task, stopped[task])
			}
		}
		for name, s := range p.services {
			if s.DesiredCount != 10 {
				t.Errorf("%s is left with %d tasks", name, s.DesiredCount)
			}
		}
	})
}

// Calls that fail are told of and do not end the churn; a service that could not be made smaller is not made larger.
func TestChurnThroughFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlane(t)
		p.refusing(func(operation string) error {
			if operation == "UpdateService" {
				return errBroken
			}
			return nil
		})
		c := &Churn{Load: p.load(t, 40, 1), Rate: 40, Definitions: [2]string{"s:1", "s:2"}, Every: time.Minute}
		all, asked := churned(t, p, c, time.Minute)
		if u := all[0].Calls["UpdateService"]; len(all) != 1 || u.Failed < 100 || u.Succeeded != 0 || all[0].Error == "" {
			t.Errorf("%+v", all)
		}
		if asked["run"] < 500 {
			t.Errorf("%d tasks run beside it", asked["run"])
		}
		for _, a := range p.asked {
			if strings.HasPrefix(a, "scale") && a != "scale s-0 30" {
				t.Errorf("%s", a)
			}
		}
	})
}

func TestChurnEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlane(t)
		c := &Churn{Load: p.load(t, 40, 2), Rate: 8, Definitions: [2]string{"s:1", "s:2"}, Every: time.Minute, Fleet: New(Config{})}
		if _, err := c.Load.Create(t.Context(), "s:1"); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
		defer cancel()
		began := time.Now()
		all := c.Run(ctx, 0)
		if took := time.Since(began); took < 90*time.Second || took > 91*time.Second || len(all) != 2 || all[1].Took != 30*time.Second {
			t.Errorf("%d intervals after %s", len(all), took)
		}
	})
}

// What was late is caught up, but not more than five seconds of it.
func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute+time.Millisecond)
		defer cancel()
		steps := 0
		pace(ctx, 2, func() float64 {
			if steps++; steps == 10 {
				time.Sleep(30 * time.Second)
			}
			return 1
		})
		if want := 120 - 50; steps < want-2 || steps > want+2 { // 25 of the 30 seconds are lost
			t.Errorf("%d steps, want about %d", steps, want)
		}
	})
}

func TestReadError(t *testing.T) {
	for body, want := range map[string]apiError{
		`{"__type":"com.amazonaws#ThrottlingException","message":"Rate exceeded"}`: {400, "ThrottlingException", "Rate exceeded"},
		`{"__type":"ClientException","message":"no"}`:                              {400, "ClientException", "no"},
		`<html>`: {400, "unreadable", "<html>"},
	} {
		if e := readError(http.StatusBadRequest, []byte(body)); *e != want || e.throttled() != (want.Code == "ThrottlingException") {
			t.Errorf("%s: %+v", body, e)
		}
	}
}
