package awsregistry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"berth/internal/access"
	"berth/internal/acsproto"
	"berth/internal/agent"
	"berth/internal/api/secretsmanager"
	"berth/internal/frontdoor"
	"berth/internal/sdkhttp"
	"berth/internal/seal"
	"berth/internal/state/statetest"
)

const region = "us-east-1"

func byECR(registry string) acsproto.RegistryAuthentication {
	return acsproto.RegistryAuthentication{Type: acsproto.AuthECR, ECR: &acsproto.ECRAuthData{RegistryID: registry, Region: region}}
}

func bySecret(from string) acsproto.RegistryAuthentication {
	return acsproto.RegistryAuthentication{Type: acsproto.AuthSecretsManager, ASM: &acsproto.SecretAuthData{CredentialsParameter: from, Region: region}}
}

// transport answers in the control plane's place.
type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

func answer(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}}, Body: io.NopCloser(strings.NewReader(body))}
}

// open logs in where answers come from; the holder of a task's key is called as the task.
func open(answers transport) *Logins {
	return New(Config{Endpoint: func() string { return "http://berth" }, HTTPClient: &http.Client{Transport: answers},
		Key: func(_ context.Context, task string) (agent.Key, error) {
			if task == "none" {
				return agent.Key{}, agent.ErrNoCredentials
			}
			return agent.Key{AccessKeyID: "AKIA", SecretAccessKey: "s", Holder: task}, nil
		}})
}

// Tokens are kept for each holder and registry, and another one is got half an hour before the end, or when one was not taken.
func TestTokensAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		l := open(func(*http.Request) (*http.Response, error) {
			calls++
			text := fmt.Appendf(nil, `{"authorizationData":[{"authorizationToken":"QVdTOnBhc3M=","expiresAt":%d,"proxyEndpoint":"http://berth"}]}`, time.Now().Add(12*time.Hour).Unix())
			return answer(http.StatusOK, string(text)), nil
		})
		step := func(task, registry string, want int) agent.Login {
			t.Helper()
			got, err := l.Login(t.Context(), task, byECR(registry))
			if err != nil || got != (agent.Login{User: "AWS", Password: "pass"}) || calls != want {
				t.Errorf("%+v, %v, %d calls, want %d", got, err, calls, want)
			}
			return got
		}
		step("a", "1", 1)
		step("a", "1", 1)
		step("b", "1", 2)
		step("a", "2", 3)
		time.Sleep(12*time.Hour - early - time.Second)
		step("a", "1", 3)
		time.Sleep(2 * time.Second)
		kept := step("a", "1", 4)
		step("a", "1", 4)
		l.Forget(agent.Login{User: "AWS", Password: "other"})
		step("a", "1", 4)
		l.Forget(kept)
		step("a", "1", 5)
	})
}

// A refusal is told; what may be otherwise a moment later is another try's.
func TestAnswers(t *testing.T) {
	const denied = `{"__type":"AccessDeniedException","message":"User: r is not authorized to perform: ecr:GetAuthorizationToken on resource: *"}`
	for _, c := range []struct {
		name   string
		status int
		body   string
		reason string // "" for another try
	}{
		{"denied", http.StatusBadRequest, denied, "AccessDeniedException: User: r is not authorized to perform: ecr:GetAuthorizationToken on resource: *"},
		{"busy", http.StatusServiceUnavailable, `{"__type":"ServiceUnavailableException"}`, ""},
		{"somebody else", http.StatusForbidden, "<html>", ""},
		{"throttled", http.StatusBadRequest, `{"__type":"ThrottlingException","message":"Rate exceeded"}`, ""},
		{"late key", http.StatusBadRequest, `{"__type":"ExpiredTokenException","message":"expired"}`, ""},
		{"nothing", http.StatusOK, `{"authorizationData":[]}`, "missing AuthorizationData in ECR response"},
		{"no token", http.StatusOK, `{"authorizationData":[{"authorizationToken":"!!"}]}`, "the authorization token is no name and password"},
	} {
		l := open(func(*http.Request) (*http.Response, error) { return answer(c.status, c.body), nil })
		got, err := l.Login(t.Context(), "a", byECR("1"))
		var fault *agent.RegistryFault
		if errors.As(err, &fault) != (c.reason != "") || errors.Is(err, agent.ErrUnavailable) != (c.reason == "") || got != (agent.Login{}) {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
		if fault != nil && fault.Reason != c.reason {
			t.Errorf("%s: %s", c.name, fault.Reason)
		}
	}
	l := open(func(*http.Request) (*http.Response, error) { return nil, errors.New("refused") })
	for _, task := range []string{"a", "none"} {
		for _, with := range []acsproto.RegistryAuthentication{byECR("1"), bySecret("s")} {
			if _, err := l.Login(t.Context(), task, with); !errors.Is(err, agent.ErrUnavailable) {
				t.Errorf("task %s: %v", task, err)
			}
		}
	}
}

// Names and passwords are in secrets, called by their ARN or name; what is none is told in AWS's words.
func TestSecrets(t *testing.T) {
	key, err := seal.ParseKey(bytes.Repeat([]byte("k"), seal.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	door := frontdoor.New(frontdoor.Config{Auth: frontdoor.AuthDev, DevPrincipal: access.Admin("000000000000"),
		Services: []frontdoor.Service{secretsmanager.New(secretsmanager.Config{State: statetest.Open(t), Seal: key}).Service()}})
	server := httptest.NewServer(door)
	t.Cleanup(server.Close)
	l := New(Config{Endpoint: func() string { return server.URL }, Key: func(context.Context, string) (agent.Key, error) {
		return agent.Key{AccessKeyID: "AKIA", SecretAccessKey: "s"}, nil
	}})
	client := sm.New(sm.Options{Region: region, BaseEndpoint: &server.URL, HTTPClient: sdkhttp.New(), Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "AKIA", SecretAccessKey: "s"}, nil
	})})
	for n, c := range []struct{ value, want string }{
		{`{"username":"me","password":"hush","more":1}`, "me hush"},
		{`{"username":"me"}`, "asm fetching password: AuthorizationData is malformed, empty field"},
		{`{"password":"hush"}`, "asm fetching username: AuthorizationData is malformed, empty field"},
		{`me:hush`, "asm fetching authorization data: unable to unmarshal secret value, invalid schema"},
		{`{"username":1}`, "asm fetching authorization data: unable to unmarshal secret value, invalid schema"},
		{"", "asm fetching authorization data: empty secrets value"},
	} {
		in := &sm.CreateSecretInput{Name: aws.String(fmt.Sprint("login-", n)), SecretString: &c.value}
		if c.value == "" {
			in.SecretString, in.SecretBinary = nil, []byte{1}
		}
		made, err := client.CreateSecret(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		for _, from := range []string{*made.ARN, *made.Name} {
			got, err := l.Login(t.Context(), "a", bySecret(from))
			text := got.User + " " + got.Password
			var fault *agent.RegistryFault
			if errors.As(err, &fault) {
				text = fault.Reason
			}
			if text != c.want || fault != nil && (!fault.Read || fault.Secret != from) {
				t.Errorf("%s of %s: %q, %v", c.value, from, text, err)
			}
		}
	}
	_, err = l.Login(t.Context(), "a", bySecret("nobody"))
	if want := "Asm fetching secret from the service for nobody: ResourceNotFoundException: Secrets Manager can't find the specified secret."; err == nil || err.Error() != want {
		t.Errorf("%v", err)
	}
}
