package frontdoor

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// An operation that takes requests without a signature takes no wrong signature; an address is who does not say who he is.
func TestUnsigned(t *testing.T) {
	o := Op("AssumeRole", func(_ context.Context, r *Request, _ *sts.AssumeRoleInput) (*sts.AssumeRoleOutput, error) {
		return &sts.AssumeRoleOutput{SourceIdentity: aws.String("<" + r.Caller.ARN + "> of " + r.Scope.Account)}, nil
	})
	o.Open, o.Unsigned, o.ReadOnly = true, true, true
	d := testDoor(func(c *Config) {
		c.Services[1].Operations[1] = o
		c.Services[1].Rates = []Rate{{Name: "few", Burst: 2, PerSecond: 0.001, Operations: []string{"AssumeRole"}}}
		c.Limits.Rate = 1
	})
	const form = "Action=AssumeRole&Version=2011-06-15"
	wrong := adminKeys
	wrong.SecretAccessKey = "other"
	from := func(address string, r *http.Request) *http.Request {
		r.RemoteAddr = address
		return r
	}
	for _, c := range []struct {
		name    string
		request *http.Request
		status  int
		shows   string
	}{
		{"unsigned", from("192.0.2.1:1", formRequest(form)), 200, "&lt;&gt; of 123456789012"},
		{"signed", from("192.0.2.1:1", signedForm(t, form, adminKeys)), 200, "user/admin"},
		{"wrongly signed", from("192.0.2.1:1", signedForm(t, form, wrong)), 403, "SignatureDoesNotMatch"},
		{"signed long ago", from("192.0.2.1:1", signed(t, formRequest(form), form, "sts", adminKeys, time.Now().Add(-time.Hour))), 403, "SignatureDoesNotMatch"},
		{"another operation", formRequest("Action=GetCallerIdentity&Version=2011-06-15"), 403, "MissingAuthenticationToken"},
		{"one that is not served", formRequest("Action=GetSessionToken&Version=2011-06-15"), 403, "MissingAuthenticationToken"},
		{"unsigned again", from("192.0.2.1:2", formRequest(form)), 200, ""},
		{"too often", from("192.0.2.1:3", formRequest(form)), 400, "Throttling"},
		{"from elsewhere", from("192.0.2.2:1", formRequest(form)), 200, ""},
	} {
		if w := serve(d, c.request); w.Code != c.status || !strings.Contains(w.Body.String(), c.shows) {
			t.Errorf("%s: %d %s", c.name, w.Code, w.Body)
		}
	}
}
