package endpoint

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"berth/internal/agent"
)

// What an id is not known for, in the official agent's words and statuses: version 4 has a status of its own.
func (v version) unknown(w http.ResponseWriter, what, unable string, of3 int) {
	status := of3
	if v == 4 {
		status = http.StatusNotFound
	}
	say(w, status, fmt.Sprintf("V%d %s handler: %s", v, what, unable))
}

func noContainer(r *http.Request) string {
	return "unable to get container ID from request: unable to get docker ID from v3 endpoint ID: " + r.PathValue("id")
}

func noTask(r *http.Request) string {
	return "unable to get task arn from request: unable to get task Arn from v3 endpoint ID: " + r.PathValue("id")
}

// seen finds the container that asks, nil where there is none of that id.
func (h handler) seen(r *http.Request) (*agent.Seen, *agent.Container) {
	s, ok := h.tasks.Seen(r.Context(), r.PathValue("id"))
	if !ok {
		return nil, nil
	}
	for i := range s.Record.Containers {
		if c := &s.Record.Containers[i]; c.Name == s.Container {
			return s, c
		}
	}
	return s, nil
}

func (h handler) container(w http.ResponseWriter, r *http.Request, v version) {
	s, c := h.seen(r)
	if c == nil {
		v.unknown(w, "container metadata", noContainer(r), http.StatusInternalServerError)
		return
	}
	say(w, http.StatusOK, v.container(s, c))
}

func (h handler) task(w http.ResponseWriter, r *http.Request, v version, tags bool) {
	s, _ := h.seen(r)
	if s == nil {
		v.unknown(w, "task metadata", noTask(r), http.StatusInternalServerError)
		return
	}
	say(w, http.StatusOK, h.taskOf(r.Context(), s, v, tags))
}

// taskOf is a task's metadata with all that is asked for.
func (h handler) taskOf(ctx context.Context, s *agent.Seen, v version, tags bool) taskAnswer {
	a := v.task(s)
	if v == 4 && s.Record.Task.LaunchType == fargate {
		if c, ok := h.tasks.ClockReading(); ok {
			a.ClockDrift = drift(c)
		}
		if s.Storage != nil {
			a.EphemeralStorage = &ephemeralStorage{s.Storage.UsedMiB, s.Storage.ReservedMiB}
		}
	}
	if tags {
		addTags(ctx, s, v, &a)
	}
	return a
}

// addTags adds the tags of the task and of its container instance. Fargate has none of that.
func addTags(ctx context.Context, s *agent.Seen, v version, a *taskAnswer) {
	var wait sync.WaitGroup
	defer wait.Wait()
	var mu sync.Mutex
	read := func(field, resource string, into *map[string]string) {
		wait.Go(func() {
			tags, err := s.Tags(ctx, resource)
			mu.Lock()
			defer mu.Unlock()
			if *into = tags; err != nil && v == 4 {
				a.Errors = append(a.Errors, tagErrorOf(field, resource, err))
				slices.SortFunc(a.Errors, func(x, y tagError) int { return cmp.Compare(x.ErrorField, y.ErrorField) })
			}
		})
	}
	read("TaskTags", s.Record.Task.ARN, &a.TaskTags)
	if s.Record.Task.LaunchType != fargate && s.Instance != "" {
		read("ContainerInstanceTags", s.Instance, &a.ContainerInstanceTags)
	}
}

// tagErrorOf says why tags are missing: in the control plane's words, where they are its own.
func tagErrorOf(field, resource string, err error) tagError {
	e := tagError{ErrorField: field, ErrorCode: "ServerException", ErrorMessage: err.Error(), StatusCode: http.StatusInternalServerError, ResourceARN: resource}
	var api smithy.APIError
	if errors.As(err, &api) {
		e.ErrorCode, e.ErrorMessage = api.ErrorCode(), api.ErrorMessage()
	}
	var response *awshttp.ResponseError
	if errors.As(err, &response) {
		e.StatusCode, e.RequestID = response.HTTPStatusCode(), response.ServiceRequestID()
	}
	return e
}

func (h handler) containerStats(w http.ResponseWriter, r *http.Request, v version) {
	s, c := h.seen(r)
	if c == nil {
		v.unknown(w, "container stats", noTask(r), http.StatusBadRequest)
		return
	}
	v.sayStats(w, r, s, c)
}

// sayStats answers with a container's statistics.
func (v version) sayStats(w http.ResponseWriter, r *http.Request, s *agent.Seen, c *agent.Container) {
	stats, err := s.Statistics(r.Context(), c.Name)
	switch {
	case err != nil && v == 4:
		say(w, http.StatusInternalServerError, "Unable to get container stats for: "+c.ID)
	case err != nil:
		say(w, http.StatusBadRequest, "Unable to get container stats for: "+c.ID)
	case v == 4:
		say(w, http.StatusOK, stats)
	default:
		say(w, http.StatusOK, stats.StatsResponse)
	}
}

func (h handler) taskStats(w http.ResponseWriter, r *http.Request, v version) {
	s, _ := h.seen(r)
	if s == nil {
		v.unknown(w, "task stats", noTask(r), http.StatusBadRequest)
		return
	}
	say(w, http.StatusOK, v.statsOf(r.Context(), s))
}

// statsOf are the statistics of a task's containers by the engine's id, null for those that do not run or of which the engine tells none.
func (v version) statsOf(ctx context.Context, s *agent.Seen) map[string]any {
	all := map[string]any{}
	var mu sync.Mutex
	var wait sync.WaitGroup
	for i := range s.Record.Containers {
		c := &s.Record.Containers[i]
		if c.ID == "" || !v.shows(s, c) {
			continue
		}
		wait.Go(func() {
			stats, err := s.Statistics(ctx, c.Name)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
				all[c.ID] = nil
			case v == 4:
				all[c.ID] = stats
			default:
				all[c.ID] = stats.StatsResponse
			}
		})
	}
	wait.Wait()
	return all
}

func (h handler) associations(w http.ResponseWriter, r *http.Request, v version) {
	s, c := h.seen(r)
	if c == nil {
		say(w, http.StatusBadRequest, fmt.Sprintf("V%d container associations handler: %s", v,
			"unable to get container id from request: unable to get docker ID from v3 endpoint ID: "+r.PathValue("id")))
		return
	}
	a := associationsAnswer{[]string{}}
	for _, one := range s.Record.Task.Associations {
		if one.Type == r.PathValue("type") && slices.Contains(one.Containers, c.Name) {
			a.Associations = append(a.Associations, one.Name)
		}
	}
	say(w, http.StatusOK, a)
}

// association answers with what is known of a device. There is no type of devices of which that is more than its name.
func (h handler) association(w http.ResponseWriter, r *http.Request, v version) {
	s, _ := h.seen(r)
	if s == nil {
		say(w, http.StatusBadRequest, fmt.Sprintf("V%d container associations handler: %s", v, noTask(r)))
		return
	}
	kind, name := r.PathValue("type"), r.PathValue("name")
	for _, one := range s.Record.Task.Associations {
		if one.Type == kind && one.Name == name {
			w.Header().Set("Content-Type", "application/json")
			return
		}
	}
	say(w, http.StatusBadRequest, fmt.Sprintf(
		"Unable to write container association response: unable to get association from association type %s and association name %s", kind, name))
}
