package ecs

import (
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"berth/internal/apierr"
	"berth/internal/ecs"
	"berth/internal/secret"
)

func TestCreator(t *testing.T) {
	for caller, want := range map[string]string{
		"arn:aws:iam::1:user/x":                         "arn:aws:iam::1:user/x",
		"arn:aws:sts::1:assumed-role/deploy/session":    "arn:aws:iam::1:role/deploy",
		"arn:aws-cn:sts::1:assumed-role/deploy/session": "arn:aws-cn:iam::1:role/deploy",
		"arn:aws:sts::1:federated-user/x":               "arn:aws:sts::1:federated-user/x",
		"nobody":                                        "nobody",
	} {
		if got := creator(caller); got != want {
			t.Errorf("creator of %s is %s, want %s", caller, got, want)
		}
	}
}

func TestNewDeploymentID(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		id, err := newDeploymentID()
		if err != nil || len(id) != len("ecs-svc/")+19 || !madeID.MatchString(id) {
			t.Fatalf("%q (%v) is not ecs-svc/ and 19 digits", id, err)
		}
		if seen[id] {
			t.Fatalf("%s twice", id)
		}
		seen[id] = true
	}
}

// TestEventsView: the newest hundred, newest first, and none of a service whose name begins alike.
func TestEventsView(t *testing.T) {
	records := []ecs.Record{}
	for n := int64(3); n <= 120; n++ {
		records = append(records, shopEvent("web", n), shopEvent("web2", n), shopEvent("we", n))
	}
	p := newLaunchPad(t, records...)
	got := eventsView(p.store.View().Tables, &ecs.Service{ServiceArn: padCluster.Service("web")})
	if len(got) != ecs.EventsKept {
		t.Fatalf("%d events, want %d", len(got), ecs.EventsKept)
	}
	if diff := cmp.Diff([]string{"said 120", "said 119", "said 21"}, []string{*got[0].Message, *got[1].Message, *got[99].Message}); diff != "" {
		t.Error(diff)
	}
}

// TestReplacedServiceForgets: a new service of an old one's name begins without its events.
func TestReplacedServiceForgets(t *testing.T) {
	p := newLaunchPad(t, shop()...)
	if _, err := p.ask(t, "ADMIN", "CreateService", `{"cluster":"demo","serviceName":"left","taskDefinition":"web","desiredCount":1}`); err != nil {
		t.Fatal(err)
	}
	for e := range p.store.View().Events.All() {
		if e.ServiceArn == padCluster.Service("left") {
			t.Errorf("event %d is still there", e.Seq)
		}
	}
}

// TestNewInstanceIsNotLost: an instance that registers while the control plane has long been up counts as disconnected from then on only, and
// its credential is bound to it.
func TestNewInstanceIsNotLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newLaunchPad(t, shop()...)
		time.Sleep(time.Hour)
		if _, err := p.ask(t, "AKIAnew", "RegisterContainerInstance", `{"cluster":"demo",`+size+`}`); err != nil {
			t.Fatal(err)
		}
		k := p.store.View().Credentials.Get("AKIAnew")
		i := p.store.View().Instances.Get(k.Instance)
		if i == nil {
			t.Fatalf("the credential is bound to %q, which is not there", k.Instance)
		}
		if i.DisconnectedAt == nil || !i.DisconnectedAt.Equal(now()) {
			t.Errorf("disconnected since %v, want since now", i.DisconnectedAt)
		}
	})
}

// TestRegisterForOthers: a container instance's credential serves its own cluster and instance only, and changes nothing else.
func TestRegisterForOthers(t *testing.T) {
	p := newLaunchPad(t, shop()...)
	before := p.store.View().N
	for _, test := range []struct{ key, body, code string }{
		{"AKIAother", `{"cluster":"demo",` + size + `}`, "AccessDeniedException"},
		{"AKIAi1", `{"cluster":"demo","containerInstanceArn":"i2",` + size + `}`, client},
		{"AKIAnew", `{"cluster":"demo","containerInstanceArn":"i2",` + size + `}`, client},
	} {
		if out, err := p.ask(t, test.key, "RegisterContainerInstance", test.body); err == nil || err.Code != test.code {
			t.Errorf("%s %s: %s, %v; want %s", test.key, test.body, out, err, test.code)
		}
	}
	if n := p.store.View().N; n != before {
		t.Errorf("the store has changed: commit %d after %d", n, before)
	}
}

