package frontdoor

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const goodAuthorization = "AWS4-HMAC-SHA256 Credential=AKID/20261124/us-east-1/ecs/aws4_request, SignedHeaders=host;x-amz-date, Signature=abc"

func claimOf(t *testing.T, r *http.Request) (*claim, *refusal) {
	t.Helper()
	query, err := readQuery(r.URL.RawQuery)
	if err != nil {
		t.Fatal(err)
	}
	return readClaim(r, query)
}

func TestReadAuthorization(t *testing.T) {
	for _, authorization := range []string{
		goodAuthorization,
		"AWS4-HMAC-SHA256 Credential=AKID/20261124/us-east-1/ecs/aws4_request,SignedHeaders=host;x-amz-date,Signature=abc",
		"AWS4-HMAC-SHA256  Signature=abc  SignedHeaders=host;x-amz-date  Credential=AKID/20261124/us-east-1/ecs/aws4_request",
	} {
		r := httptest.NewRequest("POST", "/", nil)
		r.Header.Set("Authorization", authorization)
		r.Header.Set("X-Amz-Date", "20261124T101500Z")
		r.Header.Set("X-Amz-Security-Token", "tok")
		c, f := claimOf(t, r)
		if f != nil {
			t.Fatalf("%s: %s", authorization, f.text)
		}
		got := []string{c.accessKeyID, c.date, c.region, c.service, c.terminator, strings.Join(c.headers, ";"), c.signature, c.stamp, c.token}
		want := []string{"AKID", "20261124", "us-east-1", "ecs", "aws4_request", "host;x-amz-date", "abc", "20261124T101500Z", "tok"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", authorization, diff)
		}
	}
}

