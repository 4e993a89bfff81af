package frontdoor

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"berth/internal/apierr"

	"github.com/aws/aws-sdk-go-v2/aws"
)

const notAuthorized = "User: arn:aws:iam::123456789012:user/reader is not authorized to perform: "

func TestJSONAnswers(t *testing.T) {
	bad := aws.Credentials{AccessKeyID: "AKIDADMIN", SecretAccessKey: "wrong"}
	for _, c := range []struct {
		name   string
		r      *http.Request
		status int
		body   string
	}{
		{"a read", signedJSON(t, "ListClusters", "{}", readerKeys), 200,
			`{"clusterArns":["arn:aws:ecs:us-east-1:123456789012:cluster/demo"],"nextToken":"arn:aws:iam::123456789012:user/reader"}`},
		{"a session", signedJSON(t, "CreateCluster", `{"clusterName":"x"}`, sessionKeys), 200, `{}`},
		{"an empty body", signedJSON(t, "CreateCluster", "", adminKeys), 400, `{"__type":"InvalidParameterException","message":"clusterName was not sent"}`},
		{"an operation's error", signedJSON(t, "DeleteCluster", `{"cluster":"gone"}`, adminKeys), 400, `{"__type":"ClusterNotFoundException","message":"Cluster not found."}`},
		{"a fault of ours", signedJSON(t, "DeleteCluster", `{"cluster":"broken"}`, adminKeys), 500,
			`{"__type":"ServerException","message":"Service Unavailable. Please try again later."}`},
		{"too slow", signedJSON(t, "DeleteCluster", `{"cluster":"slow"}`, adminKeys), 503,
			`{"__type":"ServerException","message":"The request was not finished in time. Please try again."}`},
		{"a panic", signedJSON(t, "ListServices", `{}`, adminKeys), 500, `{"__type":"ServerException","message":"Service Unavailable. Please try again later."}`},
		{"not served", signedJSON(t, "ExecuteCommand", `{}`, adminKeys), 400,
			`{"__type":"UnsupportedOperationException","message":"Berth does not serve ExecuteCommand yet. docs/coverage.md lists what it serves."}`},
		{"not served, unsigned", jsonRequest("ExecuteCommand", `{}`), 400, `{"__type":"MissingAuthenticationTokenException","message":"Request is missing Authentication Token"}`},
		{"unknown operation", signedJSON(t, "MakeCoffee", `{}`, adminKeys), 400, `{"__type":"UnknownOperationException"}`},
		{"wrong type", signedJSON(t, "CreateCluster", `{"clusterName":5}`, adminKeys), 400,
			`{"__type":"SerializationException","message":"NUMBER_VALUE can not be converted to a String (at 'clusterName')"}`},
		{"unsigned", jsonRequest("ListClusters", `{}`), 400, `{"__type":"MissingAuthenticationTokenException","message":"Request is missing Authentication Token"}`},
		{"unknown key", signedJSON(t, "ListClusters", "{}", aws.Credentials{AccessKeyID: "AKIDX", SecretAccessKey: "x"}), 400,
			`{"__type":"UnrecognizedClientException","message":"The security token included in the request is invalid."}`},
		{"key without secret", signedJSON(t, "ListClusters", "{}", aws.Credentials{AccessKeyID: "AKIDEMPTY", SecretAccessKey: ""}), 400,
			`{"__type":"UnrecognizedClientException","message":"The security token included in the request is invalid."}`},
		{"wrong secret", signedJSON(t, "ListClusters", "{}", bad), 400, `{"__type":"InvalidSignatureException","message":"The request signature we calculated does not match ` +
			`the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."}`},
		{"token of another", signedJSON(t, "ListClusters", "{}", aws.Credentials{AccessKeyID: "ASIASESSION", SecretAccessKey: "t3mp", SessionToken: "x"}), 400,
			`{"__type":"UnrecognizedClientException","message":"The security token included in the request is invalid."}`},
		{"token expired", signedJSON(t, "ListClusters", "{}", expiredKeys), 400,
			`{"__type":"ExpiredTokenException","message":"The security token included in the request is expired"}`},
		{"token left out", signedJSON(t, "ListClusters", "{}", aws.Credentials{AccessKeyID: "ASIASESSION", SecretAccessKey: "t3mp"}), 400,
			`{"__type":"UnrecognizedClientException","message":"The security token included in the request is invalid."}`},
		{"token for a long-term key", signedJSON(t, "ListClusters", "{}", aws.Credentials{AccessKeyID: "AKIDADMIN", SecretAccessKey: "s3cr3t", SessionToken: "x"}), 400,
			`{"__type":"UnrecognizedClientException","message":"The security token included in the request is invalid."}`},
		{"another service's signature", signed(t, jsonRequest("ListClusters", "{}"), "{}", "sts", adminKeys, time.Now()), 400,
			`{"__type":"InvalidSignatureException","message":"Credential should be scoped to correct service: 'ecs'. "}`},
		{"unsigned payload", unsignedPayload(t), 400, `{"__type":"InvalidSignatureException","message":"The request signature we calculated does not match ` +
			`the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."}`},
		{"target not signed", targetNotSigned(t), 400, `{"__type":"InvalidSignatureException","message":"'X-Amz-Target' must be a 'SignedHeader' in the AWS Authorization."}`},
		{"no policy allows", signedJSON(t, "SubmitTaskStateChange", `{}`, readerKeys), 400,
			`{"__type":"AccessDeniedException","message":"` + notAuthorized + `ecs:SubmitTaskStateChange on resource: * because no identity-based policy allows the ecs:SubmitTaskStateChange action"}`},
		{"explicit deny", signedJSON(t, "CreateCluster", `{"clusterName":"x"}`, readerKeys), 400,
			`{"__type":"AccessDeniedException","message":"` + notAuthorized + `ecs:CreateCluster on resource: * with an explicit deny in an identity-based policy"}`},
		{"its own resource", signedJSON(t, "DeleteCluster", `{"cluster":"mine"}`, readerKeys), 200, `{}`},
		{"another resource", signedJSON(t, "DeleteCluster", `{"cluster":"gone"}`, readerKeys), 400, `{"__type":"AccessDeniedException","message":"` + notAuthorized +
			`ecs:DeleteCluster on resource: arn:aws:ecs:us-east-1:123456789012:cluster/gone because no identity-based policy allows the ecs:DeleteCluster action"}`},
		{"a bad query", withURL(jsonRequest("ListClusters", "{}"), "a=%zz"), 400, `{"__type":"MalformedQueryString","message":"The query string contains a syntax error"}`},
		{"too large", jsonRequest("ListClusters", strings.Repeat(" ", 1<<20+1)), 413, `{"__type":"RequestEntityTooLargeException","message":"The request body is longer than 1048576 bytes."}`},
		{"too large without a length", chunked(jsonRequest("ListClusters", strings.Repeat(" ", 1<<20+1))), 413,
			`{"__type":"RequestEntityTooLargeException","message":"The request body is longer than 1048576 bytes."}`},
		{"signed for no operation", signed(t, httptest.NewRequest("GET", "http://cp/bucket", nil), "", "s3", adminKeys, time.Now()), 404,
			`{"__type":"UnknownOperationException","message":"No operation is served at GET /bucket."}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := serve(testDoor(nil), c.r)
			if w.Code != c.status || w.Body.String() != c.body {
				t.Errorf("got  %d %s\nwant %d %s", w.Code, w.Body, c.status, c.body)
			}
			if got := w.Header().Get("Content-Type"); got != "application/x-amz-json-1.1" {
				t.Errorf("content type %s", got)
			}
			if id := w.Header().Get("x-amzn-RequestId"); len(id) != 36 {
				t.Errorf("request id %q", id)
			}
		})
	}
}

func unsignedPayload(t *testing.T) *http.Request {
	r := jsonRequest("ListClusters", "{}")
	r.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
	return signedPayload(t, r, "UNSIGNED-PAYLOAD")
}

func targetNotSigned(t *testing.T) *http.Request {
	r := jsonRequest("ListClusters", "{}")
	target := r.Header.Get("X-Amz-Target")
	r.Header.Del("X-Amz-Target")
	signed(t, r, "{}", "ecs", adminKeys, time.Now())
	r.Header.Set("X-Amz-Target", target)
	return r
}

func withURL(r *http.Request, query string) *http.Request {
	r.URL.RawQuery = query
	return r
}

func chunked(r *http.Request) *http.Request {
	r.ContentLength = -1
	return r
}

// identityAnswer is what a query service says; the fields that a case leaves empty must be empty in the answer.
type identityAnswer struct {
	XMLName xml.Name
	Arn     string `xml:"GetCallerIdentityResult>Arn"`
	ID      string `xml:"ResponseMetadata>RequestId"`
	Type    string `xml:"Error>Type"`
	Code    string `xml:"Error>Code"`
	Message string `xml:"Error>Message"`
	ErrorID string `xml:"RequestId"`
}

func TestQueryAnswers(t *testing.T) {
	const form = "Action=GetCallerIdentity&Version=2011-06-15"
	const namespace = "https://sts.amazonaws.com/doc/2011-06-15/"
	get := httptest.NewRequest("GET", "http://cp/?"+form, nil)
	other := signed(t, formRequest(form), form, "ecs", adminKeys, time.Now())
	for _, c := range []struct {
		name, space        string
		r                  *http.Request
		status             int
		arn, code, message string
		receiver           bool
	}{
		{"form", namespace, signedForm(t, form, readerKeys), 200, reader.ARN, "", "", false},
		{"GET", namespace, signed(t, get, "", "sts", adminKeys, time.Now()), 200, admin.ARN, "", "", false},
		{"presigned", namespace, presignedIdentity(t), 200, admin.ARN, "", "", false},
		{"unsigned", namespace, formRequest(form), 403, "", "MissingAuthenticationToken", "Request is missing Authentication Token", false},
		{"unknown key", namespace, signedForm(t, form, aws.Credentials{AccessKeyID: "A", SecretAccessKey: "b"}), 403, "", "InvalidClientTokenId",
			"The security token included in the request is invalid.", false},
		{"wrong secret", namespace, signedForm(t, form, aws.Credentials{AccessKeyID: "AKIDADMIN", SecretAccessKey: "b"}), 403, "", "SignatureDoesNotMatch",
			"The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. " +
				"Consult the service documentation for details.", false},
		{"another service's signature", namespace, other, 403, "", "SignatureDoesNotMatch", "Credential should be scoped to correct service: 'sts'. ", false},
		{"denied", namespace, signedForm(t, "Action=AssumeRole&Version=2011-06-15", readerKeys), 403, "", "AccessDenied",
			notAuthorized + "sts:AssumeRole on resource: * because no identity-based policy allows the sts:AssumeRole action", false},
		{"wrong type", namespace, signedForm(t, "Action=AssumeRole&Version=2011-06-15&DurationSeconds=x", adminKeys), 400, "", "MalformedInput",
			"STRING_VALUE can not be converted to an Integer (at 'DurationSeconds')", false},
		{"not served", namespace, signedForm(t, "Action=GetSessionToken&Version=2011-06-15", adminKeys), 400, "", "UnsupportedOperationException",
			"Berth does not serve GetSessionToken yet. docs/coverage.md lists what it serves.", false},
		{"a fault of ours", namespace, signedForm(t, "Action=GetAccessKeyInfo&Version=2011-06-15", adminKeys), 500, "", "InternalFailure",
			"Service Unavailable. Please try again later.", true},
		{"unknown action", namespace, formRequest("Action=MakeCoffee&Version=2011-06-15"), 400, "", "InvalidAction", "Could not find operation MakeCoffee for version 2011-06-15", false},
		{"unknown version", "", formRequest("Action=X&Version=2000-01-01"), 400, "", "InvalidAction", "Could not find operation X for version 2000-01-01", false},
		{"no version", "", formRequest("Action=X"), 400, "", "InvalidAction", "Could not find operation X for version NO_VERSION_SPECIFIED", false},
		{"no action", "", formRequest("Version=2011-06-15"), 400, "", "MissingAction", "The request is missing an action or a required parameter.", false},
		{"bad form", "", formRequest("Action=%zz"), 400, "", "MalformedQueryString", "The query string contains a syntax error", false},
		{"too large", "", formRequest(strings.Repeat("a", 1<<20+1)), 413, "", "RequestEntityTooLarge", "The request body is longer than 1048576 bytes.", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := serve(testDoor(nil), c.r)
			var a identityAnswer
			if err := xml.Unmarshal(w.Body.Bytes(), &a); err != nil {
				t.Fatalf("%v in %s", err, w.Body)
			}
			if w.Code != c.status || a.Arn != c.arn || a.Code != c.code || a.Message != c.message || a.XMLName.Space != c.space {
				t.Errorf("got %d %+v", w.Code, a)
			}
			if fault := map[bool]string{false: "Sender", true: "Receiver"}[c.receiver]; c.code != "" && a.Type != fault {
				t.Errorf("fault of the %s, want %s", a.Type, fault)
			}
			if id := w.Header().Get("x-amzn-RequestId"); len(id) != 36 || a.ID+a.ErrorID != id {
				t.Errorf("request id %q in the header, %q in the body", id, a.ID+a.ErrorID)
			}
			if got := w.Header().Get("Content-Type"); got != "text/xml" {
				t.Errorf("content type %s", got)
			}
		})
	}
}

func TestOtherRequests(t *testing.T) {
	d := testDoor(func(c *Config) {
		c.Other = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			io.WriteString(w, "other "+r.URL.Path+" "+string(b))
		})
	})
	basic := httptest.NewRequest("POST", "http://cp/v2/x", strings.NewReader("layer"))
	basic.Header.Set("Authorization", "Basic YTpi")
	elsewhere := formRequest("Action=X")
	elsewhere.URL.Path = "/login"
	for _, r := range []*http.Request{
		httptest.NewRequest("GET", "http://cp/healthz", nil), httptest.NewRequest("GET", "http://cp/", nil),
		httptest.NewRequest("GET", "http://cp/console?Action=x", nil), httptest.NewRequest("GET", "http://cp/?Reaction=x", nil), basic, elsewhere,
	} {
		if w := serve(d, r); !strings.HasPrefix(w.Body.String(), "other "+r.URL.Path) {
			t.Errorf("%s %s: %s", r.Method, r.URL, w.Body)
		}
	}
	if w := serve(testDoor(nil), httptest.NewRequest("GET", "http://cp/healthz", nil)); w.Code != 404 {
		t.Errorf("without Other: %d", w.Code)
	}
}

// What the leader gets is what the client sent: it verifies the signature again.
func TestForward(t *testing.T) {
	leader := testDoor(nil)
	asked := 0
	follower := testDoor(func(c *Config) {
		c.Forward = func(r *http.Request) http.Handler { asked++; return leader }
		c.Keys = func(ctx context.Context, id, token string) (Key, bool) {
			if id == "ASIASESSION" { // made a moment ago, not heard of yet
				return Key{}, false
			}
			return testKeys(ctx, id, token)
		}
		c.Ready = func(context.Context, bool) error { return apierr.Unavailable("there is no leader") }
	})
	for _, c := range []struct {
		name   string
		r      *http.Request
		status int
		body   string
		asked  int
	}{
		{"a write", signedJSON(t, "CreateCluster", `{"clusterName":"x"}`, adminKeys), 200, "{}", 1},
		{"a write with a new key", signedJSON(t, "CreateCluster", `{"clusterName":"x"}`, sessionKeys), 200, "{}", 1},
		{"a write that the leader denies", signedJSON(t, "CreateCluster", `{"clusterName":"x"}`, readerKeys), 400, "explicit deny", 1},
		{"a write with a wrong secret", signedJSON(t, "CreateCluster", `{}`, aws.Credentials{AccessKeyID: "AKIDADMIN", SecretAccessKey: "x"}), 400, "InvalidSignature", 1},
		{"a read", signedJSON(t, "ListClusters", `{}`, adminKeys), 503, "there is no leader", 0},
		{"a read with a new key", signedJSON(t, "ListClusters", `{}`, sessionKeys), 503, "there is no leader", 0},
		{"not served", signedJSON(t, "ExecuteCommand", `{}`, adminKeys), 400, "UnsupportedOperation", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			asked = 0
			w := serve(follower, c.r)
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.body) || asked != c.asked {
				t.Errorf("got %d %s, asked %d times", w.Code, w.Body, asked)
			}
		})
	}
}

// TestForwardAfterAll: what a replica has not begun when its leadership ends is done by the next leader, with the same bytes, and holds no seat
// here meanwhile.
func TestForwardAfterAll(t *testing.T) {
	leader := testDoor(nil)
	for _, c := range []struct {
		name   string
		r      *http.Request
		next   http.Handler
		status int
		body   string
		asked  int
	}{
		{"another one leads", signedJSON(t, "CreateCluster", `{"clusterName":"x"}`, adminKeys), leader, 200, "{}", 2},
		{"this one leads again", signedJSON(t, "CreateCluster", `{"clusterName":"x"}`, adminKeys), nil, 503, "there is no leader", 2},
		{"a read", signedJSON(t, "ListClusters", `{}`, adminKeys), leader, 503, "there is no leader", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			asked := 0
			var d *Door
			d = testDoor(func(f *Config) {
				f.Forward = func(*http.Request) http.Handler {
					if asked++; asked == 1 || c.next == nil {
						return nil
					}
					return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						for _, class := range d.Load().Classes {
							if class.Taken != 0 {
								t.Errorf("it holds a seat: %+v", class)
							}
						}
						c.next.ServeHTTP(w, r)
					})
				}
				f.Ready = func(context.Context, bool) error {
					return apierr.Unavailable("there is no leader").Because(ErrElsewhere)
				}
			})
			if w := serve(d, c.r); w.Code != c.status || !strings.Contains(w.Body.String(), c.body) || asked != c.asked {
				t.Errorf("got %d %s, asked %d times", w.Code, w.Body, asked)
			}
		})
	}
}

func TestReadyIsAskedBeforeACall(t *testing.T) {
	var got []bool
	d := testDoor(func(c *Config) {
		c.Ready = func(_ context.Context, readOnly bool) error {
			if got = append(got, readOnly); !readOnly {
				return apierr.Unavailable("the disk is full")
			}
			return nil
		}
	})
	for _, c := range []struct {
		r    *http.Request
		want string
	}{
		{signedJSON(t, "ListClusters", "{}", adminKeys), "clusterArns"},
		{signedJSON(t, "CreateCluster", `{"clusterName":"x"}`, adminKeys), "the disk is full"},
		{signedJSON(t, "CreateCluster", `{"clusterName":5}`, adminKeys), "SerializationException"},
	} {
		if w := serve(d, c.r); !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("got %s, want %s", w.Body, c.want)
		}
	}
	if len(got) != 2 || !got[0] || got[1] {
		t.Errorf("asked %v", got)
	}
}

// A key that comes with the state that Ready waits for is known.
func TestAKeyThatArrivesLate(t *testing.T) {
	late := false
	d := testDoor(func(c *Config) {
		c.Keys = func(ctx context.Context, id, token string) (Key, bool) {
			k, ok := testKeys(ctx, id, token)
			return k, ok && late
		}
		c.Ready = func(context.Context, bool) error { late = true; return nil }
	})
	if w := serve(d, signedJSON(t, "ListClusters", "{}", adminKeys)); w.Code != 200 {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

type brokenBody struct{}

func (brokenBody) Read([]byte) (int, error) { return 0, errors.New("connection reset") }
func (brokenBody) Close() error             { return nil }

func TestABodyThatBreaksOff(t *testing.T) {
	r := signedJSON(t, "ListClusters", "{}", adminKeys)
	r.Body = brokenBody{}
	if w := serve(testDoor(nil), r); w.Code != 400 || !strings.Contains(w.Body.String(), "IncompleteBody") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	r = signedJSON(t, "ListClusters", "{}", adminKeys)
	r.Body = io.NopCloser(bytes.NewReader([]byte("{} "))) // one byte more than was signed
	r.ContentLength = 3
	if w := serve(testDoor(nil), r); !strings.Contains(w.Body.String(), "InvalidSignature") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

func TestATableThatContradictsItselfPanics(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"target taken":      func(c *Config) { c.Services = append(c.Services, c.Services[0]) },
		"version taken":     func(c *Config) { c.Services = append(c.Services, c.Services[1]) },
		"no protocol":       func(c *Config) { c.Services[0].Protocol = 0 },
		"unknown operation": func(c *Config) { c.Services[0].Known = nil },
		"operation twice":   func(c *Config) { s := &c.Services[0]; s.Operations = append(s.Operations, s.Operations[0]) },
		"socket twice":      func(c *Config) { c.Sockets = []Socket{{Path: "/a"}, {Path: "/a"}} },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("was taken")
				}
			}()
			testDoor(change)
		})
	}
}
