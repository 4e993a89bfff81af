package frontdoor

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"berth/internal/policy"

	"github.com/aws/aws-sdk-go-v2/aws"
)

func devDoor() *Door {
	return testDoor(func(c *Config) {
		withSocket(c)
		c.Auth, c.DevPrincipal, c.Keys, c.Region = AuthDev, admin, nil, "eu-west-3"
		c.DevPrincipal.Account = "000000000001"
	})
}

func TestDevTakesEverybody(t *testing.T) {
	anyKeys := aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}
	abroad := jsonRequest("ListClusters", "{}")
	abroad.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20200101/ap-south-1/ecs/aws4_request, SignedHeaders=host, Signature=0")
	crooked := jsonRequest("ListClusters", "{}")
	crooked.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20200101/no region/ecs/aws4_request")
	own := formRequest("Action=GetCallerIdentity&Version=2011-06-15")
	own.Header.Set("Origin", "http://cp:3270")
	for _, c := range []struct {
		name string
		r    *http.Request
		want string
	}{
		{"any key", signedJSON(t, "ListClusters", "{}", anyKeys), `["arn:aws:ecs:us-east-1:123456789012:cluster/demo"],"nextToken":"arn:aws:iam::123456789012:user/admin"`},
		{"an old signature", signed(t, jsonRequest("ListClusters", "{}"), "{}", "ecs", anyKeys, time.Unix(0, 0)), "arn:aws:ecs:us-east-1:123456789012"},
		{"no signature", jsonRequest("ListClusters", "{}"), "arn:aws:ecs:eu-west-3:123456789012"},
		{"a region only", abroad, "arn:aws:ecs:ap-south-1:123456789012"},
		{"a region that cannot be", crooked, "arn:aws:ecs:eu-west-3:123456789012"},
		{"a form of our own page", own, "<Account>123456789012</Account>"},
		{"a socket", httptest.NewRequest("GET", "http://cp/acs/ws", nil), "arn:aws:iam::123456789012:user/admin"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if w := serve(devDoor(), c.r); w.Code != 200 || !strings.Contains(w.Body.String(), c.want) {
				t.Errorf("got %d %s", w.Code, w.Body)
			}
		})
	}
}

// A page on the web cannot use its visitor's browser to reach a development installation.
func TestDevRefusesPagesOfOtherSites(t *testing.T) {
	for name, value := range map[string]string{"Origin": "https://evil.example", "origin ": "null", "Sec-Fetch-Site": "cross-site", "sec-fetch-site ": "same-site"} {
		r := formRequest("Action=GetCallerIdentity&Version=2011-06-15")
		r.Header.Set(strings.TrimSpace(name), value)
		if w := serve(devDoor(), r); w.Code != 403 || !strings.Contains(w.Body.String(), "MissingAuthenticationToken") {
			t.Errorf("%s %s: %d %s", name, value, w.Code, w.Body)
		}
		s := httptest.NewRequest("GET", "http://cp/acs/ws", nil)
		s.Header.Set(strings.TrimSpace(name), value)
		if w := serve(devDoor(), s); w.Code != 403 {
			t.Errorf("socket, %s %s: %d %s", name, value, w.Code, w.Body)
		}
	}
}

func TestScopeErrorsAreNamedTogether(t *testing.T) {
	r := signedJSON(t, "ListClusters", "{}", adminKeys)
	at := r.Header.Get("X-Amz-Date")
	old := r.Header.Get("Authorization")
	start := strings.Index(old, "Credential=")
	end := strings.Index(old, ", SignedHeaders")
	r.Header.Set("Authorization", old[:start]+"Credential=AKIDADMIN/20200101/MOON/iam/aws5_request"+old[end:])
	w := serve(testDoor(nil), r)
	want := "Credential should be scoped to a valid region, not 'MOON'. Credential should be scoped to correct service: 'ecs'. " +
		"Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5_request'. " +
		"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20200101' != '" + at[:8] + "', from '" + at + "'. "
	if !strings.Contains(w.Body.String(), want) {
		t.Errorf("got %s", w.Body)
	}
}

// TestStalePermissionsAreLookedAtAgain: a replica that is behind does not refuse what the caller may do since its last call.
func TestStalePermissionsAreLookedAtAgain(t *testing.T) {
	fresh := false
	d := testDoor(func(c *Config) {
		c.Ready = func(context.Context, bool) error { fresh = true; return nil }
		c.Keys = func(_ context.Context, id, _ string) (Key, bool) {
			if fresh {
				return Key{Secret: "s3cr3t", Principal: admin}, true
			}
			return Key{Secret: "s3cr3t", Principal: policy.Principal{ARN: admin.ARN, Account: admin.Account}}, true
		}
	})
	if w := serve(d, signedJSON(t, "ListClusters", "{}", adminKeys)); w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := serve(d, signedJSON(t, "CreateCluster", "{}", readerKeys)); w.Code == 200 {
		t.Error("another's signature is taken")
	}
}

func TestSecretsStayOutOfText(t *testing.T) {
	k := Key{Secret: "s3cr3t", SessionToken: "t0ken", Principal: admin}
	if s := k.String() + k.LogValue().String(); strings.Contains(s, "s3cr3t") || strings.Contains(s, "t0ken") {
		t.Error(s)
	}
}

func TestParseAuth(t *testing.T) {
	for s, ok := range map[string]bool{"iam": true, "dev": true, "": false, "none": false} {
		if a, err := ParseAuth(s); (err == nil) != ok || ok && string(a) != s {
			t.Errorf("%q: %q, %v", s, a, err)
		}
	}
}
