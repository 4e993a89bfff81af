package frontdoor

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"

	"berth/internal/apierr"
	"berth/internal/policy"
)

// TestAudited: who calls an operation that is served is told of, with what policies said and what was answered; nobody else is.
func TestAudited(t *testing.T) {
	var told []*Audited
	d := testDoor(func(c *Config) {
		c.Audit = func(a *Audited) { told = append(told, a) }
		c.Forward = func(r *http.Request) http.Handler {
			if r.Header.Get("Elsewhere") == "" {
				return nil
			}
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
		}
	})
	elsewhere := signedJSON(t, "CreateCluster", `{"clusterName":"x"}`, adminKeys)
	elsewhere.Header.Set("Elsewhere", "1")
	bad := adminKeys
	bad.SecretAccessKey = "wrong"
	for name, c := range map[string]struct {
		r                *http.Request
		code             string // of the failure
		decision         policy.Decision
		in, out, nothing bool
	}{
		"allowed":       {r: signedJSON(t, "CreateCluster", `{"clusterName":"x"}`, adminKeys), decision: policy.Allowed, in: true, out: true},
		"denied":        {r: signedJSON(t, "CreateCluster", `{"clusterName":"x"}`, readerKeys), code: "AccessDeniedException", decision: policy.ExplicitDeny, in: true},
		"failed":        {r: signedJSON(t, "DeleteCluster", `{"cluster":"gone"}`, adminKeys), code: "ClusterNotFoundException", decision: policy.Allowed, in: true},
		"wrong type":    {r: signedJSON(t, "CreateCluster", `{"clusterName":5}`, adminKeys), code: "SerializationException"},
		"not served":    {r: signedJSON(t, "ExecuteCommand", `{}`, adminKeys), nothing: true},
		"wrong secret":  {r: signedJSON(t, "ListClusters", `{}`, bad), nothing: true},
		"the leader's":  {r: elsewhere, nothing: true},
		"no operation":  {r: signedJSON(t, "MakeCoffee", `{}`, adminKeys), nothing: true},
		"another's url": {r: httptest.NewRequest("GET", "http://cp/other", nil), nothing: true},
	} {
		told = nil
		serve(d, c.r)
		if c.nothing || len(told) != 1 {
			if !c.nothing || len(told) != 0 {
				t.Errorf("%s: told of %d calls", name, len(told))
			}
			continue
		}
		a := told[0]
		code := ""
		if a.Failure != nil {
			code = a.Failure.Code
		}
		if code != c.code || (a.In != nil) != c.in || (a.Out != nil) != c.out || a.Service != "ecs" || a.Source == "" || a.At.IsZero() || a.Request.Caller.ARN == "" {
			t.Errorf("%s: %+v", name, a)
		}
		if c.in && (len(a.Request.Decisions) != 1 || a.Request.Decisions[0].Verdict.Decision != c.decision) {
			t.Errorf("%s: decisions %+v", name, a.Request.Decisions)
		}
	}
}

// TestAuditedSockets: a socket is told of before it opens, and what is told stays as it was.
func TestAuditedSockets(t *testing.T) {
	var told []*Audited
	d := testDoor(func(c *Config) {
		withSocket(c)
		c.Auth, c.DevPrincipal = AuthDev, admin
		c.Sockets[0].Frequent = true
		c.Sockets[0].May = func(r *Request, resource string) *apierr.Error {
			if resource == "*" {
				return nil
			}
			return apierr.NotRegistrar(r.Caller.ARN, "ecs:Poll", resource)
		}
		c.Audit = func(a *Audited) { told = append(told, a) }
	})
	serve(d, httptest.NewRequest("GET", "http://cp/acs/ws", nil))
	if len(told) != 1 || told[0].Operation != "Poll" || !told[0].Frequent || told[0].Failure != nil || len(told[0].Request.Decisions) != 1 {
		t.Errorf("%+v", told)
	}
	serve(d, httptest.NewRequest("GET", "http://cp/acs/ws?containerInstanceArn=others", nil)) // which no agent does
	if len(told) != 2 || told[1].Frequent || told[1].Failure == nil || told[1].Failure.Code != "AccessDeniedException" {
		t.Errorf("%+v", told)
	}
}

// BenchmarkAudited is what a call makes for the audit log, and what it does where there is none.
func BenchmarkAudited(b *testing.B) {
	for name, audit := range map[string]func(*Audited){"off": nil, "on": func(*Audited) {}} {
		b.Run(name, func(b *testing.B) {
			d := testDoor(func(c *Config) { c.Audit = audit })
			x := d.begin(httptest.NewRecorder(), httptest.NewRequest("POST", "http://cp/", nil))
			x.target.service = &service{Service: Service{Name: "ecs"}}
			x.target.call, x.asked, x.in = &call{Operation: Op("ListClusters", func(context.Context, *Request, *awsecs.ListClustersInput) (*awsecs.ListClustersOutput, error) {
				return nil, nil
			})}, &Request{}, &awsecs.ListClustersInput{}
			b.ReportAllocs()
			for b.Loop() {
				x.audit()
			}
		})
	}
}
