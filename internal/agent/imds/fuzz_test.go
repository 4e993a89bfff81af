package imds

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// FuzzHandler: whatever is asked, it is answered with a status of HTTP's or not at all, and the role's secret goes only to who shows a token of the instance.
func FuzzHandler(f *testing.F) {
	for _, path := range []string{"/latest/meta-data/iam/security-credentials/ecsInstanceRole", "/latest/api/token", "/", "//latest", "/latest/../latest", "/latest/meta-data/%2e", "/x"} {
		f.Add("GET", path, "172.17.0.2:1", tokenHeader, "x", "")
		f.Add("PUT", path, "[::1]:1", lifetimeHeader, "99999999999999999999", "vpc-1")
		f.Add("GET", path, "127.0.0.1:1", callerHeader, "172.17.0.2", "")
	}
	f.Fuzz(func(t *testing.T, method, path, from, header, value, vpc string) {
		s := newService(newMachine())
		r := httptest.NewRequest("GET", "http://169.254.169.254/", nil)
		parsed, err := r.URL.Parse(path)
		if err != nil || !strings.HasPrefix(path, "/") {
			return
		}
		r.Method, r.URL, r.RemoteAddr = method, parsed, from
		r.Header.Set(header, value)
		w := httptest.NewRecorder()
		func() {
			defer func() {
				if v := recover(); v != nil && v != http.ErrAbortHandler { //nolint:errorlint // it is that very value: a closed connection
					panic(v)
				}
			}()
			s.Handler(vpc).ServeHTTP(w, r)
		}()
		if w.Code < 200 || w.Code > 599 {
			t.Errorf("status %d", w.Code)
		}
		if strings.Contains(w.Body.String(), secret) {
			t.Errorf("without a token: %s", w.Body)
		}
	})
}
