package ecstest

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/ecs"
)

// setsName is the service with the deployment controller EXTERNAL.
const setsName = "sets"

// taskSet does something with the task sets of one service, and looks whether a read shows it (I8).
func (w *world) taskSet(ctx context.Context, x Step) {
	defer w.turn(setsName)()
	scale := &types.Scale{Value: float64(x.B) * 20, Unit: types.ScaleUnitPercent}
	switch x.C % 6 {
	case 0, 1:
		w.createTaskSet(ctx, x, scale)
	case 2:
		w.changeTaskSet(ctx, x, "UpdateTaskSet", func(set *string) (*types.TaskSet, error) {
			out, err := w.api.UpdateTaskSet(ctx, &awsecs.UpdateTaskSetInput{Cluster: aws.String("default"), Service: new(setsName), TaskSet: set, Scale: scale})
			if err != nil {
				return nil, err
			}
			return out.TaskSet, nil
		})
	case 3:
		w.changeTaskSet(ctx, x, "UpdateServicePrimaryTaskSet", func(set *string) (*types.TaskSet, error) {
			out, err := w.api.UpdateServicePrimaryTaskSet(ctx, &awsecs.UpdateServicePrimaryTaskSetInput{
				Cluster: aws.String("default"), Service: new(setsName), PrimaryTaskSet: set,
			})
			if err != nil {
				return nil, err
			}
			return out.TaskSet, nil
		})
	case 4:
		w.changeTaskSet(ctx, x, "DeleteTaskSet", func(set *string) (*types.TaskSet, error) {
			out, err := w.api.DeleteTaskSet(ctx, &awsecs.DeleteTaskSetInput{Cluster: aws.String("default"), Service: new(setsName), TaskSet: set, Force: aws.Bool(x.B%3 > 0)})
			if err != nil {
				return nil, err
			}
			return out.TaskSet, nil
		})
	case 5:
		_, err := w.api.UpdateService(ctx, &awsecs.UpdateServiceInput{Service: new(setsName), DesiredCount: aws.Int32(int32(x.B))})
		if x.B == 0 {
			_, err = w.api.DeleteService(ctx, &awsecs.DeleteServiceInput{Service: new(setsName), Force: aws.Bool(true)})
		}
		w.watch.note("%s has %d tasks: %s", setsName, x.B, outcome(err))
	}
}

// createTaskSet makes one, and the service if it is not there. An answer that is lost is asked for again with the same token.
func (w *world) createTaskSet(ctx context.Context, x Step, scale *types.Scale) {
	_, err := w.api.CreateService(ctx, &awsecs.CreateServiceInput{
		ServiceName: new(setsName), DesiredCount: aws.Int32(int32(x.B)), DeploymentController: &types.DeploymentController{Type: types.DeploymentControllerTypeExternal},
	})
	w.watch.note("CreateService %s: %s", setsName, outcome(err))
	w.mu.Lock()
	w.sets++
	token := fmt.Sprintf("set-%d", w.sets)
	w.mu.Unlock()
	out, err := w.api.CreateTaskSet(ctx, &awsecs.CreateTaskSetInput{
		Cluster: aws.String("default"), Service: new(setsName), TaskDefinition: family(x.D), Scale: scale, ClientToken: &token,
	})
	w.watch.note("CreateTaskSet %s %s %.0f%%: %s", token, *family(x.D), scale.Value, outcome(err))
	if err == nil {
		w.showsSet(ctx, out.TaskSet)
	}
}

// changeTaskSet does something to task set x.A of those that are there.
func (w *world) changeTaskSet(ctx context.Context, x Step, what string, do func(set *string) (*types.TaskSet, error)) {
	out, err := w.api.DescribeServices(ctx, &awsecs.DescribeServicesInput{Services: []string{setsName}})
	if err != nil || len(out.Services) == 0 || len(out.Services[0].TaskSets) == 0 {
		return
	}
	sets := out.Services[0].TaskSets
	set, err := do(sets[x.A%len(sets)].Id)
	w.watch.note("%s %s: %s", what, *sets[x.A%len(sets)].Id, outcome(err))
	if err == nil {
		w.showsSet(ctx, set)
	}
}

