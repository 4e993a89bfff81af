package berth

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// TestCall: a call is signed for Berth, its answer is read, and who is refused is told so in the control plane's words.
func TestCall(t *testing.T) {
	status, text := http.StatusOK, `{"name":"web"}`
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || string(body) != `{"of":"me"}` || r.Header.Get("X-Amz-Target") != Target+".Explain" || !strings.Contains(r.Header.Get("Authorization"), "Credential=AKIA1/") ||
			!strings.Contains(r.Header.Get("Authorization"), "/eu-west-1/berth/aws4_request") {
			t.Errorf("%s %v, %v", body, r.Header, err)
		}
		w.WriteHeader(status)
		io.WriteString(w, text) //nolint:errcheck // the caller misses it
	}))
	defer s.Close()
	c := Client{Endpoint: s.URL, Region: "eu-west-1"}
	call := func(out any) error {
		return c.Call(t.Context(), aws.Credentials{AccessKeyID: "AKIA1", SecretAccessKey: "s3cr3t"}, "Explain", map[string]string{"of": "me"}, out)
	}
	var out struct{ Name string }
	if err := call(&out); err != nil || out.Name != "web" {
		t.Errorf("%+v, %v", out, err)
	}
	if err := call(nil); err != nil {
		t.Errorf("whose answer nobody wants: %v", err)
	}
	for _, one := range []struct {
		status     int
		text, want string
		code       string // "-" where it is no refusal
	}{
		{400, `{"__type":"AccessDeniedException","message":"no"}`, "Explain: AccessDeniedException: no", "AccessDeniedException"},
		{502, "<html>\n", "Explain: 502 Bad Gateway: <html>", ""},
		{200, "<html>", "Explain: the answer: invalid character '<' looking for beginning of value", "-"},
		{200, `{"name":"` + strings.Repeat("x", mostAnswer) + `"}`, "Explain: the answer: unexpected EOF", "-"},
	} {
		status, text = one.status, one.text
		err := call(&out)
		var refused *Refused
		if err == nil || err.Error() != one.want || errors.As(err, &refused) != (one.code != "-") || refused != nil && refused.Code != one.code {
			t.Errorf("%d: %v", one.status, err)
		}
	}
	s.Close()
	if err := call(&out); err == nil || errors.As(err, new(*Refused)) {
		t.Errorf("nobody: %v", err)
	}
}