// TestManagedInstanceRegisters: a managed instance registers as an external one under its own id, in one cluster at a time, and may then speak for what it is.
func TestManagedInstanceRegisters(t *testing.T) {
	m := &secret.ManagedInstance{Account: padScope.Account, Region: padScope.Region, InstanceID: "mi-0123456789abcdef0"}
	p := newLaunchPad(t, append(shop(), m, padInstance("other", "us-east-1a", ecs.Active))...)
	register := func(cluster, members string) *apierr.Error {
		t.Helper()
		r := p.request("ASIAmanaged")
		r.Caller.Managed = m.Key()
		_, err := p.send(t, r, "RegisterContainerInstance", `{"cluster":"`+cluster+`",`+size+members+`}`)
		return err
	}
	if err := register("demo", `,"containerInstanceArn":"other"`); err == nil || err.Code != client {
		t.Errorf("as another instance: %v", err)
	}
	if err := register("demo", ""); err != nil {
		t.Fatal(err)
	}
	bound := func() *ecs.Instance {
		v := p.store.View()
		return v.Instances.Get(v.ManagedInstances.Get(m.Key()).ContainerInstance)
	}
	i := bound()
	if i == nil || i.Ec2InstanceID != m.InstanceID || !i.External() {
		t.Fatalf("registered as %+v", i)
	}
	if err := register("demo", ""); err != nil || bound().ContainerInstanceArn != i.ContainerInstanceArn {
		t.Errorf("again: %v, %s", err, bound().ContainerInstanceArn)
	}
	if err := register("empty", ""); err == nil || err.Code != client || !strings.Contains(err.Message, string(i.ContainerInstanceArn)) {
		t.Errorf("in another cluster: %v", err)
	}
	if _, err := p.ask(t, "ADMIN", "DeregisterContainerInstance", `{"cluster":"demo","containerInstance":"`+i.ContainerInstanceArn.ID()+`"}`); err != nil {
		t.Fatal(err)
	}
	if err := register("empty", ""); err != nil || bound().ContainerInstanceArn.Cluster() != padScope.Cluster("empty") {
		t.Errorf("once it is deregistered: %v, %s", err, bound().ContainerInstanceArn)
	}
}

// TestPages: the pages of every list are the whole list, whatever their size.
func TestPages(t *testing.T) {
	p := newLaunchPad(t, shop()...)
	for _, test := range []struct{ operation, body, list string }{
		{"ListServices", `"cluster":"demo"`, "serviceArns"},
		{"ListTasks", `"cluster":"demo"`, "taskArns"},
		{"ListTasks", `"cluster":"demo","serviceName":"web"`, "taskArns"},
		{"ListTasks", `"cluster":"demo","containerInstance":"i1"`, "taskArns"},
		{"ListContainerInstances", `"cluster":"demo"`, "containerInstanceArns"},
	} {
		whole, _ := p.list(t, test.operation, test.body, test.list)
		if len(whole) < 2 {
			t.Fatalf("%s %s lists %d, too few to page", test.operation, test.body, len(whole))
		}
		for size := 1; size <= len(whole); size++ {
			if got := p.pages(t, test.operation, test.body, test.list, size); cmp.Diff(whole, got) != "" {
				t.Errorf("%s %s in pages of %d: %s", test.operation, test.body, size, cmp.Diff(whole, got))
			}
		}
	}
}

