package access

import (
	"fmt"
	"time"

	"berth/internal/acsproto"
	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/iam"
	"berth/internal/policy"
	"berth/internal/state"
	"berth/internal/uuid"
)

// TaskLife is how long the credentials of a task are good. They are renewed after a third of it.
const TaskLife = 6 * time.Hour

// tasksService is who assumes the roles of tasks.
const tasksService = "ecs-tasks.amazonaws.com"

// ErrAssume says that ECS cannot assume a task's role, in AWS's words.
type ErrAssume struct{ Role string }

func (e *ErrAssume) Error() string {
	return fmt.Sprintf("ECS was unable to assume the role '%s' that was provided for this task. Please verify that the role being passed has the proper "+
		"trust relationship and permissions and that your IAM user has permissions to pass this role.", e.Role)
}

// TaskRole is the role that ECS assumes for a task in a cluster. Its error is an ErrAssume: the role is not there, is of another account, or does not trust
// ECS's tasks.
func (k *Keys) TaskRole(t *state.Tables, c arn.Cluster, role string) (*iam.Role, error) {
	r := Role(t, RoleARN(t, arn.ScopeOf(c).Account, role))
	if r == nil || r.Account != arn.ScopeOf(c).Account {
		return nil, &ErrAssume{role}
	}
	if !k.Trusts(t, r, tasksService, arn.ScopeOf(c)) {
		return nil, &ErrAssume{role}
	}
	return r, nil
}

// Trusts reports whether a service may assume a role for resources of an account.
func (k *Keys) Trusts(t *state.Tables, r *iam.Role, service string, s arn.Scope) bool {
	return k.trusts(t, r, service, "ecs", s)
}

// trusts is Trusts for resources of a service's API ("ecs", "ssm").
func (k *Keys) trusts(t *state.Tables, r *iam.Role, service, of string, s arn.Scope) bool {
	return policy.Decide(policy.Request{
		Principal: &policy.Principal{ARN: service, Account: s.Account, Kind: policy.Service}, Action: "sts:AssumeRole", Resource: r.ARN(),
		Context: policy.Keys{
			{Name: "aws:sourceaccount", Values: []string{s.Account}},
			{Name: "aws:sourcearn", Values: []string{"arn:aws:" + of + ":" + s.Region + ":" + s.Account + ":*"}},
		},
		ResourcePolicy: k.Trust(t, r), Trust: true,
	}).Decision == policy.Allowed
}

// Vend makes the credentials of a task's role for its containers (acsproto.TaskApplication) or its agent (acsproto.TaskExecution), if their id is wanted: nil
// where it is not, or the task has no such role.
func (k *Keys) Vend(t *state.Tables, task *ecs.Task, d *ecs.TaskDefinition, kind string, wanted func(id string) bool) (*acsproto.RoleCredentials, error) {
	name := task.RoleArn(d, kind == acsproto.TaskExecution)
	if name == "" {
		return nil, nil
	}
	id := k.credentialsID(task.TaskArn, kind)
	if !wanted(id) {
		return nil, nil
	}
	r, err := k.TaskRole(t, task.TaskArn.Cluster(), name)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	c, err := k.Issue(Session{Account: r.Account, Role: r.Key(), ID: r.ID, Name: task.TaskArn.ID(), Issued: now, Expires: now.Add(TaskLife), Task: task.TaskArn, Kind: kind})
	if err != nil {
		return nil, err
	}
	return &acsproto.RoleCredentials{
		CredentialsID: id, RoleARN: r.ARN(), AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey,
		SessionToken: c.SessionToken, Expiration: c.Expires.Format(time.RFC3339),
	}, nil
}

// TaskMay reports whether a task's role allows its containers an action on everything.
func (k *Keys) TaskMay(t *state.Tables, task *ecs.Task, d *ecs.TaskDefinition, action string) bool {
	p, ok := k.TaskPrincipal(t, task, d)
	return ok && policy.Decide(policy.Request{Principal: &p, Action: action, Resource: "*"}).Decision == policy.Allowed
}

// TaskPrincipal is who a task's containers are: a session of its role. false says that it has none, or that ECS cannot assume it.
func (k *Keys) TaskPrincipal(t *state.Tables, task *ecs.Task, d *ecs.TaskDefinition) (policy.Principal, bool) {
	name := task.RoleArn(d, false)
	if name == "" {
		return policy.Principal{}, false
	}
	r, err := k.TaskRole(t, task.TaskArn.Cluster(), name)
	if err != nil {
		return policy.Principal{}, false
	}
	return k.rolePrincipal(t, r, task.TaskArn.ID()), true
}

// credentialsID is the path under which a task's containers find their credentials: the same for all of the task's life and under every leader, and
// nobody can guess it.
func (k *Keys) credentialsID(task arn.Task, kind string) string {
	return uuid.Of(k.Seal.Mark("credentials " + kind + " " + string(task)))
}
