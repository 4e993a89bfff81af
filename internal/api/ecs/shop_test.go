package ecs

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/access"
	"berth/internal/ecs"
	"berth/internal/golden"
)

// shopAt is when everything in the shop was made.
var shopAt = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func deploymentNumber(n int) string { return fmt.Sprintf("ecs-svc/%019d", n) }

// shop are the launch pad's cluster with a service "web" in the middle of a rollout, one that is DRAINING, one that is INACTIVE, tasks of
// theirs and of nobody's, and a container instance that is gone.
func shop() []ecs.Record {
	web := shopService("web", ecs.Active, 3)
	web.TaskDefinition = padScope.TaskDefinition("port", 1)
	web.Deployments = []ecs.Deployment{
		shopDeployment(3, ecs.DeploymentPrimary, types.DeploymentRolloutStateInProgress, "port", 3),
		shopDeployment(2, ecs.DeploymentActive, types.DeploymentRolloutStateInProgress, "web", 3), // has tasks
		shopDeployment(1, ecs.DeploymentActive, types.DeploymentRolloutStateCompleted, "web", 3),  // kept for a rollback
	}
	web.Tags = []types.Tag{{Key: aws.String("team"), Value: aws.String("shop")}}
	out := []ecs.Record{
		web, shopService("leaving", ecs.Draining, 0), shopService("left", ecs.Inactive, 0), shopService("quiet", ecs.Active, 0), shopSets(),
		padInstance("dead", "us-east-1a", ecs.Inactive),
		&ecs.Credential{AccessKeyID: "AKIAnew", Account: padScope.Account, Principal: access.ContainerInstance, Cluster: padCluster},
		&ecs.Credential{AccessKeyID: "AKIAother", Account: padScope.Account, Principal: access.ContainerInstance, Cluster: padScope.Cluster("empty")},
	}
	for n, name := range []string{"web", "web", "left"} {
		out = append(out, shopEvent(name, int64(n+1)))
	}
	return append(append(out, shopRollouts(web)...), shopTasks(web)...)
}

// shopRollouts are the service deployments of the shop's service: two that are over, and the one that goes on.
func shopRollouts(web *ecs.Service) (out []ecs.Record) {
	for n, d := range slices.Backward(web.Deployments) {
		at := shopAt.Add(-time.Duration(n) * time.Hour)
		made := web.Clone()
		made.Deployments = []ecs.Deployment{d}
		made.Deployments = append(made.Deployments, web.Deployments[n+1:]...)
		made.Deployments[0].Status = ecs.DeploymentPrimary
		none := func(string) ecs.Counts { return ecs.Counts{} }
		second := func(id string) ecs.Counts {
			return ecs.Counts{Running: map[bool]int{true: 1}[id == deploymentNumber(2)]}
		}
		revision, rollout := made.Deploy(fmt.Sprintf("rollout-%d-abcdefghijk", len(web.Deployments)-n), second, at)
		rollout.StartedAt, rollout.Status = &at, types.ServiceDeploymentStatusInProgress
		switch n {
		case 2:
			rollout.End(types.ServiceDeploymentStatusSuccessful, "", none, at)
		case 1:
			rollout.StoppedAt = &at
			rollout.End(types.ServiceDeploymentStatusStopped, "stopped", none, at)
		}
		web.ServiceDeployment = rollout.ServiceDeploymentArn
		out = append(out, revision, rollout)
	}
	return out
}

func shopEvent(service string, n int64) *ecs.Event {
	return &ecs.Event{ServiceArn: padCluster.Service(service), Seq: n, ID: fmt.Sprintf("event-%d", n), CreatedAt: shopAt, Message: fmt.Sprint("said ", n)}
}

func shopService(name, status string, count int) *ecs.Service {
	c, _ := mergeDeploymentConfiguration(nil, nil)
	s := &ecs.Service{
		ServiceArn: padCluster.Service(name), Status: status, DesiredCount: count, TaskDefinition: padScope.TaskDefinition("web", 1),
		LaunchType: types.LaunchTypeEc2, SchedulingStrategy: types.SchedulingStrategyReplica, DeploymentConfiguration: c,
		DeploymentController: &types.DeploymentController{Type: types.DeploymentControllerTypeEcs}, CreatedAt: shopAt, CreatedBy: "caller/ADMIN",
	}
	fillService(s)
	if status != ecs.Inactive {
		s.Deployments = []ecs.Deployment{shopDeployment(9, ecs.DeploymentPrimary, types.DeploymentRolloutStateCompleted, "web", count)}
	}
	return s
}

func shopDeployment(n int, status string, state types.DeploymentRolloutState, family string, count int) ecs.Deployment {
	return ecs.Deployment{
		ID: deploymentNumber(n), Status: status, TaskDefinition: padScope.TaskDefinition(family, 1), LaunchType: types.LaunchTypeEc2,
		DesiredCount: count, RolloutState: state, RolloutStateReason: "ECS deployment " + deploymentNumber(n) + " ...", CreatedAt: shopAt, UpdatedAt: shopAt,
	}
}

