// Package endpoint is where the containers of tasks reach the agent over HTTP, each under an unguessable id of its own and for as long as its task
// runs. It serves the metadata and statistics of tasks and the protection of tasks against scale-in, in the shapes of the official agent.
package endpoint

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	awscredentials "github.com/aws/aws-sdk-go-v2/credentials"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/smithy-go"

	"berth/internal/agent"
)

// callLimit bounds a call of the control plane.
const callLimit = 4 * time.Second

// answer is what a request about protection is answered: one of the three, and the id of the control plane's own answer where that was an error.
type answer struct {
	RequestID  string               `json:"requestID,omitempty"`
	Protection *types.ProtectedTask `json:"protection,omitempty"`
	Failure    *types.Failure       `json:"failure,omitempty"`
	Error      *fault               `json:"error,omitempty"`
}

type fault struct {
	Arn     string `json:"Arn,omitempty"`
	Code    string
	Message string
}

func (h handler) getProtection(w http.ResponseWriter, r *http.Request) {
	c, ok := h.caller(w, r)
	if !ok || !c.holdsKey(w) {
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), callLimit)
	defer cancel()
	out, err := c.API.GetTaskProtection(ctx, &awsecs.GetTaskProtectionInput{Cluster: &c.Cluster, Tasks: []string{c.Task}}, c.sign)
	if err != nil {
		c.refuse(w, err)
		return
	}
	c.tell(w, out.ProtectedTasks, out.Failures)
}

func (h handler) putProtection(w http.ResponseWriter, r *http.Request) {
	var in struct {
		ProtectionEnabled *bool
		ExpiresInMinutes  *int32
	}
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, mostBody))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		write(w, http.StatusBadRequest, answer{Error: &fault{Code: "InvalidParameterException", Message: "UpdateTaskProtection: failed to decode request"}})
		return
	}
	c, ok := h.caller(w, r)
	if !ok {
		return
	}
	if in.ProtectionEnabled == nil {
		write(w, http.StatusBadRequest, answer{Error: &fault{c.Task, "InvalidParameterException", "Invalid request: does not contain 'ProtectionEnabled' field"}})
		return
	}
	if !c.holdsKey(w) {
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), callLimit)
	defer cancel()
	out, err := c.API.UpdateTaskProtection(ctx, &awsecs.UpdateTaskProtectionInput{
		Cluster: &c.Cluster, Tasks: []string{c.Task}, ProtectionEnabled: *in.ProtectionEnabled, ExpiresInMinutes: in.ExpiresInMinutes,
	}, c.sign)
	if err != nil {
		c.refuse(w, err)
		return
	}
	c.tell(w, out.ProtectedTasks, out.Failures)
}

// caller is a task that is answered.
type caller struct{ agent.Caller }

// caller finds the request's task, or answers that there is none.
func (h handler) caller(w http.ResponseWriter, r *http.Request) (caller, bool) {
	c, ok := h.callers.Caller(r.PathValue("id"))
	if !ok {
		write(w, http.StatusNotFound, answer{Error: &fault{Code: "ResourceNotFoundException", Message: "Failed to find a task for the request"}})
	}
	return caller{c}, ok
}

// holdsKey reports whether the agent has credentials of the task's role, or answers that it has none.
func (c caller) holdsKey(w http.ResponseWriter) bool {
	if c.Key.AccessKeyID != "" {
		return true
	}
	write(w, http.StatusForbidden, answer{Error: &fault{c.Task, "AccessDeniedException", "Invalid Request: no task IAM role credentials available for task"}})
	return false
}

// sign has a call made with the rights of the task's role.
func (c caller) sign(o *awsecs.Options) {
	o.Credentials = awscredentials.NewStaticCredentialsProvider(c.Key.AccessKeyID, c.Key.SecretAccessKey, c.Key.SessionToken)
}

// tell answers what the control plane says of the one task.
func (c caller) tell(w http.ResponseWriter, protected []types.ProtectedTask, failures []types.Failure) {
	switch {
	case len(failures) == 1:
		write(w, http.StatusOK, answer{Failure: &failures[0]})
	case len(failures) == 0 && len(protected) == 1:
		write(w, http.StatusOK, answer{Protection: &protected[0]})
	default:
		write(w, http.StatusInternalServerError, answer{Error: &fault{c.Task, "ServerException", "Unexpected error occurred"}})
	}
}

// refuse answers an error of the control plane with its own code, text and status, and what is none of its errors as a server's error.
func (c caller) refuse(w http.ResponseWriter, err error) {
	var api smithy.APIError
	var response *awshttp.ResponseError
	f, status, id := &fault{c.Task, "ServerException", err.Error()}, http.StatusInternalServerError, ""
	switch {
	case errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled):
		f.Code, f.Message, status = "RequestCanceled", "Timed out calling ECS Task Protection API", http.StatusGatewayTimeout
	case errors.As(err, &api):
		f.Code, f.Message = api.ErrorCode(), api.ErrorMessage()
		if errors.As(err, &response) {
			status, id = response.HTTPStatusCode(), response.ServiceRequestID()
		}
	}
	write(w, status, answer{RequestID: id, Error: f})
}

func write(w http.ResponseWriter, status int, a answer) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(a) //nolint:errcheck // the container is gone then
}
