package endpoint

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestCredentials: who knows the id gets the credentials; of a task with a network interface, only from its address.
func TestCredentials(t *testing.T) {
	const given = `{"RoleArn":"arn:aws:iam::123456789012:role/r","AccessKeyId":"ASIA1","SecretAccessKey":"s3cr3t","Token":"t0ken","Expiration":"2031-01-01T00:00:00Z"}`
	const invalid = `{"code":"InvalidIdInRequest","message":"CredentialsV2Request: ID not found","HTTPErrorCode":400}`
	const missing = `{"code":"NoIdInRequest","message":"CredentialsV2Request: No ID in the request","HTTPErrorCode":400}`
	for _, c := range []struct {
		path, vpc, from string
		status          int
		want            string
	}{
		{"/v2/credentials/bridge", "", "172.17.0.2:1234", 200, given},
		{"/v1/credentials?id=bridge", "", "172.17.0.2:1234", 200, given},
		{"/v2/credentials/bridge", "vpc-1", "10.0.0.4:1234", 400, invalid},
		{"/v2/credentials/awsvpc", "vpc-1", "10.0.0.4:1234", 200, given},
		{"/v2/credentials/awsvpc", "vpc-1", "10.0.0.5:1234", 400, invalid}, // another task
		{"/v2/credentials/awsvpc", "vpc-2", "10.0.0.4:1234", 400, invalid}, // the same address in another VPC
		{"/v2/credentials/awsvpc", "", "10.0.0.4:1234", 400, invalid},
		{"/v2/credentials/early", "", "172.17.0.2:1234", 503,
			`{"code":"CredentialsUninitialized","message":"CredentialsV2Request: Credentials uninitialized for ID","HTTPErrorCode":503}`},
		{"/v2/credentials/none", "", "172.17.0.2:1234", 400, invalid},
		{"/v2/credentials/", "", "172.17.0.2:1234", 400, missing},
		{"/v2/credentials", "", "172.17.0.2:1234", 400, missing},
		{"/v1/credentials", "", "172.17.0.2:1234", 400, missing},
		{"/v1/credentials?id=", "", "172.17.0.2:1234", 400, missing},
	} {
		r := httptest.NewRequest(http.MethodGet, c.path, nil)
		r.RemoteAddr = c.from
		if c.vpc != "" {
			r = InVPC(r, c.vpc)
		}
		w := httptest.NewRecorder()
		Handler(&plane{}, nil).ServeHTTP(w, r)
		if got := strings.TrimSpace(w.Body.String()); w.Code != c.status || got != c.want {
			t.Errorf("%s from %s %s: %d %s, want %d %s", c.path, c.vpc, c.from, w.Code, got, c.status, c.want)
		}
		if w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s may be kept by a proxy", c.path)
		}
	}
}

func BenchmarkCredentials(b *testing.B) {
	h := Handler(&plane{}, nil)
	for i := 0; b.Loop(); i++ {
		r := httptest.NewRequest(http.MethodGet, "/v2/credentials/bridge", nil)
		r.RemoteAddr = string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676%26)) // the limit is another matter
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
}