// shopSets is a service with the deployment controller EXTERNAL: task set 21 is the PRIMARY one, 22 is scaled to 0, 23 is deleted.
func shopSets() *ecs.Service {
	s := shopService("sets", ecs.Active, 4)
	s.DeploymentController = &types.DeploymentController{Type: types.DeploymentControllerTypeExternal}
	s.AvailabilityZoneRebalancing, s.Deployments = types.AvailabilityZoneRebalancingDisabled, nil
	for n, scale := range []float64{50, 0, 0} {
		d := shopDeployment(21+n, "", "", "web", 0)
		d.RolloutStateReason, d.TaskSet = "", &ecs.TaskSet{Scale: scale, Tags: []types.Tag{{Key: aws.String("n"), Value: aws.String(fmt.Sprint(n))}}}
		s.AddTaskSet(d, shopAt).DesiredCount = s.Computed(scale)
	}
	s.Deployments[2].Status = ecs.Draining
	s.Promote(deploymentNumber(21), shopAt)
	return s
}

// shopTasks are new1 (PENDING) and old1, old2 (RUNNING, old2 is stopping) of the service on i1, one of the caller "me" on i2, and one that
// has stopped.
func shopTasks(web *ecs.Service) []ecs.Record {
	make := func(id string, status ecs.TaskStatus, on, family string) *ecs.Task {
		d := padDefinition(family, types.TaskDefinition{Cpu: aws.String("128"), Memory: aws.String("100")},
			types.ContainerDefinition{Name: aws.String(family), PortMappings: []types.PortMapping{{ContainerPort: aws.Int32(80), HostPort: aws.Int32(80)}}})
		t := ecs.NewTask(ecs.TaskSpec{
			Task: padCluster.Task(id), Definition: d, Instance: padInstance(on, "us-east-1a", ecs.Active), Group: "family:" + family,
			LaunchType: types.LaunchTypeEc2, Now: shopAt,
		})
		t.Advance(status)
		return t
	}
	new1, old1, old2 := make("new1", ecs.Pending, "i1", "port"), make("old1", ecs.Running, "i1", "web"), make("old2", ecs.Running, "i1", "web")
	for t, n := range map[*ecs.Task]int{new1: 3, old1: 2, old2: 2} {
		t.Service, t.Group, t.StartedBy = web.ServiceArn, "service:web", deploymentNumber(n)
	}
	old1.Reserved.PortsTCP, old2.Reserved.PortsTCP = []int32{8080}, nil
	old2.Stop(shopAt, types.TaskStopCodeServiceSchedulerInitiated, "Scaling activity")
	mine, over := make("mine", ecs.Running, "i2", "web"), make("over", ecs.Running, "i2", "web")
	mine.StartedBy, mine.Tags = "me", []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}}
	return []ecs.Record{new1, old1, old2, mine, over.HostGone(padInstance("i2", "", ecs.Active), shopAt)}
}

var (
	madeID  = regexp.MustCompile(`\b[0-9a-f]{32}\b|\b[0-9]{19}\b`)
	ec2ID   = regexp.MustCompile(`\b(m?i)-[0-9a-f]{17}\b`)
	request = regexp.MustCompile(`^(\S+) (\S+) (.*)$`)
)

// shopper asks the requests of a golden file. ID1 stands for the first random number that an answer showed, and so on.
type shopper struct {
	*launchPad
	ids []string
}

func (s *shopper) tell(t *testing.T, line string) string {
	t.Helper()
	m := request.FindStringSubmatch(line)
	if m == nil {
		t.Fatalf("not a request: %s", line)
	}
	body := m[3]
	for n := len(s.ids); n > 0; n-- {
		body = strings.ReplaceAll(body, fmt.Sprintf("ID%d", n), s.ids[n-1])
	}
	out := ec2ID.ReplaceAllString(s.text(t, m[1], m[2], body), "$1-MADE")
	return madeID.ReplaceAllStringFunc(containerID.ReplaceAllString(out, "CONTAINER"), s.name)
}

func (s *shopper) name(id string) string {
	if strings.HasPrefix(id, "00000000000") { // the shop's own
		return id
	}
	n := slices.Index(s.ids, id)
	if n < 0 {
		n, s.ids = len(s.ids), append(s.ids, id)
	}
	return fmt.Sprintf("ID%d", n+1)
}

func TestShopStories(t *testing.T) {
	for _, dir := range []string{
		"create_service", "update_service", "delete_service", "describe_services", "list_services", "stop_task", "describe_tasks", "list_tasks",
		"register_container_instance", "deregister_container_instance", "describe_container_instances", "list_container_instances",
		"update_container_instances_state", "service_deployments",
	} {
		golden.Run(t, "testdata/"+dir+"/*.txtar", func(t *testing.T, in map[string]string) (out string) {
			synctest.Test(t, func(t *testing.T) {
				s := &shopper{launchPad: newLaunchPad(t, shop()...)}
				for line := range strings.Lines(in["requests"]) {
					time.Sleep(time.Second) // so that what changes shows it
					out += "> " + line + s.tell(t, strings.TrimSpace(line))
				}
			})
			return out
		})
	}
}
