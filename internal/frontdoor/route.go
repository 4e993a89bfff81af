package frontdoor

import (
	"net/http"
	"net/url"
	"strings"

	"berth/internal/apierr"
)

// target is what a request is for.
type target struct {
	protocol  Protocol
	service   *service
	operation string     // as the request names it
	call      *call      // nil when AWS has the operation and we have not
	values    url.Values // parameters of a query request
}

// route finds the operation. An error says that there is none of that name in AWS.
func (x *exchange) route() *apierr.Error {
	if name := x.r.Header.Get("X-Amz-Target"); name != "" {
		return x.routeJSON(name)
	}
	if x.r.URL.Path == "/" && (isForm(x.r) || lookup(x.query, "Action").n > 0) {
		x.target.protocol = AWSQuery
		return x.routeQuery()
	}
	x.target.protocol = AWSJSON11
	e := apierr.New("UnknownOperationException", "No operation is served at %s %.128s.", x.r.Method, x.r.URL.Path)
	e.Status = http.StatusNotFound
	return e
}

func (x *exchange) routeJSON(name string) *apierr.Error {
	x.target.protocol = AWSJSON11
	content := mediaType(x.r)
	if content == "application/x-amz-json-1.0" {
		x.target.protocol = AWSJSON10
	}
	dot := strings.LastIndexByte(name, '.')
	s := x.door.services.byTarget[name[:max(dot, 0)]]
	if s == nil || x.r.Method != http.MethodPost {
		return apierr.UnknownOperation()
	}
	x.target.protocol = s.Protocol
	switch content {
	case "application/x-amz-json-1.0", "application/x-amz-json-1.1", "application/json":
	default:
		return apierr.New("UnknownOperationException", "The content type of a request to %s is application/x-amz-json-1.1.", s.Name)
	}
	if !x.find(s, name[dot+1:]) {
		return apierr.UnknownOperation()
	}
	return nil
}

func (x *exchange) find(s *service, operation string) bool {
	x.target.service = s
	if _, known := s.known[operation]; !known {
		return false
	}
	x.target.operation, x.target.call = operation, s.calls[operation]
	return true
}

func (x *exchange) routeQuery() *apierr.Error {
	values, err := x.parameters()
	if err != nil {
		return malformed().Because(err)
	}
	x.target.values = values
	action, version := values.Get("Action"), values.Get("Version")
	if action == "" {
		return apierr.New("MissingAction", "The request is missing an action or a required parameter.")
	}
	c, _ := readClaim(x.r, x.query)
	s := x.door.services.query(version, c.service)
	if s != nil {
		x.target.protocol = s.Protocol
	}
	if s == nil || !x.find(s, action) {
		return apierr.New("InvalidAction", "Could not find operation %.128s for version %.64s", action, orNone(version))
	}
	return nil
}

func orNone(version string) string {
	if version == "" {
		return "NO_VERSION_SPECIFIED"
	}
	return version
}

// parameters are those of the URL and of the form.
func (x *exchange) parameters() (url.Values, error) {
	values := url.Values{}
	for _, p := range x.query {
		values.Add(p.name, p.value)
	}
	if !isForm(x.r) {
		return values, nil
	}
	form, err := url.ParseQuery(string(x.body))
	if err != nil {
		return nil, err
	}
	for name, v := range form {
		values[name] = append(values[name], v...)
	}
	return values, nil
}