// TestResources: what a policy is asked about is the ARNs of what a request names, by whatever form of name.
func TestResources(t *testing.T) {
	p := newLaunchPad(t)
	const root = "arn:aws:ecs:us-east-1:123456789012:"
	for _, test := range []struct {
		operation, body string
		want            []string
	}{
		{"CreateService", `{"cluster":"demo","serviceName":"s"}`, []string{root + "service/demo/s"}},
		{"UpdateService", `{"service":"s"}`, []string{root + "service/default/s"}},
		{"UpdateService", `{"cluster":"demo","service":"` + root + `service/s"}`, []string{root + "service/demo/s"}},
		{"DeleteService", `{"cluster":"` + root + `cluster/demo","service":"` + root + `service/demo/s"}`, []string{root + "service/demo/s"}},
		{"DescribeServices", `{"cluster":"demo","services":["a","` + root + `service/demo/b"]}`, []string{root + "service/demo/a", root + "service/demo/b"}},
		{"DescribeServices", `{"cluster":"a b","services":["a"]}`, []string{"a b"}},
		{"CreateTaskSet", `{"cluster":"demo","service":"s"}`, []string{root + "service/demo/s"}},
		{"DescribeTaskSets", `{"cluster":"demo","service":"s","taskSets":["ecs-svc/1","` + root + `task-set/demo/s/ecs-svc/2"]}`,
			[]string{root + "task-set/demo/s/ecs-svc/1", root + "task-set/demo/s/ecs-svc/2"}},
		{"DescribeTaskSets", `{"cluster":"a b","service":"s","taskSets":["ecs-svc/1"]}`, []string{"a b"}},
		{"UpdateTaskSet", `{"cluster":"demo","service":"s","taskSet":"ecs-svc/1"}`, []string{root + "task-set/demo/s/ecs-svc/1"}},
		{"DeleteTaskSet", `{"cluster":"demo","service":"` + root + `service/demo/s","taskSet":"ecs-svc/1"}`, []string{root + "task-set/demo/s/ecs-svc/1"}},
		{"UpdateServicePrimaryTaskSet", `{"cluster":"demo","service":"s","primaryTaskSet":"ecs-svc/1"}`, []string{root + "service/demo/s"}},
		{"ListServiceDeployments", `{"cluster":"demo","service":"s"}`, []string{root + "service/demo/s"}},
		{"DescribeServiceDeployments", `{"serviceDeploymentArns":["` + root + `service-deployment/demo/s/x"]}`, []string{root + "service-deployment/demo/s/x"}},
		{"StopServiceDeployment", `{"serviceDeploymentArn":"` + root + `service-deployment/demo/s/x"}`, []string{root + "service-deployment/demo/s/x"}},
		{"DescribeServiceRevisions", `{"serviceRevisionArns":["` + root + `service-revision/demo/s/1"]}`, []string{root + "service-revision/demo/s/1"}},
		{"StopTask", `{"cluster":"demo","task":"t"}`, []string{root + "task/demo/t"}},
		{"DescribeTasks", `{"cluster":"demo","tasks":["t","` + root + `task/demo/u"]}`, []string{root + "task/demo/t", root + "task/demo/u"}},
		{"RegisterContainerInstance", `{"cluster":"demo"}`, []string{root + "cluster/demo"}},
		{"DeregisterContainerInstance", `{"cluster":"demo","containerInstance":"i"}`, []string{root + "container-instance/demo/i"}},
		{"DescribeContainerInstances", `{"cluster":"demo","containerInstances":["i","` + root + `container-instance/demo/j"]}`,
			[]string{root + "container-instance/demo/i", root + "container-instance/demo/j"}},
		{"ListContainerInstances", `{"cluster":"demo"}`, []string{root + "cluster/demo"}},
		{"UpdateContainerInstancesState", `{"cluster":"demo","containerInstances":["i"]}`, []string{root + "container-instance/demo/i"}},
	} {
		o := p.ops[test.operation]
		in := reflect.New(o.Input).Interface()
		if _, err := p.plans[o.Input].DecodeJSON([]byte(test.body), in); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, o.Resources(p.request("ADMIN"), in)); diff != "" {
			t.Errorf("%s %s: %s", test.operation, test.body, diff)
		}
	}
}
