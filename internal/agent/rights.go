package agent

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"github.com/aws/smithy-go"

	"berth/internal/acs"
	"berth/internal/apierr"
)

// rights are those of a container instance's role which its agent needs. The log is told once that one is missing, and once that it is there again, however
// often the agent tries. The zero value misses none.
type rights struct {
	mu      sync.Mutex
	missing map[string]string // why, by the call that needs it: "ecs:Poll"; "" for what keeps the machine from all calls
}

// instancePolicy is AWS's policy for the roles of container instances.
const instancePolicy = "AmazonEC2ContainerServiceforEC2Role"

// heard takes in how a call ended. It reports whether the right to it is missing, which the log has been told then.
func (r *rights) heard(log *slog.Logger, call string, err error) (missing bool) {
	d, denied := denialOf(err)
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case denied:
		of := call
		if d.action == "" { // it is no right to a call that is missing
			of = ""
		}
		if before, was := r.missing[of]; was && before == d.why {
			break
		}
		if r.missing == nil {
			r.missing = map[string]string{}
		}
		r.missing[of] = d.why
		d.tell(log, call)
	case err == nil:
		_, right := r.missing[call]
		_, all := r.missing[""]
		delete(r.missing, call)
		delete(r.missing, "")
		if right || all {
			log.Info("the control plane allows it again", "action", call)
		}
	}
	return denied
}

// denial is what the control plane says of a call for which a right is missing.
type denial struct {
	action, resource string
	role             string // ARN; without its path, which a session does not tell
	why              string // "because no identity-based policy allows the ecs:Poll action"; of a key that is none, all of it
}

// denialOf reads it out of an error; false where the error is another one. A key that is not taken is one without an action.
func denialOf(err error) (d denial, is bool) {
	if err == nil {
		return d, false
	}
	var api smithy.APIError
	var socket *acs.Denied
	user, rest, is := strings.Cut(err.Error(), " is not authorized to perform: ")
	switch {
	case is:
		_, user, _ = cutLast(user, "User: ")
		d.role = roleOf(user)
		d.action, rest, _ = strings.Cut(rest, " on resource: ")
		d.resource, d.why, _ = strings.Cut(rest, " ")
		return d, true
	case errors.As(err, &socket):
		return denial{why: socket.Message}, true
	case errors.As(err, &api) && ofKey(api.ErrorCode()):
		return denial{why: api.ErrorMessage()}, true
	}
	return d, false
}

// ofKey says whether an error is about who signs, and not about what is asked. The last is a managed instance's whose record is on another machine.
func ofKey(code string) bool {
	return code == "UnrecognizedClientException" || code == "AccessDeniedException" || code == "MachineFingerprintDoesNotMatch"
}

// cutLast is strings.Cut at the last sep.
func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return "", s, false
}

// roleOf is the role of a session's ARN, "arn:aws:sts::ACCOUNT:assumed-role/NAME/SESSION". Whoever is none is named as it is.
func roleOf(user string) string {
	account, name, is := strings.Cut(strings.TrimPrefix(user, "arn:aws:sts::"), ":assumed-role/")
	if !is {
		return user
	}
	name, _, _ = strings.Cut(name, "/")
	return "arn:aws:iam::" + account + ":role/" + name
}

// tell tells the log.
func (d *denial) tell(log *slog.Logger, call string) {
	switch {
	case d.action == "" && strings.Contains(d.why, "Signature"):
		log.Error("the control plane does not take what this machine has signed", "action", call, "why", d.why, "remedy", "set this machine's clock")
	case d.action == "" && strings.Contains(d.why, "cannot assume the role"):
		log.Error("the container instance's role cannot be assumed", "action", call, "why", d.why,
			"remedy", "have the role's trust policy allow sts:AssumeRole to ssm.amazonaws.com; the agent goes on by itself then")
	case d.action == "":
		log.Error("the control plane does not take this machine's key", "action", call, "why", d.why,
			"remedy", "make a token there with `berth token` and start the agent with --token, or with another --activation")
	case strings.Contains(d.why, apierr.ErrNotRegistrar.Error()):
		log.Error("another principal has registered this container instance", "action", d.action, "role", d.role, "resource", d.resource,
			"remedy", "give the agent the credentials that it has registered with, or deregister the container instance and start the agent without its state")
	case strings.Contains(d.why, "explicit deny"):
		log.Error("the container instance's role may not do what the agent needs", "action", d.action, "role", d.role, "resource", d.resource, "why", d.why,
			"remedy", "take the statement away that denies it")
	default:
		log.Error("the container instance's role may not do what the agent needs", "action", d.action, "role", d.role, "resource", d.resource, "why", d.why,
			"remedy", fmt.Sprintf("attach %s to the role or allow %s; the role must trust ec2.amazonaws.com, that of an activation ssm.amazonaws.com", instancePolicy, d.action))
	}
}

// told is an error of which the log has been told.
type told struct{ error }

func (t *told) Unwrap() error        { return t.error }
func (t *told) Is(target error) bool { return target == acs.ErrTold }

// right is for a call that the instance makes: its error, marked where the log has been told of it.
func (i *instance) right(call string, err error) error {
	if i.rights.heard(i.log, call, err) {
		return &told{err}
	}
	return err
}

// Heard takes in how a call ended that was made for a task. It reports whether the task's container instance, whose role it was made with, may not make it: then the
// log has been told. Of calls with a task execution role it knows nothing.
func (a *Agent) Heard(task, call string, err error) (missing bool) {
	t := a.task(task)
	return t != nil && t.asInstance() && t.in.rights.heard(t.in.log, call, err)
}

// asInstance says whether what is done for the task is done with its container instance's role.
func (t *task) asInstance() (is bool) {
	t.view(func(r *Record) { is = r.Roles.Execution == "" })
	return is
}
