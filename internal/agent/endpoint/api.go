package endpoint

import (
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"strings"
	"time"
)

// Planes send containers' requests to the control plane. The agent does.
type Planes interface {
	// Send sends a request to the control plane as it is. An error says that no replica answered.
	Send(*http.Request) (*http.Response, error)
	// Holds reports whether a task or a container instance of the agent has an access key.
	Holds(keyID string) bool
}

// bodyTimeout is how long a request to the control plane may take to arrive.
const bodyTimeout = time.Minute

// keysPath is where agents ask each other whose an access key is.
const keysPath = "/berth/keys/"

// callAPI passes a request to an AWS API on to the control plane, which knows by its signature who it is from. A container needs no way to the control plane
// of its own for that, and no name of it. An answer of known length goes out in one piece, a stream as it comes. On the network of the machine, one of its agents
// does that for all, and finds out by the key whose control plane it is.
func (h handler) callAPI(w http.ResponseWriter, r *http.Request) {
	c := http.NewResponseController(w)
	for _, err := range []error{c.SetReadDeadline(time.Now().Add(bodyTimeout)), c.SetWriteDeadline(time.Time{})} { // an answer may be a stream
		if err != nil {
			refuseAPI(w, r, err)
			return
		}
	}
	send := sender(h.planes.Send)
	if at := h.whose(r); at.IsValid() {
		send = h.others.at(at)
	}
	p := httputil.ReverseProxy{
		Rewrite:   func(p *httputil.ProxyRequest) { p.Out.Host = p.In.Host }, // it is signed
		Transport: send, ErrorHandler: refuseAPI, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug),
	}
	p.ServeHTTP(w, r)
}

// sender is a transport.
type sender func(*http.Request) (*http.Response, error)

func (s sender) RoundTrip(r *http.Request) (*http.Response, error) { return s(r) }

// whose is where the machine's agent is whose task has the key of a request; not valid where it is this one, or where nobody has it.
func (h handler) whose(r *http.Request) netip.AddrPort {
	key := keyOf(r)
	if h.others == nil || vpcOf(r) != "" || r.Header.Get(askedHeader) != "" || key == "" || h.planes.Holds(key) {
		return netip.AddrPort{}
	}
	return h.others.holder(r.Context(), key)
}

// keyOf is the id of the access key that a request is signed with, "" where it is not.
func keyOf(r *http.Request) string {
	_, credential, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	id, _, _ := strings.Cut(credential, "/")
	return id
}

// holdsKey tells another agent of the machine whether a key is of a task of this one.
func (h handler) holdsKey(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get(askedHeader) == "" || !h.planes.Holds(r.PathValue("id")) {
		http.NotFound(w, r)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// refuseAPI is the answer where the control plane does not: SDKs try again.
func refuseAPI(w http.ResponseWriter, r *http.Request, _ error) {
	const text = "The control plane does not answer. Try again."
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-amz-json") {
		w.Header().Set("X-Amzn-Errortype", "ServiceUnavailableException")
		say(w, http.StatusServiceUnavailable, map[string]string{"__type": "ServiceUnavailableException", "message": text})
		return
	}
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(http.StatusServiceUnavailable)
	w.Write([]byte("<ErrorResponse><Error><Type>Receiver</Type><Code>ServiceUnavailable</Code><Message>" + text + "</Message></Error></ErrorResponse>")) //nolint:errcheck // the container is gone then
}
