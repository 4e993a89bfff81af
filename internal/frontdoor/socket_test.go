package frontdoor

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"berth/internal/apierr"

	"github.com/aws/aws-sdk-go-v2/aws"
)

func withSocket(c *Config) {
	c.Sockets = []Socket{{
		Path: "/acs/ws", Service: "ecs", Action: "ecs:Poll",
		Resource: func(r *http.Request) string { return r.URL.Query().Get("containerInstanceArn") },
		Serve: func(w http.ResponseWriter, r *http.Request, caller *Request) {
			if r.URL.Query().Has("panic") {
				panic("a bug")
			}
			io.WriteString(w, caller.AccessKeyID+" "+caller.Caller.ARN+" "+caller.Scope.Region+" "+caller.Host)
		},
	}}
}

func handshake(t *testing.T, query string, keys aws.Credentials) *http.Request {
	t.Helper()
	r := httptest.NewRequest("GET", "http://cp:9500/acs/ws?"+query, nil)
	return signed(t, r, "", "ecs", keys, time.Now())
}

func TestSocket(t *testing.T) {
	const denied = `{"AccessDeniedException":"User: arn:aws:iam::123456789012:user/reader is not authorized to perform: ecs:Poll on resource: `
	only := func(c *Config) {
		withSocket(c)
		c.Keys = func(ctx context.Context, id, token string) (Key, bool) {
			k, ok := testKeys(ctx, id, token)
			if id == "AKIDREADER" {
				k.Principal.Grants = one("ecs:Poll", "arn:mine")
			}
			return k, ok
		}
		c.Sockets[0].May = func(r *Request, resource string) *apierr.Error {
			if resource == "arn:registered-by-another" {
				return apierr.NotRegistrar(r.Caller.ARN, "ecs:Poll", resource)
			}
			return nil
		}
	}
	unsigned := httptest.NewRequest("GET", "http://cp:9500/acs/ws", nil)
	for _, c := range []struct {
		name   string
		r      *http.Request
		status int
		body   string
	}{
		{"signed", handshake(t, "containerInstanceArn=arn%3Amine", adminKeys), 200, "AKIDADMIN arn:aws:iam::123456789012:user/admin us-east-1 cp:9500"},
		{"a session", handshake(t, "", sessionKeys), 200, "ASIASESSION"},
		{"its own", handshake(t, "containerInstanceArn=arn%3Amine", readerKeys), 200, "AKIDREADER"},
		{"another's", handshake(t, "containerInstanceArn=arn%3Aother", readerKeys), 403, denied + "arn:other because"},
		{"registered by another", handshake(t, "containerInstanceArn=arn%3Aregistered-by-another", adminKeys), 403,
			`{"AccessDeniedException":"User: arn:aws:iam::123456789012:user/admin is not authorized to perform: ecs:Poll on resource: arn:registered-by-another because another principal`},
		{"nobody's", handshake(t, "", readerKeys), 403, denied + "* because"},
		{"unsigned", unsigned, 403, `{"AccessDeniedException":"Request is missing Authentication Token"}`},
		{"unknown key", handshake(t, "", aws.Credentials{AccessKeyID: "A", SecretAccessKey: "b"}), 403, `{"AccessDeniedException":"The security token`},
		{"changed query", withURL(handshake(t, "containerInstanceArn=arn%3Aother", adminKeys), "containerInstanceArn=arn%3Amine"), 403,
			`{"AccessDeniedException":"The request signature`},
		{"bad query", withURL(handshake(t, "", adminKeys), "a=%zz"), 400, `{"BadRequestException":"The query string`},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := serve(testDoor(only), c.r)
			if w.Code != c.status || !strings.HasPrefix(w.Body.String(), c.body) {
				t.Errorf("got %d %s", w.Code, w.Body)
			}
		})
	}
}

func TestSocketIsForwarded(t *testing.T) {
	leader := testDoor(withSocket)
	follower := testDoor(func(c *Config) {
		withSocket(c)
		c.Sockets[0].Serve = func(http.ResponseWriter, *http.Request, *Request) { t.Error("served by a follower") }
		c.Forward = func(*http.Request) http.Handler { return leader }
	})
	if w := serve(follower, handshake(t, "a=b", adminKeys)); !strings.HasPrefix(w.Body.String(), "AKIDADMIN") {
		t.Errorf("got %s", w.Body)
	}
}

// TestReadOnlySocket: a replica that does not lead serves it itself.
func TestReadOnlySocket(t *testing.T) {
	follower := testDoor(func(c *Config) {
		withSocket(c)
		c.Sockets[0].ReadOnly = true
		c.Forward = func(*http.Request) http.Handler {
			return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("forwarded") })
		}
	})
	if w := serve(follower, handshake(t, "a=b", adminKeys)); !strings.HasPrefix(w.Body.String(), "AKIDADMIN") {
		t.Errorf("got %s", w.Body)
	}
}

func TestSocketWithoutAnAnswerFromTheStore(t *testing.T) {
	d := testDoor(func(c *Config) {
		withSocket(c)
		c.Ready = func(context.Context, bool) error { return apierr.Unavailable("there is no leader") }
	})
	w := serve(d, handshake(t, "", aws.Credentials{AccessKeyID: "A", SecretAccessKey: "b"}))
	if w.Code != 503 || w.Body.String() != `{"ServerException":"there is no leader"}` {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

func TestASocketThatPanicsIsCutOff(t *testing.T) {
	defer func() {
		if v := recover(); v != http.ErrAbortHandler {
			t.Errorf("recovered %v", v)
		}
	}()
	serve(testDoor(withSocket), handshake(t, "panic=1", adminKeys))
}
