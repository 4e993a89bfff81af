package trail

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"berth/internal/awswire"
	"berth/internal/frontdoor"
	"berth/internal/seal"
)

// encoder writes records. It is for one goroutine: it compiles the plan of each shape when it first meets it.
type encoder struct {
	shapes *awswire.Compiler // CloudTrail spells the members of all services in lower camel case
	plans  map[reflect.Type]*awswire.Plan
	record *awswire.Plan
}

func newEncoder() *encoder {
	return &encoder{
		shapes: awswire.NewHidingCompiler(awswire.LowerCamel, hidden), plans: map[reflect.Type]*awswire.Plan{},
		record: awswire.NewCompiler(awswire.LowerCamel).Plan(reflect.TypeFor[Record]()),
	}
}

// mostElements is how many bytes parameters and elements may have, as on AWS: what is longer is left out.
const mostElements = 100 << 10

// call is the record of a call.
func (e *encoder) call(a *frontdoor.Audited) *Record {
	r := a.Request
	only := readOnly(a.Service, a.Operation)
	rec := &Record{
		EventVersion: eventVersion, UserIdentity: identityOf(r, a.Issued), EventTime: stamp(a.At), EventSource: source(a.Service), EventName: a.Operation,
		AwsRegion: r.Scope.Region, SourceIPAddress: a.Source, UserAgent: a.UserAgent, RequestParameters: e.shape(a.In, "requestParameters"),
		RequestID: r.ID, EventID: seal.NewUUID(), ReadOnly: only, Resources: resources(r), EventType: "AwsApiCall", ManagementEvent: !a.Frequent,
		RecipientAccountID: r.Scope.Account, EventCategory: "Management", ResponseElements: null, AdditionalEventData: additional(r),
	}
	if a.Frequent {
		rec.EventCategory = "Data"
	}
	switch {
	case a.Failure != nil:
		rec.ErrorCode, rec.ErrorMessage = errorCode(a.Failure.Code), a.Failure.Message
	case !only || a.Service == "sts" && a.Operation != "GetCallerIdentity":
		rec.ResponseElements = e.shape(a.Out, "responseElements")
	}
	return rec
}

// errorCode is the error's as CloudTrail shows it, which says AccessDenied of all services' refusals but EC2's.
func errorCode(code string) string {
	if code == "AccessDeniedException" {
		return "AccessDenied"
	}
	return code
}

// line is a record as it is kept: a line of JSON.
func (e *encoder) line(r *Record) []byte { return append(e.record.EncodeJSON(r), '\n') }

// null is what CloudTrail writes for parameters and elements that are not there. Nobody changes it.
var null = json.RawMessage("null")

// shape is a request or an answer with its secrets hidden.
func (e *encoder) shape(v any, what string) json.RawMessage {
	if v == nil {
		return null
	}
	if _, is := v.(frontdoor.Streamed); is {
		return null
	}
	t := reflect.TypeOf(v)
	if t.Kind() != reflect.Pointer || t.Elem().Kind() != reflect.Struct {
		return null
	}
	p := e.plans[t]
	if p == nil {
		p = e.shapes.Plan(t)
		e.plans[t] = p
	}
	b := p.EncodeJSON(v)
	switch {
	case len(b) > mostElements:
		return fmt.Appendf(nil, `{"omitted":true,"originalSize":%d,"reason":"%s too large"}`, len(b), what)
	case len(b) <= len("{}"):
		return null
	}
	return b
}

// source is a service's name as events have it; Berth's own calls are nobody else's.
func source(service string) string {
	if service == "berth" {
		return service
	}
	return service + ".amazonaws.com"
}

// readOnly says whether CloudTrail takes an operation for one that only reads. Operation.ReadOnly is another question, which replica may answer: what reads
// images or events of logs is the leader's. And an operation that is not served has nothing but its name.
func readOnly(service, operation string) bool {
	for _, verb := range [...]string{"Describe", "List", "Get", "BatchGet", "BatchCheck", "Lookup", "Filter", "Explain", "Simulate", "Validate", "Stream", "Read", "StartLiveTail", "StartTelemetrySession", "Poll", "Discover", "AuthorizeEnvironmentFile"} {
		if strings.HasPrefix(operation, verb) {
			return true
		}
	}
	return service == "sts"
}

// additional is what policies said, and which tasks it was about.
func additional(r *frontdoor.Request) *Additional {
	if len(r.Decisions) == 0 && len(r.Tasks) == 0 {
		return nil
	}
	out := &Additional{}
	for _, d := range r.Decisions {
		out.Decisions = append(out.Decisions, decision(d))
	}
	for _, t := range r.Tasks {
		out.Tasks = append(out.Tasks, string(t))
	}
	return out
}

func decision(d frontdoor.Decision) Decision {
	v := d.Verdict
	return Decision{Action: d.Action, Resource: d.Resource, Decision: v.Decision.String(), PolicyType: v.By.String(), Policy: v.Policy, Sid: v.Sid, Statement: v.Statement}
}
