package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"berth/internal/capacity"
)

// rivals is a control plane on which another `berth up --demo` is always faster: what is made there fails, and is there from then on if made says so.
type rivals struct {
	t    *testing.T
	made bool

	mu       sync.Mutex
	services map[string]bool
	calls    []string // operations that make something
}

func (h *rivals) client() *client {
	h.services = map[string]bool{}
	s := httptest.NewServer(h)
	h.t.Cleanup(s.Close)
	return &client{endpoint: s.URL, key: accessKey{"AKIDEXAMPLE", "secret"}, in: installation{Region: "us-east-1"}}
}

func (h *rivals) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		h.t.Error(err)
	}
	if _, operation, json := strings.Cut(r.Header.Get("X-Amz-Target"), "."); json {
		h.ecs(w, operation, body)
		return
	}
	if !strings.Contains(r.Header.Get("Authorization"), "/us-east-1/ec2/aws4_request") {
		h.t.Errorf("signed with %q", r.Header.Get("Authorization"))
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		h.t.Error(err)
	}
	h.ec2(w, form)
}

func (h *rivals) ecs(w http.ResponseWriter, operation string, body []byte) {
	var in struct {
		Services    []string `json:"services"`
		ServiceName string   `json:"serviceName"`
		Family      string   `json:"family"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		h.t.Error(err)
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	switch {
	case operation == "DescribeServices" && h.services[in.Services[0]]:
		fmt.Fprintf(w, `{"services":[{"serviceName":%q,"status":"ACTIVE"}]}`, in.Services[0])
	case operation == "DescribeServices":
		fmt.Fprint(w, `{"services":[]}`)
	case operation == "RegisterTaskDefinition":
		fmt.Fprintf(w, `{"taskDefinition":{"taskDefinitionArn":"arn:aws:ecs:us-east-1:000000000000:task-definition/%s:2"}}`, in.Family)
	case operation == "CreateService":
		h.calls = append(h.calls, operation+" "+in.ServiceName)
		h.services[in.ServiceName] = h.made
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"__type":"InvalidParameterException","message":"Creation of service was not idempotent."}`)
	default:
		h.t.Errorf("%s was called", operation)
	}
}

func (h *rivals) ec2(w http.ResponseWriter, form url.Values) {
	refuse := func(code string) {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `<Response><Errors><Error><Code>%s</Code><Message>the other one was faster</Message></Error></Errors></Response>`, code)
	}
	switch action := form.Get("Action"); action {
	case "DescribeVpcs":
		fmt.Fprint(w, `<DescribeVpcsResponse><vpcSet><item><vpcId>vpc-1</vpcId></item></vpcSet></DescribeVpcsResponse>`)
	case "DescribeSubnets":
		fmt.Fprint(w, `<R><subnetSet><item><subnetId>subnet-1</subnetId></item><item><subnetId>subnet-2</subnetId></item></subnetSet></R>`)
	case "DescribeSecurityGroups":
		if form.Get("Filter.1.Value.1") != "vpc-1" || form.Get("Filter.2.Value.1") != "hello" {
			h.t.Errorf("%v", form)
		}
		fmt.Fprint(w, `<R><securityGroupInfo><item><groupId>sg-1</groupId></item></securityGroupInfo></R>`)
	case "CreateSecurityGroup":
		h.calls = append(h.calls, action)
		refuse("InvalidGroup.Duplicate")
	case "AuthorizeSecurityGroupIngress":
		h.calls = append(h.calls, action+" "+form.Get("GroupId"))
		refuse("InvalidPermission.Duplicate")
	default:
		h.t.Errorf("%s was called", action)
	}
}

func silent(string, ...any) {}

func TestDemoOfTwoAtOnce(t *testing.T) {
	if err := (&rivals{t: t, made: true}).client().demoEC2(t.Context(), silent); err != nil {
		t.Errorf("another one made the service: %v", err)
	}
	if err := (&rivals{t: t}).client().demoEC2(t.Context(), silent); err == nil || !strings.Contains(err.Error(), "not idempotent") {
		t.Errorf("nobody made the service: %v", err)
	}
}

func TestFargateDemoOfTwoAtOnce(t *testing.T) {
	h := &rivals{t: t, made: true}
	if err := h.client().createFargate(t.Context(), "vpc-1", silent); err != nil {
		t.Errorf("another one made the service: %v", err)
	}
	want := []string{"CreateSecurityGroup", "AuthorizeSecurityGroupIngress sg-1", "CreateService hello-fargate"}
	if !slices.Equal(h.calls, want) {
		t.Errorf("called %q, want %q", h.calls, want)
	}
	if err := (&rivals{t: t}).client().createFargate(t.Context(), "vpc-1", silent); err == nil || !strings.Contains(err.Error(), "not idempotent") {
		t.Errorf("nobody made the service: %v", err)
	}
}

// What the EC2 API refuses is told in its words; what is no answer of it is told as well.
func TestEC2Refusals(t *testing.T) {
	for body, want := range map[string]string{
		`<Response><Errors><Error><Code>InvalidVpcID.NotFound</Code><Message>The vpc ID 'x' does not exist</Message></Error></Errors></Response>`: "DescribeVpcs: InvalidVpcID.NotFound: The vpc ID 'x' does not exist",
		`no XML`: "DescribeVpcs: 400 Bad Request: no XML",
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, body)
		}))
		c := &client{endpoint: s.URL, key: accessKey{"AKIDEXAMPLE", "secret"}, in: installation{Region: "us-east-1"}}
		if _, err := c.defaultVPC(t.Context()); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
		s.Close()
	}
}

// A pool has room for the demo on any machine: a member in each of three zones, which takes a task.
func TestLocalPoolTakesTheDemo(t *testing.T) {
	for _, c := range []struct{ cpu, mib, mostCPU, mostMiB, memberMiB int }{
		{1024, 256, 2048, 2048, 512}, {1024, 7488, 2048, 7488, 1872}, {2048, 7488, 2048, 7488, 1872}, {65536, 262144, 65536, 262144, 2048},
	} {
		most, member := localPoolSizes(c.cpu, c.mib)
		if (most != capacity.Size{CPUUnits: c.mostCPU, MemoryMiB: c.mostMiB}) || (member != capacity.Size{CPUUnits: 512, MemoryMiB: c.memberMiB}) {
			t.Errorf("%d CPU units and %d MiB: %v of %v", c.cpu, c.mib, member, most)
		}
		if 3*member.CPUUnits > most.CPUUnits || 3*member.MemoryMiB > most.MemoryMiB || member.CPUUnits < 256 || member.MemoryMiB < 512 {
			t.Errorf("%d CPU units and %d MiB: three members of %v do not fit", c.cpu, c.mib, member)
		}
	}
}
