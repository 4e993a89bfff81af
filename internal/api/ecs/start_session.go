package ecs

import (
	"strconv"
	"strings"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/relay"
	"berth/internal/state"
)

// The documents by which StartSession opens sessions in containers.
const (
	documentShell    = "SSM-SessionManagerRunShell"
	documentCommand  = "AWS-StartInteractiveCommand"
	documentPort     = "AWS-StartPortForwardingSession"
	defaultShell     = "sh"
	sessionPrefix    = "session-"
	parameterCommand = "command"
	parameterPort    = "portNumber"
)

// StartSession opens the session of Systems Manager's StartSession on a target of ECS, ecs:CLUSTER_TASKID_RUNTIMEID: a shell, a command or a port of
// the container. It returns what a client joins the session with. An error is AWS's.
func (a *API) StartSession(r *frontdoor.Request, target, document string, parameters map[string][]string) (id, url, token string, err error) {
	s := relay.Request{Prefix: sessionPrefix}
	switch document {
	case "", documentShell:
		s.Command = defaultShell
	case documentCommand:
		s.Command = strings.Join(parameters[parameterCommand], " ")
		if s.Command == "" || len(s.Command) > mostCommand {
			return "", "", "", apierr.New("InvalidParameters", "Parameter %q of document %s is missing or too long.", parameterCommand, document)
		}
	case documentPort:
		if err := forwarded(&s, parameters); err != nil {
			return "", "", "", err
		}
	default:
		return "", "", "", apierr.New("InvalidDocument", "Document with name %s does not exist.", document)
	}
	t := a.store.View().Tables
	task, c := sessionTarget(t, r.Scope, target)
	if c == nil || !execRuns(t, task, c) {
		return "", "", "", apierr.New("TargetNotConnected", "%s is not connected.", target)
	}
	s.Container, s.RuntimeID = c.Name, c.RuntimeID
	if s.Port == 0 {
		if s.LogGroup, err = sessionLog(t, task, c.Name); err != nil {
			return "", "", "", err
		}
	}
	ticket, err := a.openSession(t, r, task, s)
	if e := apierr.As(err); err != nil && e.Code == "TargetNotConnectedException" {
		return "", "", "", apierr.New("TargetNotConnected", "%s is not connected.", target).Because(err)
	}
	if err != nil {
		return "", "", "", err
	}
	return ticket.ID, streamURL(r, ticket.ID), ticket.Token, nil
}

// forwarded reads the parameters of a port that is to be forwarded.
func forwarded(s *relay.Request, parameters map[string][]string) error {
	port, err := strconv.ParseUint(strings.Join(parameters[parameterPort], ","), 10, 16)
	if err != nil || port == 0 {
		return apierr.New("InvalidParameters", "Parameter %q of document %s must be a port, 1 to 65535.", parameterPort, documentPort)
	}
	s.Port, s.Properties = int32(port), map[string]string{}
	for _, name := range []string{"localPortNumber", "localConnectionType", "localUnixSocket"} {
		if v := parameters[name]; len(v) == 1 {
			s.Properties[name] = v[0]
		}
	}
	for name := range parameters {
		if _, known := s.Properties[name]; !known && name != parameterPort {
			return apierr.New("InvalidParameters", "Parameter %q of document %s is not known, or has not one value.", name, documentPort)
		}
	}
	return nil
}

// sessionTarget finds the container that a target names, nil if there is none.
func sessionTarget(t *state.Tables, scope arn.Scope, target string) (*ecs.Task, *ecs.Container) {
	rest, ours := strings.CutPrefix(target, "ecs:")
	parts := strings.Split(rest, "_")
	if !ours || len(parts) < 3 {
		return nil, nil
	}
	// a cluster's name may have underscores
	cluster, id, runtime := strings.Join(parts[:len(parts)-2], "_"), parts[len(parts)-2], parts[len(parts)-1]
	task := t.Tasks.Get(scope.Cluster(cluster).Task(id))
	if task == nil || runtime == "" {
		return nil, nil
	}
	for i := range task.Containers {
		if task.Containers[i].RuntimeID == runtime {
			return task, &task.Containers[i]
		}
	}
	return nil, nil
}

// ResumeSession gives another token for a session of the caller's account that its client has not joined. One that has ended, or whose client has been
// there, has no token: the plugin says then that it has timed out.
func (a *API) ResumeSession(r *frontdoor.Request, id string) (url, token string, err error) {
	if err := a.ownSession(r, id); err != nil {
		return "", "", err
	}
	ticket, err := a.config.Sessions.Resume(id)
	if err != nil {
		return streamURL(r, id), "", nil //nolint:nilerr // as AWS: no token
	}
	return streamURL(r, id), ticket.Token, nil
}

// TerminateSession ends a session of the caller's account.
func (a *API) TerminateSession(r *frontdoor.Request, id string) error {
	if err := a.ownSession(r, id); err != nil {
		return err
	}
	a.config.Sessions.Terminate(id) //nolint:errcheck // one that has just ended
	return nil
}

// ownSession refuses sessions that there are not, and those of others.
func (a *API) ownSession(r *frontdoor.Request, id string) error {
	if a.config.Sessions != nil {
		if account, err := a.config.Sessions.Account(id); err == nil && account == r.Scope.Account {
			return nil
		}
	}
	return apierr.New("DoesNotExistException", "Session %s does not exist.", id)
}
