package endpoint

import (
	"net/http"

	"berth/internal/agent"
)

// Version 2 knows who asks by the address: of a task's own network interface. On the machine's networks it knows nobody.

// byAddress finds the task that asks, or answers that there is none.
func (h handler) byAddress(w http.ResponseWriter, r *http.Request) *agent.Seen {
	address, text := addressOf(r)
	if vpc := vpcOf(r); vpc != "" && address.IsValid() {
		if s, ok := h.tasks.SeenAt(r.Context(), vpc, address); ok {
			return s
		}
	}
	say(w, http.StatusBadRequest, "Unable to get task arn from request: unable to associate '"+text+"' with task")
	return nil
}

func (h handler) task2(tags bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if s := h.byAddress(w, r); s != nil {
			say(w, http.StatusOK, h.taskOf(r.Context(), s, 2, tags))
		}
	}
}

func (h handler) container2(w http.ResponseWriter, r *http.Request) {
	s := h.byAddress(w, r)
	if s == nil {
		return
	}
	id := r.PathValue("container")
	if c := containerOf(s, id); c != nil {
		say(w, http.StatusOK, version(2).container(s, c))
		return
	}
	say(w, http.StatusBadRequest, "Unable to generate metadata for container '"+id+"'")
}

func (h handler) taskStats2(w http.ResponseWriter, r *http.Request) {
	if s := h.byAddress(w, r); s != nil {
		say(w, http.StatusOK, version(2).statsOf(r.Context(), s))
	}
}

func (h handler) containerStats2(w http.ResponseWriter, r *http.Request) {
	s := h.byAddress(w, r)
	if s == nil {
		return
	}
	id := r.PathValue("container")
	if c := containerOf(s, id); c != nil {
		version(2).sayStats(w, r, s, c)
		return
	}
	say(w, http.StatusBadRequest, "Unable to get container stats for: "+id)
}

// containerOf finds a container of the task by the engine's id, nil where the task has none.
func containerOf(s *agent.Seen, id string) *agent.Container {
	for i := range s.Record.Containers {
		if c := &s.Record.Containers[i]; c.ID == id && id != "" && version(2).shows(s, c) {
			return c
		}
	}
	return nil
}
