package identity

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"berth/internal/agent"
	"berth/internal/api/berth"
	"berth/internal/awswire"
	"berth/internal/frontdoor"
)

var instance = agent.InstanceConfig{AccessKey: "AKIAINSTANCE", SecretKey: "key-of-the-instance"}

// plane answers every request with a body and a status, and keeps what it was asked.
type plane struct {
	*httptest.Server
	status int
	body   string
	asked  *http.Request
	sent   string
}

func newPlane(t *testing.T) *plane {
	t.Helper()
	p := &plane{status: http.StatusOK}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		p.asked, p.sent = r, string(b)
		w.WriteHeader(p.status)
		io.WriteString(w, p.body) //nolint:errcheck // the client sees it
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *plane) roles() *Roles {
	return &Roles{Endpoint: func() string { return p.URL }, Region: "eu-west-1"}
}

// encoded is an answer of the control plane as its door writes it.
func encoded(t *testing.T, out *berth.GetInstanceRoleOutput) string {
	t.Helper()
	var o frontdoor.Operation
	s := (&berth.API{}).Service()
	for _, one := range s.Operations {
		if one.Name == "GetInstanceRole" {
			o = one
		}
	}
	return string(awswire.NewCompiler(s.Names).Plan(o.Output).EncodeJSON(out))
}

// TestInstanceRole: what the control plane says of an instance's role comes over whole, whatever of it there is.
func TestInstanceRole(t *testing.T) {
	issued := time.Date(2031, 1, 2, 3, 4, 5, 678e6, time.UTC)
	expires := issued.Add(6 * time.Hour)
	const profile = "arn:aws:iam::123456789012:instance-profile/ecsInstanceRole"
	for name, c := range map[string]struct {
		out  berth.GetInstanceRoleOutput
		want agent.InstanceRole
	}{
		"credentials": {
			berth.GetInstanceRoleOutput{ProfileArn: new(profile), ProfileId: new("AIPA1"), RoleName: new("ecsInstanceRole"), Code: "Success",
				AccessKeyId: new("ASIA1"), SecretAccessKey: new("secret"), SessionToken: new("t0ken+/="), Issued: issued, Expiration: &expires},
			agent.InstanceRole{ProfileARN: profile, ProfileID: "AIPA1", Role: "ecsInstanceRole", Code: "Success",
				Key: agent.Key{AccessKeyID: "ASIA1", SecretAccessKey: "secret", SessionToken: "t0ken+/="}, Issued: issued, Expires: expires},
		},
		"a role that cannot be assumed": {
			berth.GetInstanceRoleOutput{ProfileArn: new(profile), ProfileId: new("AIPA1"), RoleName: new("r"), Code: "AssumeRoleUnauthorizedAccess", Message: "why", Issued: issued},
			agent.InstanceRole{ProfileARN: profile, ProfileID: "AIPA1", Role: "r", Code: "AssumeRoleUnauthorizedAccess", Message: "why", Issued: issued},
		},
		"a profile without a role": {
			berth.GetInstanceRoleOutput{ProfileArn: new(profile), ProfileId: new("AIPA1"), Code: "Success", Issued: issued},
			agent.InstanceRole{ProfileARN: profile, ProfileID: "AIPA1", Code: "Success", Issued: issued},
		},
		"no profile": {berth.GetInstanceRoleOutput{Code: "Success", Issued: issued}, agent.InstanceRole{Code: "Success", Issued: issued}},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlane(t)
			p.body = encoded(t, &c.out)
			got, err := p.roles().InstanceRole(t.Context(), instance)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("-want +got %s of %s", diff, p.body)
			}
		})
	}
}

// TestAsked: the control plane is asked with the instance's own key, which is not sent, and without any members.
func TestAsked(t *testing.T) {
	p := newPlane(t)
	p.body = `{}`
	if _, err := p.roles().InstanceRole(t.Context(), instance); err != nil {
		t.Fatal(err)
	}
	sign := p.asked.Header.Get("Authorization")
	if !strings.Contains(sign, "Credential="+instance.AccessKey+"/") || !strings.Contains(sign, "/eu-west-1/berth/aws4_request") {
		t.Errorf("signed with %s", sign)
	}
	var sent map[string]any
	if err := json.Unmarshal([]byte(p.sent), &sent); err != nil || len(sent) > 0 || !strings.HasSuffix(p.asked.Header.Get("X-Amz-Target"), ".GetInstanceRole") {
		t.Errorf("%s: %s %v", p.asked.Header.Get("X-Amz-Target"), p.sent, err)
	}
	for name, list := range p.asked.Header {
		if strings.Contains(strings.Join(list, " ")+p.sent, instance.SecretKey) {
			t.Errorf("%s shows the key", name)
		}
	}
}

// TestNoAnswer: where the control plane refuses, says what is no answer, or is not there, there is no role, and the error shows no key.
func TestNoAnswer(t *testing.T) {
	p := newPlane(t)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx    context.Context
		status int
		body   string
		want   string
	}{
		"refused":  {t.Context(), 400, `{"__type":"AccessDeniedException","message":"not you"}`, "AccessDeniedException: not you"},
		"broken":   {t.Context(), 500, `{}`, "GetInstanceRole: "},
		"no JSON":  {t.Context(), 200, `<html>`, "GetInstanceRole: the answer: "},
		"cut":      {t.Context(), 200, `{"roleName":"r","secretAccessKey":"s`, "GetInstanceRole: the answer: "},
		"no time":  {t.Context(), 200, `{"expiration":"soon"}`, "GetInstanceRole: the answer: "},
		"too late": {gone, 200, `{}`, "context canceled"},
	} {
		p.status, p.body = c.status, c.body
		role, err := p.roles().InstanceRole(c.ctx, instance)
		if err == nil || !strings.Contains(err.Error(), c.want) || role != (agent.InstanceRole{}) {
			t.Errorf("%s: %v %v", name, role, err)
		}
		if err != nil && strings.Contains(err.Error(), instance.SecretKey) {
			t.Errorf("%s: the error shows the key: %v", name, err)
		}
	}
	p.Close()
	if role, err := p.roles().InstanceRole(t.Context(), instance); err == nil || role != (agent.InstanceRole{}) {
		t.Errorf("nobody is there: %v %v", role, err)
	}
}
