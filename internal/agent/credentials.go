package agent

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/moby/moby/api/types/container"

	"berth/internal/acsproto"
	"berth/internal/arn"
)

// credentialsPath is where a container of a task with a role finds its credentials, below 169.254.170.2. SDKs take it from this variable of its environment.
const (
	credentialsVariable = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
	credentialsPath     = "/v2/credentials/"
	endpointVariable    = "AWS_ENDPOINT_URL" // of the SDKs since 2023
)

// Roles are the ids of a task's credentials, which stay the same for its life. They are in its record, so that a container that asks while the agent
// has just been started is told to ask again. The credentials themselves are in memory only.
type Roles struct {
	Task      string `json:",omitempty"` // credentials id of the task role, "" where the task has none
	Execution string `json:",omitempty"` // of the task execution role
}

// rolesOf are those of an ordered task.
func rolesOf(t acsproto.Task) (r Roles, c map[string]vended) {
	c = map[string]vended{}
	if t.RoleCredentials != nil {
		r.Task, c[acsproto.TaskApplication] = t.RoleCredentials.CredentialsID, *t.RoleCredentials
	}
	if t.ExecutionRoleCredentials != nil {
		r.Execution, c[acsproto.TaskExecution] = t.ExecutionRoleCredentials.CredentialsID, *t.ExecutionRoleCredentials
	}
	return r, c
}

// vend takes credentials of the task. They are kept in memory only.
func (t *task) vend(role string, c *acsproto.RoleCredentials) {
	if c == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.creds[role] = *c
	id := &t.rec.Roles.Task
	if role == acsproto.TaskExecution {
		id = &t.rec.Roles.Execution
	}
	if *id != c.CredentialsID { // it was adopted
		*id, t.dirty = c.CredentialsID, true
	}
}

// Vended are the credentials of a task's role, as its containers get them.
type Vended struct {
	acsproto.RoleCredentials        // without a key where the agent has none yet
	Task                     string // ARN
	Networked                bool   // the task has a network interface: its containers ask from its address only
}

