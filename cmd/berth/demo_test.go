package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// rivals is a client of a control plane on which CreateService of hello always fails; from then on hello is there, if another one made it.
func rivals(t *testing.T, made bool) *client {
	t.Helper()
	there := false
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		switch {
		case operation == "DescribeServices" && there:
			fmt.Fprint(w, `{"services":[{"serviceName":"hello","status":"ACTIVE"}]}`)
		case operation == "DescribeServices":
			fmt.Fprint(w, `{"services":[]}`)
		case operation == "RegisterTaskDefinition":
			fmt.Fprint(w, `{"taskDefinition":{"taskDefinitionArn":"arn:aws:ecs:us-east-1:000000000000:task-definition/hello:2"}}`)
		case operation == "CreateService":
			there = made
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"__type":"InvalidParameterException","message":"Creation of service was not idempotent."}`)
		default:
			t.Errorf("%s was called", operation)
		}
	}))
	t.Cleanup(h.Close)
	return &client{endpoint: h.URL, key: accessKey{"AKIDEXAMPLE", "secret"}, in: installation{Region: "us-east-1"}}
}

func TestDemoOfTwoAtOnce(t *testing.T) {
	silent := func(string, ...any) {}
	if err := rivals(t, true).demoService(t.Context(), silent); err != nil {
		t.Errorf("another one made the service: %v", err)
	}
	if err := rivals(t, false).demoService(t.Context(), silent); err == nil || !strings.Contains(err.Error(), "not idempotent") {
		t.Errorf("nobody made the service: %v", err)
	}
}