func TestAuthorizationThatCannotBeRead(t *testing.T) {
	cut := func(old string) string { return strings.Replace(goodAuthorization, old, "", 1) }
	for _, c := range []struct{ name, authorization, date, want string }{
		{"nothing but the algorithm", "AWS4-HMAC-SHA256", "", "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. " +
			"Authorization header requires 'SignedHeaders' parameter. Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. Authorization=AWS4-HMAC-SHA256"},
		{"signature version 2", "AWS AKID:abc=", "20261124T101500Z", "Authorization header requires 'Credential' parameter. " +
			"Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. Authorization=AWS"},
		{"no signature", cut(", Signature=abc"), "20261124T101500Z", "Authorization header requires 'Signature' parameter. Authorization=AWS4-HMAC-SHA256"},
		{"no date", goodAuthorization, "", "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. Authorization=AWS4-HMAC-SHA256"},
		{"bad date", goodAuthorization, "2026-11-24", "Date must be in ISO-8601 'basic format'. See http://en.wikipedia.org/wiki/ISO_8601"},
		{"a space in the key", strings.Replace(goodAuthorization, "AKID", "AK ID", 1), "20261124T101500Z",
			"Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded with Base64): 'HxWBOjCbZ677WdybGa+R8VBSlVVW3nvimMCMUrysvw8='."},
		{"four parts", cut("/us-east-1"), "20261124T101500Z",
			"Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'AKID/20261124/ecs/aws4_request'"},
		{"other algorithm", strings.Replace(goodAuthorization, "HMAC", "ECDSA-P256", 1), "20261124T101500Z",
			"Unsupported AWS 'algorithm': 'AWS4-ECDSA-P256-SHA256' (only AWS4-HMAC-SHA256 for now). "},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest("POST", "/", nil)
			r.Header.Set("Authorization", c.authorization)
			if c.date != "" {
				r.Header.Set("X-Amz-Date", c.date)
			}
			_, f := claimOf(t, r)
			if f == nil || f.fault != faultIncomplete {
				t.Fatalf("got %+v", f)
			}
			if diff := cmp.Diff(c.want, f.text); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestNoOrTwoSignatures(t *testing.T) {
	r := httptest.NewRequest("POST", "/?a=b", nil)
	if _, f := claimOf(t, r); f == nil || f.fault != faultMissing {
		t.Errorf("none: got %+v", f)
	}
	r.Header["Authorization"] = []string{goodAuthorization, goodAuthorization}
	if _, f := claimOf(t, r); f == nil || f.fault != faultIncomplete {
		t.Errorf("two: got %+v", f)
	}
}

func TestReadPresigned(t *testing.T) {
	good := url.Values{"X-Amz-Algorithm": {algorithm}, "X-Amz-Credential": {"AKID/20261124/us-east-1/ecs/aws4_request"}, "X-Amz-Signature": {"abc"},
		"X-Amz-SignedHeaders": {"host"}, "X-Amz-Date": {"20261124T101500Z"}, "X-Amz-Expires": {"60"}}
	for _, c := range []struct{ name, set, to, want string }{
		{"good", "a", "b", ""},
		{"no expiry", "X-Amz-Expires", "", ""},
		{"no signature", "X-Amz-Signature", "", "AWS query-string parameters must include 'X-Amz-Signature'. Re-examine the query-string parameters."},
		{"date with dashes", "X-Amz-Date", "2026-11-24", "Date must be in ISO-8601 'basic format'. See http://en.wikipedia.org/wiki/ISO_8601"},
		{"expiry no number", "X-Amz-Expires", "soon", "X-Amz-Expires should be a number"},
		{"expiry zero", "X-Amz-Expires", "0", "X-Amz-Expires must be positive"},
		{"expiry a week", "X-Amz-Expires", "604800", ""},
		{"expiry too long", "X-Amz-Expires", "604801",
			"X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds"},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := url.Values{}
			for k, v := range good {
				q[k] = v
			}
			q.Set(c.set, c.to)
			if c.to == "" {
				q.Del(c.set)
			}
			got := ""
			if _, f := claimOf(t, httptest.NewRequest("GET", "/?"+q.Encode(), nil)); f != nil {
				got = f.text
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	twice := good.Encode() + "&X-Amz-Date=20261124T101501Z"
	if _, f := claimOf(t, httptest.NewRequest("GET", "/?"+twice, nil)); f == nil || !strings.Contains(f.text, "must be given once") {
		t.Errorf("two dates: got %+v", f)
	}
}

// Whatever stands in the header, reading it ends in a claim that is whole or in a refusal.
func FuzzReadAuthorization(f *testing.F) {
	f.Add(goodAuthorization, "20261124T101500Z")
	f.Add("AWS4-HMAC-SHA256 Credential=////, SignedHeaders=;;, Signature==", "Tue, 24 Nov 2026 10:15:00 GMT")
	f.Fuzz(func(t *testing.T, authorization, date string) {
		c, refused := readAuthorization(http.Header{"X-Amz-Date": {date}}, authorization)
		wholeOrRefused(t, c, refused)
	})
}

func FuzzReadPresigned(f *testing.F) {
	f.Add("X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=A/20261124/r/s/aws4_request&X-Amz-Signature=a&X-Amz-SignedHeaders=host&X-Amz-Date=20261124T101500Z")
	f.Add("X-Amz-Signature=a&X-Amz-Expires=-1")
	f.Fuzz(func(t *testing.T, raw string) {
		query, err := readQuery(raw)
		if err != nil {
			return
		}
		c, refused := readPresigned(query)
		wholeOrRefused(t, c, refused)
	})
}

func wholeOrRefused(t *testing.T, c *claim, refused *refusal) {
	if refused != nil {
		if refused.text == "" {
			t.Fatal("refused without a word")
		}
		return
	}
	if len(c.stamp) != len(stampLayout) || c.signature == "" || len(c.headers) == 0 || c.at.IsZero() {
		t.Fatalf("took half a claim: %+v", c)
	}
	c.checkScope("ecs") // must not panic
	c.checkTime(c.at, 1)
}
