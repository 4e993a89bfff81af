package arn

import "testing"

func TestBuildAndTakeApart(t *testing.T) {
	scope := Scope{Partition: "aws", Region: "us-east-1", Account: "123456789012"}
	c := scope.Cluster("demo")
	for got, want := range map[string]string{
		string(c):                                     "arn:aws:ecs:us-east-1:123456789012:cluster/demo",
		c.Name():                                      "demo",
		string(c.Service("web")):                      "arn:aws:ecs:us-east-1:123456789012:service/demo/web",
		c.Service("web").Name():                       "web",
		string(c.Service("web").Cluster()):            string(c),
		string(c.Task("0123")):                        "arn:aws:ecs:us-east-1:123456789012:task/demo/0123",
		c.Task("0123").ID():                           "0123",
		string(c.Task("0123").Cluster()):              string(c),
		c.Task("0123").Container("u"):                 "arn:aws:ecs:us-east-1:123456789012:container/demo/0123/u",
		string(c.Instance("4567")):                    "arn:aws:ecs:us-east-1:123456789012:container-instance/demo/4567",
		c.Instance("4567").ID():                       "4567",
		string(scope.TaskDefinition("f-1", 7)):        "arn:aws:ecs:us-east-1:123456789012:task-definition/f-1:7",
		scope.TaskDefinition("f-1", 7).Family():       "f-1",
		scope.TaskDefinition("f", 3).FamilyRevision(): "f:3",
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if n := scope.TaskDefinition("f", 42).Revision(); n != 42 {
		t.Errorf("revision %d", n)
	}
	if ScopeOf(c) != scope {
		t.Errorf("scope %+v", ScopeOf(c))
	}
}

func TestParse(t *testing.T) {
	for _, bad := range []string{"", "demo", "arn", "arn:aws:ecs:r:a", "arn:aws:ecs:r:a:", "urn:aws:ecs:r:a:b", "arn::ecs:r:a:b", "arn:aws::r:a:b"} {
		if p, err := Parse(bad); err == nil {
			t.Errorf("%q parses to %+v", bad, p)
		}
	}
	if _, _, ok := Resource("arn:aws:iam::1:role/x"); ok {
		t.Error("an ARN of IAM is a resource of ECS")
	}
	if kind, rest, ok := Resource("arn:aws:ecs:r:1:service/c/s"); !ok || kind != "service" || rest != "c/s" {
		t.Errorf("%s %s %v", kind, rest, ok)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("arn:aws:ecs:us-east-1:123456789012:task-definition/f-1:7")
	f.Fuzz(func(t *testing.T, s string) {
		// Whatever a caller sends as an identity must not panic, and short names must stay short.
		Resource(s)
		for _, name := range []string{Cluster(s).Name(), Service(s).Name(), Task(s).ID(), Instance(s).ID(), TaskDefinition(s).Family()} {
			if len(name) > len(s) {
				t.Fatalf("%q is longer than %q", name, s)
			}
		}
		_ = string(Service(s).Cluster()) + string(Task(s).Cluster()) + Task(s).Container("x")
	})
}
