package access

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/acsproto"
	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/iam"
	"berth/internal/state"
)

const (
	account  = "123456789012"
	taskRole = "arn:aws:iam::123456789012:role/team/app"
	trustECS = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}}`
	readers  = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}}`
)

func role(name, trust string, policies ...string) *iam.Role {
	r := &iam.Role{Entity: iam.Entity{Account: account, Name: name, ID: "AROA" + strings.ToUpper(name), Path: "/team/"}, Trust: trust}
	for _, p := range policies {
		r.Inline = append(r.Inline, iam.Inline{Name: "inline", Document: p})
	}
	return r
}

// put stores records, and removes those after nil.
func put(t *testing.T, k *Keys, records ...ecs.Record) {
	t.Helper()
	err := k.State.Update(t.Context(), func(tx *state.Tx) error {
		remove := false
		for _, r := range records {
			switch {
			case r == nil:
				remove = true
			case remove:
				tx.Delete(r)
			default:
				tx.Put(r)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func taskOf(role string) (*ecs.Task, *ecs.TaskDefinition) {
	d := &ecs.TaskDefinition{Definition: types.TaskDefinition{TaskRoleArn: aws.String(role)}}
	return &ecs.Task{TaskArn: demo.Task("1f"), LastStatus: ecs.Pending, DesiredStatus: ecs.Running}, d
}

func always(string) bool { return true }

// vend makes the credentials of a task with the role.
func vend(t *testing.T, k *Keys, task *ecs.Task, d *ecs.TaskDefinition) (id, token string) {
	t.Helper()
	c, err := k.Vend(k.State.View().Tables, task, d, acsproto.TaskApplication, always)
	if err != nil || c == nil {
		t.Fatalf("%v, %v", c, err)
	}
	h, ok := k.Find(c.AccessKeyID, c.SessionToken)
	if !ok || h.Secret != c.SecretAccessKey || h.Expires.Format(time.RFC3339) != c.Expiration {
		t.Fatalf("%+v, %v", h, ok)
	}
	return c.AccessKeyID, c.SessionToken
}

func TestTaskRole(t *testing.T) {
	k := keys(t)
	task, d := taskOf(taskRole)
	app := role("app", trustECS, readers)
	put(t, k, app, task)
	id, token := vend(t, k, task, d)

	h, _ := k.Find(id, token)
	if h.Principal.ARN != "arn:aws:sts::123456789012:assumed-role/app/1f" || h.Principal.UserID != "AROAAPP:1f" || h.Principal.Role != taskRole {
		t.Errorf("%+v", h.Principal)
	}
	if !may(h.Principal, "s3:GetObject", "arn:aws:s3:::b/k") || may(h.Principal, "s3:PutObject", "arn:aws:s3:::b/k") {
		t.Error("the role's policy does not decide")
	}

	more := *app // the policy changes: at once
	more.Inline = []iam.Inline{{Name: "inline", Document: strings.Replace(readers, "s3:Get*", "s3:Put*", 1)}}
	put(t, k, &more)
	if h, _ := k.Find(id, token); may(h.Principal, "s3:GetObject", "arn:aws:s3:::b/k") || !may(h.Principal, "s3:PutObject", "arn:aws:s3:::b/k") {
		t.Error("a changed policy is not in force")
	}

	stopped := task.Clone()
	stopped.LastStatus, stopped.DesiredStatus = ecs.Stopped, ecs.Stopped
	put(t, k, stopped)
	if _, ok := k.Find(id, token); ok {
		t.Error("a stopped task's credentials are good")
	}
}

// Credentials that are not whole, or not of one another, are nobody's.
func TestForgedSessions(t *testing.T) {
	k := keys(t)
	task, d := taskOf(taskRole)
	put(t, k, role("app", trustECS, readers), task)
	id, token := vend(t, k, task, d)
	other, otherToken := vend(t, k, task, d)
	changed := "A" + token[1:]
	if changed == token {
		changed = "B" + token[1:]
	}
	for what, c := range map[string][2]string{
		"another's token": {id, otherToken}, "another's key": {other, token}, "no token": {id, ""}, "no key": {"", token},
		"a changed token": {id, changed}, "a cut token": {id, token[:len(token)-4]}, "no base64": {id, "!!"}, "a long-term key": {"AKIA1", token},
	} {
		if _, ok := k.Find(c[0], c[1]); ok {
			t.Errorf("%s is accepted", what)
		}
	}
	if _, ok := keys(t).Find(id, token); ok {
		t.Error("another installation accepts it")
	}
}

// A role that was deleted, or made anew under its name, is not the one that a session is of.
func TestSessionsEndWithTheirRole(t *testing.T) {
	for name, change := range map[string]func(*iam.Role) []ecs.Record{
		"deleted":   func(r *iam.Role) []ecs.Record { return []ecs.Record{nil, r} },
		"made anew": func(r *iam.Role) []ecs.Record { n := *r; n.ID = "AROANEW"; return []ecs.Record{&n} },
	} {
		t.Run(name, func(t *testing.T) {
			k := keys(t)
			task, d := taskOf(taskRole)
			app := role("app", trustECS, readers)
			put(t, k, app, task)
			id, token := vend(t, k, task, d)
			put(t, k, change(app)...)
			if _, ok := k.Find(id, token); ok {
				t.Error("its session is good")
			}
		})
	}
}

func TestExecutionCredentialsOutliveTheTask(t *testing.T) {
	k := keys(t)
	task, d := taskOf(taskRole)
	d.Definition.ExecutionRoleArn = aws.String(taskRole)
	stopped := task.Clone()
	stopped.LastStatus, stopped.DesiredStatus = ecs.Stopped, ecs.Stopped
	put(t, k, role("app", trustECS, readers), task)
	c, err := k.Vend(k.State.View().Tables, task, d, acsproto.TaskExecution, always)
	if err != nil {
		t.Fatal(err)
	}
	put(t, k, stopped)
	if _, ok := k.Find(c.AccessKeyID, c.SessionToken); !ok {
		t.Error("the agent cannot send the last logs")
	}
	put(t, k, nil, stopped)
	if _, ok := k.Find(c.AccessKeyID, c.SessionToken); ok {
		t.Error("credentials of a forgotten task are good")
	}
}

// ECS assumes only roles of the cluster's account that trust its tasks.
func TestRolesThatECSCannotAssume(t *testing.T) {
	k := keys(t)
	put(t, k, role("app", trustECS), role("ec2", strings.Replace(trustECS, "ecs-tasks", "ec2", 1)), role("broken", "{"),
		role("here", strings.Replace(trustECS, `"Action"`, `"Condition":{"StringEquals":{"aws:SourceAccount":"123456789012"},"ArnLike":{"aws:SourceArn":"arn:aws:ecs:us-east-1:123456789012:*"}},"Action"`, 1)),
		role("there", strings.Replace(trustECS, `"Action"`, `"Condition":{"StringEquals":{"aws:SourceAccount":"210987654321"}},"Action"`, 1)))
	foreign := role("app", trustECS)
	foreign.Account = "210987654321"
	put(t, k, foreign)
	for arn, good := range map[string]bool{
		taskRole: true, "arn:aws:iam::123456789012:role/team/here": true,
		"app": true, "App": true, "none": false, "ec2": false,
		"arn:aws:iam::123456789012:role/app": false, "arn:aws:iam::123456789012:role/team/none": false, "arn:aws:iam::123456789012:role/team/ec2": false,
		"arn:aws:iam::123456789012:role/team/broken": false, "arn:aws:iam::123456789012:role/team/there": false,
		"arn:aws:iam::210987654321:role/team/app": false, "arn:aws:iam::123456789012:user/team/app": false, "x": false,
	} {
		task, d := taskOf(arn)
		c, err := k.Vend(k.State.View().Tables, task, d, acsproto.TaskApplication, always)
		if refused := (*ErrAssume)(nil); good != (err == nil && c != nil) || !good && !errors.As(err, &refused) {
			t.Errorf("%s: %v", arn, err)
		}
	}
	task, d := taskOf("")
	if c, err := k.Vend(k.State.View().Tables, task, d, acsproto.TaskApplication, always); c != nil || err != nil {
		t.Errorf("a task without a role: %v, %v", c, err)
	}
}

// The path of a task's credentials is the same for all its life, is its own, and differs between its roles.
func TestCredentialsID(t *testing.T) {
	k := keys(t)
	seen := map[string]bool{}
	for _, task := range []string{"1", "2"} {
		for _, kind := range []string{acsproto.TaskApplication, acsproto.TaskExecution} {
			id := k.credentialsID(arn.Task(task), kind)
			if seen[id] || len(id) != 36 || id != k.credentialsID(arn.Task(task), kind) {
				t.Errorf("%s %s: %s", task, kind, id)
			}
			seen[id] = true
		}
	}
	if seen[keys(t).credentialsID("1", acsproto.TaskApplication)] {
		t.Error("another installation has the same")
	}
}

func TestUsers(t *testing.T) {
	k := keys(t)
	ada := &iam.User{Entity: iam.Entity{Account: account, Name: "Ada", ID: "AIDA1", Path: "/", Inline: []iam.Inline{{Name: "r", Document: readers}}}, Groups: []string{"Devs"}}
	devs := &iam.Group{Entity: iam.Entity{Account: account, Name: "devs", Path: "/", Attached: []string{"arn:aws:iam::aws:policy/AmazonECS_FullAccess"}}}
	key := &iam.AccessKey{AccessKeyID: "AKIAADA", SealedSecret: k.Seal.Seal("s3cr3t", "AKIAADA"), Account: account, UserName: "Ada"}
	put(t, k, ada, devs, key)
	h, ok := k.Find("AKIAADA", "")
	if !ok || h.Secret != "s3cr3t" || h.Principal.ARN != "arn:aws:iam::123456789012:user/Ada" || h.Principal.UserID != "AIDA1" {
		t.Fatalf("%+v %v", h, ok)
	}
	for action, want := range map[string]bool{"s3:GetObject": true, "ecs:RunTask": true, "iam:CreateUser": false} {
		if got := may(h.Principal, action, "*"); got != want {
			t.Errorf("%s: %v", action, got)
		}
	}
	bounded := *ada
	bounded.Boundary = "arn:aws:iam::123456789012:policy/b"
	put(t, k, &bounded, &iam.Policy{Arn: bounded.Boundary, Default: "v1", Versions: []iam.Version{{ID: "v1", Document: readers}}})
	if h, _ := k.Find("AKIAADA", ""); !may(h.Principal, "s3:GetObject", "*") || may(h.Principal, "ecs:RunTask", "*") {
		t.Error("the boundary does not bound")
	}
	broken := *ada
	broken.Inline = append(broken.Inline, iam.Inline{Name: "x", Document: "{"})
	put(t, k, &broken)
	if h, _ := k.Find("AKIAADA", ""); may(h.Principal, "s3:GetObject", "*") {
		t.Error("a policy that cannot be read allows")
	}
	inactive := *key
	inactive.Inactive = true
	put(t, k, &inactive)
	if _, ok := k.Find("AKIAADA", ""); ok {
		t.Error("an inactive key is good")
	}
	put(t, k, key, nil, ada)
	if _, ok := k.Find("AKIAADA", ""); ok {
		t.Error("the key of a user that is gone is good")
	}
}

// Sessions of users call nothing of IAM, and of STS at most AssumeRole, whatever their user may.
func TestUserSessions(t *testing.T) {
	k := keys(t)
	ada := &iam.User{Entity: iam.Entity{Account: account, Name: "ada", ID: "AIDA1", Path: "/", Attached: []string{"arn:aws:iam::aws:policy/AdministratorAccess"}}}
	put(t, k, ada)
	everything := []string{`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`}
	for name, want := range map[string]string{"": "ecs:RunTask sts:AssumeRole", "guest": "ecs:RunTask"} {
		s := Session{Account: account, User: ada.Key(), ID: ada.ID, Name: name, Issued: now(), Expires: now().Add(time.Hour)}
		if name != "" {
			s.Policies = everything
		}
		c, err := k.Issue(s)
		if err != nil {
			t.Fatal(err)
		}
		h, ok := k.Find(c.AccessKeyID, c.SessionToken)
		if !ok {
			t.Fatal("the credentials are not good")
		}
		var allowed []string
		for _, action := range []string{"ecs:RunTask", "iam:ListUsers", "sts:AssumeRole", "sts:GetFederationToken"} {
			if may(h.Principal, action, "*") {
				allowed = append(allowed, action)
			}
		}
		if got := strings.Join(allowed, " "); got != want {
			t.Errorf("%q may %s, want %s", name, got, want)
		}
	}
}

// A container instance with a profile has its role's rights, and of the agent's calls those for itself.
func TestInstanceProfile(t *testing.T) {
	k := keys(t)
	own, other := demo.Instance("1"), demo.Instance("2")
	r := role("machines", strings.Replace(trustECS, "ecs-tasks", "ec2", 1))
	r.Attached = []string{"arn:aws:iam::aws:policy/service-role/AmazonEC2ContainerServiceforEC2Role"}
	profile := &iam.InstanceProfile{Account: account, Name: "p", Role: r.Name}
	c := &ecs.Credential{AccessKeyID: "AKIA1234567890123456", SealedSecret: k.Seal.Seal("s", "AKIA1234567890123456"), Account: account, Principal: ContainerInstance,
		Cluster: demo, Instance: own, InstanceProfile: "p"}
	rights := func() (out []string) {
		h, _ := k.Find(c.AccessKeyID, "")
		for _, x := range [][2]string{{"ecs:Poll", string(own)}, {"ecs:Poll", string(other)}, {"logs:PutLogEvents", "*"}, {"ecs:RunTask", "*"},
			{"ecs:DeregisterContainerInstance", string(own)}, {"ecs:DeregisterContainerInstance", string(other)}} {
			if may(h.Principal, x[0], x[1]) {
				out = append(out, x[0])
			}
		}
		return out
	}
	for _, step := range []struct {
		what    string
		records []ecs.Record
		called  string // in refusals
		want    string
	}{
		{"no profile", []ecs.Record{c}, "p", ""},
		{"no role", []ecs.Record{profile}, "p", ""},
		{"a role that trusts others", []ecs.Record{role("machines", trustECS)}, "machines", ""},
		{"a role", []ecs.Record{r}, "machines", "ecs:Poll logs:PutLogEvents ecs:DeregisterContainerInstance"},
		{"no policy", []ecs.Record{role("machines", r.Trust)}, "machines", ""},
	} {
		put(t, k, step.records...)
		if got := strings.Join(rights(), " "); got != step.want {
			t.Errorf("%s: %q", step.what, got)
		}
		h, _ := k.Find(c.AccessKeyID, "")
		if got, want := h.Principal.ARN, "arn:aws:sts::"+account+":assumed-role/"+step.called+"/"+c.AccessKeyID; got != want {
			t.Errorf("%s: it is called %s, want %s", step.what, got, want)
		}
	}
}

// What runs on a machine and has its role by instance metadata does not have its agent's calls, with which it could have the roles of all its tasks.
func TestInstanceSession(t *testing.T) {
	k := keys(t)
	own, other := demo.Instance("1"), demo.Instance("2")
	r := role("machines", strings.Replace(trustECS, "ecs-tasks", "ec2", 1))
	r.Attached = []string{"arn:aws:iam::aws:policy/AdministratorAccess"}
	c := &ecs.Credential{AccessKeyID: "AKIA1234567890123456", SealedSecret: k.Seal.Seal("s", "AKIA1234567890123456"), Account: account, Principal: ContainerInstance,
		Cluster: demo, Instance: own, InstanceProfile: "p"}
	put(t, k, c, r, &iam.InstanceProfile{Account: account, Name: "p", Role: r.Name}, &ecs.Instance{ContainerInstanceArn: own, Ec2InstanceID: "i-1"})
	s, err := k.InstanceSession(k.State.View().Tables, c)
	if err != nil {
		t.Fatal(err)
	}
	h, ok := k.Find(s.AccessKeyID, s.SessionToken)
	if !ok {
		t.Fatal("the credentials are not good")
	}
	for _, x := range []struct {
		action, resource string
		want             bool
	}{
		{"ecs:Poll", string(own), false}, {"ecs:SubmitTaskStateChange", string(own), false}, {"ecs:RegisterContainerInstance", string(demo), false},
		{"ecs:UpdateContainerInstancesState", string(own), true}, {"ecs:DeregisterContainerInstance", string(own), true},
		{"ecs:UpdateContainerInstancesState", string(other), false}, {"ecs:DeregisterContainerInstance", string(other), false}, {"ecs:RunTask", "*", true},
	} {
		if got := may(h.Principal, x.action, x.resource); got != x.want {
			t.Errorf("%s on %s: %v", x.action, x.resource, got)
		}
	}
}

func BenchmarkFindSession(b *testing.B) {
	k := benchKeys(b)
	task, d := taskOf(taskRole)
	err := k.State.Update(b.Context(), func(tx *state.Tx) error { tx.Put(role("app", trustECS, readers)); tx.Put(task); return nil })
	if err != nil {
		b.Fatal(err)
	}
	c, err := k.Vend(k.State.View().Tables, task, d, acsproto.TaskApplication, always)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := k.Find(c.AccessKeyID, c.SessionToken); !ok {
			b.Fatal("not found")
		}
	}
}

func BenchmarkVend(b *testing.B) {
	k := benchKeys(b)
	task, d := taskOf(taskRole)
	err := k.State.Update(b.Context(), func(tx *state.Tx) error { tx.Put(role("app", trustECS, readers)); return nil })
	if err != nil {
		b.Fatal(err)
	}
	t := k.State.View().Tables
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k.Vend(t, task, d, acsproto.TaskApplication, always); err != nil {
			b.Fatal(err)
		}
	}
}
