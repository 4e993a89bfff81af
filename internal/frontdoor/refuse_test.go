package frontdoor

import (
	"net/http/httptest"
	"strings"
	"testing"

	"berth/internal/apierr"
)

func TestRefuseInTheFormOfTheService(t *testing.T) {
	d := New(Config{Sockets: []Socket{{Path: "/acs/ws"}}})
	for _, x := range []struct{ path, target, kind, want string }{
		{"/", "AmazonEC2ContainerServiceV20141113.RunTask", "application/x-amz-json-1.1", `{"__type":"ServerException","message":"no leader"}`},
		{"/", "", "application/x-www-form-urlencoded", "<Code>ServiceUnavailable</Code>"},
		{"/acs/ws", "", "", `{"ServerException":"no leader"}`},
	} {
		r := httptest.NewRequest("POST", x.path, nil)
		r.Header.Set("Content-Type", x.kind)
		if x.target != "" {
			r.Header.Set("X-Amz-Target", x.target)
		}
		w := httptest.NewRecorder()
		d.Refuse(w, r, apierr.Unavailable("no leader"))
		if w.Code != 503 || !strings.Contains(w.Body.String(), x.want) {
			t.Errorf("%s %s: %d %s", x.path, x.kind, w.Code, w.Body)
		}
	}
}
