package frontdoor

import (
	"encoding/json"
	"net/http"

	"berth/internal/apierr"
)

// openSocket verifies the handshake of an agent's websocket and hands it over. A replica that is not the leader hands it to the leader.
func (x *exchange) openSocket(s *Socket) {
	defer x.finish()
	x.target.protocol = AWSJSON11
	query, err := readQuery(x.r.URL.RawQuery)
	if err != nil {
		x.failSocket(malformed().Because(err))
		return
	}
	x.query = query
	leader := http.Handler(nil)
	if !s.ReadOnly {
		leader = x.door.config.Forward(x.r)
	}
	if e := x.identify(s.Service, leader != nil); e != nil {
		x.failSocket(e)
		return
	}
	if leader != nil {
		acceptAnyTime(x.w)
		x.hand(leader)
		return
	}
	request := x.request()
	e := s.authorize(request, x.r)
	if e != nil && x.renew() {
		request = x.request()
		e = s.authorize(request, x.r)
	}
	x.asked = request
	x.auditSocket(s, request, e)
	if e != nil {
		x.failSocket(e)
		return
	}
	x.handed = socketClosed
	acceptAnyTime(x.w)
	x.door.config.Log.Info("socket opened", "path", s.Path, "caller", x.caller.ARN, "requestId", x.id)
	s.Serve(x.w, x.r, request)
}

func (s *Socket) authorize(caller *Request, r *http.Request) *apierr.Error {
	resource := s.resource(r)
	e := caller.Authorize(Question{Action: s.Action, Resource: resource})
	if e == nil && s.May != nil {
		e = s.May(caller, resource)
	}
	return e
}

func (s *Socket) resource(r *http.Request) string {
	if s.Resource != nil {
		if named := s.Resource(r); named != "" {
			return named
		}
	}
	return "*"
}

// failSocket refuses a handshake in the form that agents read, {"<type>":"<message>"}, and with a type that they know: whatever is wrong
// with who they are is AccessDeniedException to them.
func (x *exchange) failSocket(e *apierr.Error) {
	x.failure = e
	kind, status := "AccessDeniedException", http.StatusForbidden
	switch {
	case e.Status >= 500:
		kind, status = "ServerException", e.Status
	case e.Code == malformed().Code:
		kind, status = "BadRequestException", e.Status
	}
	b, err := json.Marshal(map[string]string{kind: e.Message})
	if err != nil { // strings always marshal
		panic(err)
	}
	x.write(status, x.jsonType(), b)
}