// Credentials finds the credentials of a task's role under their id. Those of a task that has stopped are not found.
func (a *Agent) Credentials(id string) (v Vended, known bool) {
	t, ok := a.vaults.of(id)
	if !ok {
		for _, one := range a.all() {
			if one.holds(id) {
				t, ok = one, true
				a.vaults.known.Store(id, one)
				break
			}
		}
	}
	if !ok {
		return Vended{}, false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return Vended{RoleCredentials: t.creds[acsproto.TaskApplication], Task: t.arn, Networked: t.rec.networked()}, true
}

// At reports whether a task has an address in a VPC.
func (a *Agent) At(task, vpc string, address netip.Addr) (is bool) {
	t := a.task(task)
	if t == nil || vpc == "" {
		return false
	}
	t.view(func(r *Record) { is = r.at(address) && a.vpcOf(r.Task) == vpc })
	return is
}

// vaults remembers whose credentials ids are. The records are what counts.
type vaults struct{ known sync.Map } // of *task by id

func (v *vaults) of(id string) (*task, bool) {
	if t, ok := v.known.Load(id); ok {
		if t.(*task).holds(id) {
			return t.(*task), true
		}
		v.known.Delete(id)
	}
	return nil, false
}

func (v *vaults) forget(t *task) {
	v.known.Range(func(id, of any) bool {
		if of.(*task) == t {
			v.known.Delete(id)
		}
		return true
	})
}

// holds reports whether an id is that of the task's credentials.
func (t *task) holds(id string) (is bool) {
	t.view(func(r *Record) { is = id != "" && r.Roles.Task == id && !t.forgotten && !r.Stopped() })
	return is
}

// credentialsVariables tells a container of a task with a role where it finds its credentials, whatever its own environment says, and where the control plane's
// APIs are. That it is not told where it has an endpoint or keys of its own: then it is another control plane that it calls. Its region it is told where
// nothing else says one.
func credentialsVariables(r *Record, c acsproto.Container, at place, config *container.Config) {
	if r.Roles.Task == "" && !at.Guest || at.Front == "" || hidden(c.Name) {
		return
	}
	if r.Roles.Task != "" {
		setVariable(config, credentialsVariable, credentialsPath+r.Roles.Task)
	}
	if slices.ContainsFunc(config.Env, ofAnotherPlane) {
		return
	}
	setVariable(config, endpointVariable, at.Front)
	if region := arn.ScopeOf(arn.Task(r.Task.ARN)).Region; !slices.ContainsFunc(config.Env, ofRegion) {
		setVariable(config, "AWS_REGION", region)
		setVariable(config, "AWS_DEFAULT_REGION", region)
	}
}

func ofRegion(v string) bool {
	return strings.HasPrefix(v, "AWS_REGION=") || strings.HasPrefix(v, "AWS_DEFAULT_REGION=")
}

// ofAnotherPlane reports whether a variable says which AWS APIs the container calls, or as whom.
func ofAnotherPlane(v string) bool {
	name, _, _ := strings.Cut(v, "=")
	return name == endpointVariable || name == "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS" || name == "AWS_ACCESS_KEY_ID"
}

// ErrNoCredentials says that a task's execution role has none yet: the agent was started again, and the control plane has not sent them.
var ErrNoCredentials = errors.New("the credentials of the task execution role have not come yet")

// Key is an access key, temporary where it has a token.
type Key struct {
	AccessKeyID, SecretAccessKey, SessionToken string
	Holder                                     string // whose it is: the ARN of a role, or a name for the container instance
}

// ExecutionKey is the key with which the agent does what it does for a task: pulls its images, reads its secrets and writes its logs. It is of the task
// execution role; for a task without one, of the container instance.
func (a *Agent) ExecutionKey(ctx context.Context, task string) (Key, error) {
	t := a.task(task)
	if t == nil {
		return Key{}, ErrNotFound
	}
	t.mu.Lock()
	role := t.rec.Roles.Execution
	t.mu.Unlock()
	if role == "" {
		k, err := t.in.Keys().Retrieve(ctx)
		return Key{AccessKeyID: k.AccessKeyID, SecretAccessKey: k.SecretAccessKey, SessionToken: k.SessionToken, Holder: "instance " + t.in.Name}, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	c, ok := t.creds[acsproto.TaskExecution]
	if !ok {
		return Key{}, ErrNoCredentials
	}
	return Key{c.AccessKeyID, c.SecretAccessKey, c.SessionToken, c.RoleARN}, nil
}

// key is that of the task's role, the zero value where the agent has none.
func (t *task) key() Key {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.creds[acsproto.TaskApplication]
	return Key{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken, Holder: c.RoleARN}
}

// Endpoint is the replica of the control plane that the agent uses now, "http://host:port".
func (a *Agent) Endpoint() string { return a.endpoints.current() }

// Send sends a container's request to the replica of the control plane that the agent uses now. What it has signed stays as it is.
func (a *Agent) Send(r *http.Request) (*http.Response, error) {
	u, err := url.Parse(a.Endpoint())
	if err != nil {
		return nil, fmt.Errorf("where the control plane is: %w", err)
	}
	r.URL.Scheme, r.URL.Host, r.RequestURI = u.Scheme, u.Host, ""
	return a.calls.Do(r)
}

// Holds reports whether an access key is of a task's role, or of a container instance or its role.
func (a *Agent) Holds(keyID string) bool {
	if slices.ContainsFunc(a.present(), func(i *instance) bool { return i.role.holds(keyID) }) {
		return true
	}
	return keyID != "" && slices.ContainsFunc(a.all(), func(t *task) bool {
		t.mu.Lock()
		defer t.mu.Unlock()
		return t.in.AccessKey == keyID || t.creds[acsproto.TaskApplication].AccessKeyID == keyID
	})
}
