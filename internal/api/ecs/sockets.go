package ecs

import (
	"net/http"

	"berth/internal/access"
	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// Hub has the sessions of agents.
type Hub interface {
	ServeACS(w http.ResponseWriter, r *http.Request)
	ServeTCS(w http.ResponseWriter, r *http.Request)
}

// Sockets are the sessions of container instances' agents. Only who has registered an instance opens them.
func Sockets(s *state.Store, h Hub) []frontdoor.Socket {
	socket := func(path, action, instance string, serve func(http.ResponseWriter, *http.Request)) frontdoor.Socket {
		return frontdoor.Socket{
			Path: path, Service: "ecs", Action: action, Frequent: true, Resource: func(r *http.Request) string { return r.URL.Query().Get(instance) },
			May: func(r *frontdoor.Request, resource string) *apierr.Error {
				return maySpeak(s.View().Tables, r, action, arn.Instance(resource))
			},
			Serve: func(w http.ResponseWriter, r *http.Request, _ *frontdoor.Request) { serve(w, r) },
		}
	}
	return []frontdoor.Socket{
		socket("/acs/ws", "ecs:Poll", "containerInstanceArn", h.ServeACS), socket("/tcs/ws", "ecs:StartTelemetrySession", "containerInstance", h.ServeTCS),
	}
}

// maySpeak refuses a call in the name of a container instance to anybody but who has registered it. action is what the policy calls it, "ecs:Poll".
func maySpeak(t *state.Tables, r *frontdoor.Request, action string, i arn.Instance) *apierr.Error {
	if access.SpeaksFor(t, r.AccessKeyID, &r.Caller, i) {
		return nil
	}
	return apierr.NotRegistrar(r.Caller.ARN, action, string(i))
}
