package endpoint

import (
	"net/http"
	"net/netip"

	"berth/internal/agent"
)

// Vaults have the credentials of tasks' roles. The agent does.
type Vaults interface {
	Credentials(id string) (agent.Vended, bool)
	At(task, vpc string, address netip.Addr) bool
}

// credentials are those of a task's role, as SDKs read them from AWS_CONTAINER_CREDENTIALS_RELATIVE_URI.
type credentials struct {
	RoleArn         string
	AccessKeyID     string `json:"AccessKeyId"`
	SecretAccessKey string
	Token           string
	Expiration      string
}

// noCredentials is the official agent's answer to who gets none.
type noCredentials struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Status  int    `json:"HTTPErrorCode"`
}

// The official agent's codes.
const (
	noID          = "NoIdInRequest"
	invalidID     = "InvalidIdInRequest"
	uninitialized = "CredentialsUninitialized"
)

// getCredentials answers a container with the credentials of its task's role. Who knows the id may have them; where the task has a network interface,
// only from its address, so that an id that has got out opens nothing elsewhere.
func (h handler) getCredentials(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	id := credentialsID(r)
	if id == "" {
		refuseCredentials(w, http.StatusBadRequest, noID, "CredentialsV2Request: No ID in the request")
		return
	}
	v, known := h.vaults.Credentials(id)
	if !known || !h.may(v, r) {
		refuseCredentials(w, http.StatusBadRequest, invalidID, "CredentialsV2Request: ID not found")
		return
	}
	if v.AccessKeyID == "" { // the agent was started again, and the control plane has not sent them yet
		refuseCredentials(w, http.StatusServiceUnavailable, uninitialized, "CredentialsV2Request: Credentials uninitialized for ID")
		return
	}
	say(w, http.StatusOK, credentials{v.RoleARN, v.AccessKeyID, v.SecretAccessKey, v.SessionToken, v.Expiration})
}

// may reports whether a request comes from where the task's containers ask.
func (h handler) may(v agent.Vended, r *http.Request) bool {
	vpc := vpcOf(r)
	if !v.Networked || vpc == "" {
		return !v.Networked && vpc == ""
	}
	address, _ := addressOf(r)
	return h.vaults.At(v.Task, vpc, address)
}

// credentialsID is the id in the path, or in the query as the first version of the endpoint has it.
func credentialsID(r *http.Request) string {
	if id := r.PathValue("id"); id != "" {
		return id
	}
	return r.URL.Query().Get("id")
}

func refuseCredentials(w http.ResponseWriter, status int, code, text string) {
	say(w, status, noCredentials{code, text, status})
}
