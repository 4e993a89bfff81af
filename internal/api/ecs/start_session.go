package ecs

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/relay"
	"berth/internal/session"
	"berth/internal/state"
)

// The documents by which StartSession opens sessions in containers.
const (
	documentShell    = "SSM-SessionManagerRunShell"
	documentCommand  = "AWS-StartInteractiveCommand"
	documentPort     = "AWS-StartPortForwardingSession"
	documentRemote   = "AWS-StartPortForwardingSessionToRemoteHost"
	defaultShell     = "sh"
	documentExec     = "AmazonECS-ExecuteInteractiveCommand"
	parameterCommand = "command"
	parameterPort    = "portNumber"
	parameterHost    = "host"
)

// StartSession opens the session of Systems Manager's StartSession on a target of ECS, ecs:CLUSTER_TASKID_RUNTIMEID: a shell, a command or a port of
// the container. It returns what a client joins the session with. An error is AWS's.
func (a *API) StartSession(r *frontdoor.Request, target, document, reason string, parameters map[string][]string) (id, url, token string, err error) {
	s := relay.Request{Prefix: sessionName(r.Caller.ARN) + "-", Document: cmp.Or(document, documentShell), Reason: reason}
	if err := asked(&s, parameters); err != nil {
		return "", "", "", err
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

// asked fills in what a document and its parameters ask for.
func asked(s *relay.Request, parameters map[string][]string) error {
	switch s.Document {
	case documentShell:
		if len(parameters) > 0 {
			return apierr.New("InvalidParameters", "Document %s has no parameters here.", documentShell)
		}
		s.Command = defaultShell
	case documentCommand:
		command := strings.Join(parameters[parameterCommand], " ")
		if command == "" || len(command) > mostCommand || len(parameters) > 1 {
			return apierr.New("InvalidParameters", "Parameter %q of document %s is missing or too long, or not the only one.", parameterCommand, documentCommand)
		}
		s.Command = "sh -c " + session.Quote(command)
	case documentPort, documentRemote:
		return forwarded(s, parameters)
	default:
		return apierr.New("InvalidDocument", "Document with name %s does not exist.", s.Document)
	}
	return nil
}

// sessionName is what the id of a session begins with: the name of the user, or of the role's session.
func sessionName(caller string) string { return caller[strings.LastIndexAny(caller, "/:")+1:] }

// hostName is what names and addresses of hosts are made of.
var hostName = regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9.:_-]{0,251}[a-zA-Z0-9.])?$`)

// forwarded reads the parameters of a port that is to be forwarded.
func forwarded(s *relay.Request, parameters map[string][]string) error {
	port, err := strconv.ParseUint(strings.Join(parameters[parameterPort], ","), 10, 16)
	if err != nil || port == 0 {
		return apierr.New("InvalidParameters", "Parameter %q of document %s must be a port, 1 to 65535.", parameterPort, s.Document)
	}
	if s.Document == documentRemote {
		if s.Host = strings.Join(parameters[parameterHost], ","); !hostName.MatchString(s.Host) {
			return apierr.New("InvalidParameters", "Parameter %q of document %s must be a host's name or address.", parameterHost, s.Document)
		}
	}
	s.Port, s.Properties = int32(port), map[string]string{}
	for _, name := range []string{"localPortNumber", "localConnectionType", "localUnixSocket"} {
		if v := parameters[name]; len(v) == 1 {
			s.Properties[name] = v[0]
		}
	}
	for name := range parameters {
		if _, known := s.Properties[name]; !known && name != parameterPort && (name != parameterHost || s.Host == "") {
			return apierr.New("InvalidParameters", "Parameter %q of document %s is not known, or has not one value.", name, s.Document)
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

// Sessions are the sessions of the caller's account and region: those that are open, or those that have ended.
func (a *API) Sessions(r *frontdoor.Request, ended bool) []relay.Status {
	if a.config.Sessions == nil {
		return nil
	}
	return a.config.Sessions.List(r.Scope, ended)
}

// Session finds a session that is open.
func (a *API) Session(id string) (relay.Status, bool) {
	if a.config.Sessions == nil {
		return relay.Status{}, false
	}
	return a.config.Sessions.Find(id)
}
