package main

import (
	"context"

	"berth/internal/access"
	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/policy"
	"berth/internal/state"
)

// assume says whether ECS can assume a role for tasks of a cluster.
func (s *server) assume(t *state.Tables, c arn.Cluster, role string) error {
	_, err := s.keys.TaskRole(t, c, role)
	return err
}

// mayExec says whether a task's role allows what the agent of sessions in its containers does: on AWS that runs in the container, with the role's rights.
func (s *server) mayExec(t *state.Tables, task *ecs.Task) bool {
	d := t.Definitions.Get(task.TaskDefinitionArn)
	if d == nil {
		return false
	}
	for _, action := range []string{"CreateControlChannel", "CreateDataChannel", "OpenControlChannel", "OpenDataChannel"} {
		if !s.keys.TaskMay(t, task, d, "ssmmessages:"+action) {
			return false
		}
	}
	return true
}

// taskPrincipal is who the containers of a task are, for what is done in their name; false where the task is forgotten or has no role.
func (s *server) taskPrincipal(name arn.Task) (policy.Principal, bool) {
	t := s.store.View().Tables
	task := t.Tasks.Get(name)
	if task == nil {
		return policy.Principal{}, false
	}
	d := t.Definitions.Get(task.TaskDefinitionArn)
	if d == nil {
		return policy.Principal{}, false
	}
	return s.keys.TaskPrincipal(t, task, d)
}

// findKey tells the door who holds a key.
func (s *server) findKey(_ context.Context, id, token string) (frontdoor.Key, bool) {
	h, ok := s.keys.Find(id, token)
	return doorKey(h), ok
}

// doorKey is a holder's key as the door knows it.
func doorKey(h access.Holder) frontdoor.Key {
	return frontdoor.Key{Secret: h.Secret, Public: h.Public, SessionToken: h.SessionToken, Issued: h.Issued, Expires: h.Expires, Principal: h.Principal}
}
