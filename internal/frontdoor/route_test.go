package frontdoor

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"berth/internal/awswire"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

func TestRoutesOfJSON(t *testing.T) {
	with := func(name, value string) *http.Request {
		r := jsonRequest("ListClusters", "{}")
		r.Header.Set(name, value)
		return signed(t, r, "{}", "ecs", adminKeys, time.Now())
	}
	get := jsonRequest("ListClusters", "{}")
	get.Method = "GET"
	for _, c := range []struct {
		name         string
		r            *http.Request
		status       int
		content, has string
	}{
		{"1.1", with("Content-Type", "application/x-amz-json-1.1; charset=utf-8"), 200, "application/x-amz-json-1.1", "clusterArns"},
		{"1.0 to a service of 1.1", with("Content-Type", "application/x-amz-json-1.0"), 200, "application/x-amz-json-1.1", "clusterArns"},
		{"plain JSON", with("Content-Type", "application/json"), 200, "application/x-amz-json-1.1", "clusterArns"},
		{"a form", with("Content-Type", "application/x-www-form-urlencoded"), 400, "application/x-amz-json-1.1", "The content type of a request to ecs"},
		{"another service", with("X-Amz-Target", "DynamoDB_20120810.ListTables"), 400, "application/x-amz-json-1.1", "UnknownOperationException"},
		{"no dot", with("X-Amz-Target", "ListClusters"), 400, "application/x-amz-json-1.1", "UnknownOperationException"},
		{"GET", signed(t, get, "{}", "ecs", adminKeys, time.Now()), 400, "application/x-amz-json-1.1", "UnknownOperationException"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := serve(testDoor(nil), c.r)
			if w.Code != c.status || w.Header().Get("Content-Type") != c.content || !strings.Contains(w.Body.String(), c.has) {
				t.Errorf("got %d %s %s", w.Code, w.Header().Get("Content-Type"), w.Body)
			}
		})
	}
}

func TestAServiceOfJSON10(t *testing.T) {
	d := testDoor(func(c *Config) { c.Services[0].Protocol = AWSJSON10 })
	unknown := jsonRequest("X", "{}")
	unknown.Header.Set("X-Amz-Target", "Other.X")
	unknown.Header.Set("Content-Type", "application/x-amz-json-1.0")
	for _, r := range []*http.Request{signedJSON(t, "ListClusters", "{}", adminKeys), jsonRequest("ListClusters", "{}"), unknown} {
		if w := serve(d, r); w.Header().Get("Content-Type") != "application/x-amz-json-1.0" {
			t.Errorf("content type %s", w.Header().Get("Content-Type"))
		}
	}
}

// Two query services may have the same date; the signature says which is meant.
func TestServicesThatShareAVersion(t *testing.T) {
	d := testDoor(func(c *Config) {
		twin := identity()
		twin.Call = func(_ context.Context, r *Request, _ any) (any, error) {
			return &sts.GetCallerIdentityOutput{Arn: aws.String("twin")}, nil
		}
		c.Services = append(c.Services, Service{Name: "twin", Protocol: AWSQuery, Names: awswire.GoNames, Version: "2011-06-15",
			Known: []string{"GetCallerIdentity"}, Operations: []Operation{twin}})
	})
	const form = "Action=GetCallerIdentity&Version=2011-06-15"
	for service, want := range map[string]string{"sts": admin.ARN, "twin": "<Arn>twin</Arn>"} {
		if w := serve(d, signed(t, formRequest(form), form, service, adminKeys, time.Now())); !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: got %s", service, w.Body)
		}
	}
}

func TestASocketsPathIsForGETOnly(t *testing.T) {
	r := httptest.NewRequest("POST", "http://cp/acs/ws", nil)
	if w := serve(testDoor(withSocket), r); w.Code != http.StatusNotFound {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

func TestAPrincipalWithoutAnAccountHasTheInstallations(t *testing.T) {
	d := testDoor(func(c *Config) {
		c.Account = "999999999999"
		c.Keys = func(ctx context.Context, id, token string) (Key, bool) {
			k, ok := testKeys(ctx, id, token)
			k.Principal.Account = ""
			return k, ok
		}
	})
	if w := serve(d, signedJSON(t, "ListClusters", "{}", adminKeys)); !strings.Contains(w.Body.String(), "arn:aws:ecs:us-east-1:999999999999:cluster/demo") {
		t.Errorf("got %s", w.Body)
	}
}