// showsSet checks that a read shows a task set as it was acknowledged; a deleted one may be gone already. The caller holds the turn.
func (w *world) showsSet(ctx context.Context, set *types.TaskSet) {
	out, err := w.api.DescribeTaskSets(ctx, &awsecs.DescribeTaskSetsInput{Cluster: aws.String("default"), Service: new(setsName), TaskSets: []string{*set.Id}})
	if err != nil || len(out.TaskSets) == 0 && *set.Status == ecs.Draining {
		return
	}
	if len(out.TaskSets) == 0 {
		w.watch.wrong("I8", "task set %s is not there right after it was acknowledged", *set.Id)
		return
	}
	if s := out.TaskSets[0]; *s.Status != *set.Status || s.Scale.Value != set.Scale.Value || *s.TaskDefinition != *set.TaskDefinition {
		w.watch.wrong("I8", "task set %s is %s at %.1f%% right after it was acknowledged as %s at %.1f%%", *set.Id, *s.Status, s.Scale.Value, *set.Status, set.Scale.Value)
	}
}

// setThere checks that a new task is of a task set that is there, or was, and is not deleted (I14). The caller holds mu.
func (w *watcher) setThere(t *ecs.Task, s *ecs.Service) {
	for _, x := range []*ecs.Service{s, was(&w.batch, s)} {
		if x == nil {
			continue
		}
		if set := x.Deployment(t.StartedBy); set != nil && set.Status != ecs.Draining {
			return
		}
	}
	w.violated("I14", "task %s is of task set %s, which is not there", t.TaskArn.ID()[:8], t.StartedBy)
}

// checkSets: a service has no more task sets than it may, each once, and at most one is the PRIMARY one, which comes first (I14). The caller holds mu.
func (w *watcher) checkSets(s *ecs.Service) {
	seen := map[string]bool{}
	for i, set := range s.Deployments {
		if seen[set.ID] || set.Status == ecs.DeploymentPrimary && i > 0 {
			w.violated("I14", "task set %d of %s is %s %s", i, s.ServiceArn.Name(), set.ID, set.Status)
		}
		seen[set.ID] = true
	}
	if len(seen) > ecs.MostTaskSets {
		w.violated("I14", "%s has %d task sets", s.ServiceArn.Name(), len(seen))
	}
}

// unsettledSets looks at each task set: as many tasks run as its scale says, or there is no place for more. The caller holds mu.
func (w *watcher) unsettledSets(s *ecs.Service) string {
	for _, set := range s.Deployments {
		if slices.Contains([]string{"crash", "job", "port", "broken"}, set.TaskDefinition.Family()) && set.Status != ecs.Draining {
			continue
		}
		run := *s
		run.TaskDefinition = set.TaskDefinition
		running, other, leaving := 0, 0, false
		for _, t := range w.tasks {
			if t.StartedBy != set.ID || t.Over() {
				continue
			}
			if t.LastStatus == ecs.Running && t.DesiredStatus == ecs.Running {
				running++
			} else {
				other++
			}
			if i := w.instances[t.ContainerInstanceArn]; i != nil && i.Status == ecs.Draining {
				leaving = true
			}
		}
		want := s.Computed(set.TaskSet.Scale)
		switch steady := set.TaskSet.StabilityStatus == types.StabilityStatusSteadyState; {
		case set.Status == ecs.Draining:
			return fmt.Sprintf("still has task set %s", set.ID)
		case set.DesiredCount != want:
			return fmt.Sprintf("wants %d tasks in task set %s, %d of its scale", set.DesiredCount, set.ID, want)
		case running == want && other == 0 && !leaving && steady:
		case running <= want && other == 0 && !steady && !w.someTakes(&run, ""):
		default:
			return fmt.Sprintf("has %d of %d tasks in task set %s, %d others, %s", running, want, set.ID, other, set.TaskSet.StabilityStatus)
		}
	}
	return ""
}
