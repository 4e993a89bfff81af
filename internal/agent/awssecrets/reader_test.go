package awssecrets

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

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/google/go-cmp/cmp"

	"berth/internal/access"
	"berth/internal/acsproto"
	"berth/internal/agent"
	"berth/internal/api/secretsmanager"
	ssmapi "berth/internal/api/ssm"
	"berth/internal/frontdoor"
	"berth/internal/sdkhttp"
	"berth/internal/seal"
	"berth/internal/state/statetest"
)

const (
	task   = "arn:aws:ecs:us-east-1:000000000000:task/demo/0123456789abcdef0123456789abcdef"
	region = "us-east-1"
)

// plane is Secrets Manager and Parameter Store as the control plane serves them, and a reader of them.
type plane struct {
	*Reader
	secrets    *sm.Client
	parameters *ssm.Client
	calls      []string // operations that the reader has called
}

func newPlane(t *testing.T) *plane {
	t.Helper()
	key, err := seal.ParseKey(bytes.Repeat([]byte("k"), seal.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	state := statetest.Open(t)
	door := frontdoor.New(frontdoor.Config{Auth: frontdoor.AuthDev, DevPrincipal: access.Admin("000000000000"), Services: []frontdoor.Service{
		secretsmanager.New(secretsmanager.Config{State: state, Seal: key}).Service(), ssmapi.New(ssmapi.Config{State: state, Seal: key}).Service()}})
	p := &plane{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		if strings.HasPrefix(operation, "Get") {
			p.calls = append(p.calls, operation)
		}
		door.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	credentials := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return key1, nil })
	p.Reader = New(Config{Endpoint: func() string { return server.URL }, Credentials: of(t, task)})
	p.secrets = sm.New(sm.Options{Region: region, BaseEndpoint: &server.URL, Credentials: credentials, HTTPClient: sdkhttp.New()})
	p.parameters = ssm.New(ssm.Options{Region: region, BaseEndpoint: &server.URL, Credentials: credentials, HTTPClient: sdkhttp.New()})
	return p
}

var key1 = aws.Credentials{AccessKeyID: "AKIA", SecretAccessKey: "secret"}

// of has credentials for one task only.
func of(t *testing.T, task string) func(context.Context, string) (aws.Credentials, error) {
	return func(_ context.Context, asked string) (aws.Credentials, error) {
		if asked != task {
			t.Errorf("credentials of %s were asked for", asked)
		}
		return key1, nil
	}
}

// secret makes a secret and returns its ARN.
func (p *plane) secret(t *testing.T, name, value string) string {
	t.Helper()
	out, err := p.secrets.CreateSecret(t.Context(), &sm.CreateSecretInput{Name: &name, SecretString: &value})
	if err != nil {
		t.Fatal(err)
	}
	return *out.ARN
}

// parameter makes a parameter, or a new version of it, and returns its ARN.
func (p *plane) parameter(t *testing.T, name, value string) string {
	t.Helper()
	if _, err := p.parameters.PutParameter(t.Context(), &ssm.PutParameterInput{Name: &name, Value: &value, Type: types.ParameterTypeSecureString, Overwrite: aws.Bool(true)}); err != nil {
		t.Fatal(err)
	}
	out, err := p.parameters.GetParameter(t.Context(), &ssm.GetParameterInput{Name: &name})
	if err != nil {
		t.Fatal(err)
	}
	return *out.Parameter.ARN
}

func asm(from string) acsproto.Secret {
	return acsproto.Secret{Name: "S", ValueFrom: from, Region: region, Provider: acsproto.ProviderSecretsManager}
}

func parameter(from string) acsproto.Secret {
	return acsproto.Secret{Name: "P", ValueFrom: from, Region: region, Provider: acsproto.ProviderParameterStore}
}

// TestForms reads every form of valueFrom, and whatever it takes with as few calls as there can be.
func TestForms(t *testing.T) {
	p := newPlane(t)
	plain := p.secret(t, "plain", "first")
	if _, err := p.secrets.PutSecretValue(t.Context(), &sm.PutSecretValueInput{SecretId: &plain, SecretString: aws.String("second"), ClientRequestToken: aws.String(strings.Repeat("t", 32))}); err != nil {
		t.Fatal(err)
	}
	object := p.secret(t, "team/db", `{"user":"me","port":5432,"on":true,"none":null,"deep":{"a": [1, 2]},"empty":""}`)
	p.parameter(t, "/app/one", "old")
	one, two := p.parameter(t, "/app/one", "new"), p.parameter(t, "two", "2")
	list, want := []acsproto.Secret{}, []string{}
	for _, c := range []struct {
		secret acsproto.Secret
		want   string
	}{
		{asm(plain), "second"},
		{asm(plain + ":::"), "second"},
		{asm(plain + "::AWSPREVIOUS:"), "first"},
		{asm(plain + ":::" + strings.Repeat("t", 32)), "second"},
		{asm(plain + "::AWSCURRENT:" + strings.Repeat("t", 32)), "second"},
		{asm(strings.TrimSuffix(plain, plain[strings.LastIndexByte(plain, '-'):])), "second"}, // without its random end
		{asm(object + ":user::"), "me"},
		{asm(object + ":port:AWSCURRENT:"), "5432"},
		{asm(object + ":on::"), "true"},
		{asm(object + ":none::"), "null"},
		{asm(object + ":deep::"), `{"a":[1,2]}`},
		{asm(object + ":empty::"), ""},
		{parameter("/app/one"), "new"},
		{parameter("/app/one:1"), "old"},
		{parameter(one), "new"},
		{parameter(one + ":1"), "old"},
		{parameter(two), "2"},
		{parameter("two"), "2"},
	} {
		list, want = append(list, c.secret), append(want, c.want)
	}
	p.calls = nil
	got, err := p.Values(t.Context(), task, list)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if calls := strings.Join(p.calls, " "); strings.Count(calls, "GetSecretValue") != 7 || strings.Count(calls, "GetParameters") != 1 {
		t.Errorf("called %s", calls)
	}
}

// TestManyParameters are read ten at a time.
func TestManyParameters(t *testing.T) {
	p := newPlane(t)
	var list []acsproto.Secret
	for n := range 23 {
		name := fmt.Sprintf("/many/%d", n)
		p.parameter(t, name, fmt.Sprint("v", n))
		list = append(list, parameter(name))
	}
	p.calls = nil
	got, err := p.Values(t.Context(), task, list)
	if err != nil || len(got) != 23 || got[0] != "v0" || got[22] != "v22" || len(p.calls) != 3 {
		t.Errorf("%q, %v, calls %q", got, err, p.calls)
	}
}

// TestFaults are what AWS says of secrets that are not there, or not what is meant.
func TestFaults(t *testing.T) {
	p := newPlane(t)
	object, text := p.secret(t, "object", `{"a":"b"}`), p.secret(t, "text", "hush")
	binary, err := p.secrets.CreateSecret(t.Context(), &sm.CreateSecretInput{Name: aws.String("binary"), SecretBinary: []byte{1}})
	if err != nil {
		t.Fatal(err)
	}
	p.parameter(t, "/there", "v")
	nobody := "arn:aws:secretsmanager:us-east-1:000000000000:secret:nobody-abcdef"
	const store, manager = "Fetching secret data from SSM Parameter Store in us-east-1: ", "Fetching secret data from AWS Secrets Manager in region us-east-1: secret "
	for _, c := range []struct {
		list []acsproto.Secret
		want string
		read bool
	}{
		{[]acsproto.Secret{asm(nobody)}, manager + nobody + ": ResourceNotFoundException: Secrets Manager can't find the specified secret.", false},
		{[]acsproto.Secret{asm(nobody + ":k::")}, manager + nobody + ": ResourceNotFoundException: Secrets Manager can't find the specified secret.", false},
		{[]acsproto.Secret{asm(object + ":c::")}, manager + object + ": retrieved secret from Secrets Manager did not contain json key c", true},
		{[]acsproto.Secret{asm(text + ":c::")}, manager + text + ": retrieved secret from Secrets Manager did not contain json key c", true},
		{[]acsproto.Secret{asm(*binary.ARN)}, manager + *binary.ARN + ": retrieved secret from Secrets Manager is binary, and no text", true},
		{[]acsproto.Secret{asm(object + ":a")}, manager + object + ":a: an invalid ARN format for the AWS Secrets Manager secret was specified. Specify a valid ARN and try again.", true},
		{[]acsproto.Secret{parameter("/gone"), parameter("/there"), parameter("/also")}, store + "invalid parameters: /gone, /also", false},
		{[]acsproto.Secret{parameter("/there:7")}, store + "invalid parameters: /there:7", false},
	} {
		got, err := p.Values(t.Context(), task, c.list)
		var fault *agent.SecretFault
		if !errors.As(err, &fault) || errors.Is(err, agent.ErrUnavailable) || err.Error() != c.want || fault.Read != c.read || got != nil {
			t.Errorf("%q, %v; want %s", got, err, c.want)
		}
	}
}

// TestAnswers: a refusal is the secret's fault, what may be otherwise a moment later is not. No value is in an error.
func TestAnswers(t *testing.T) {
	const denied = `{"__type":"AccessDeniedException","message":"User: r is not authorized to perform: secretsmanager:GetSecretValue on resource: s"}`
	secret := "arn:aws:secretsmanager:us-east-1:000000000000:secret:s-abcdef"
	for _, c := range []struct {
		name      string
		status    int
		body      string
		available bool
	}{
		{"denied", http.StatusBadRequest, denied, true},
		{"busy", http.StatusServiceUnavailable, `{"__type":"ServiceUnavailableException"}`, false},
		{"somebody else", http.StatusForbidden, "<html>", false},
		{"failed", http.StatusInternalServerError, "", false},
		{"throttled", http.StatusBadRequest, `{"__type":"ThrottlingException","message":"Rate exceeded"}`, false},
		{"late key", http.StatusBadRequest, `{"__type":"ExpiredTokenException","message":"expired"}`, false},
	} {
		answer := func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: c.status, Header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}}, Body: io.NopCloser(strings.NewReader(c.body))}, nil
		}
		r := New(Config{Endpoint: func() string { return "http://berth" }, Credentials: of(t, task), HTTPClient: &http.Client{Transport: transport(answer)}})
		for _, s := range []acsproto.Secret{asm(secret), parameter("/p")} {
			_, err := r.Values(t.Context(), task, []acsproto.Secret{s})
			var fault *agent.SecretFault
			if errors.As(err, &fault) != c.available || errors.Is(err, agent.ErrUnavailable) == c.available {
				t.Errorf("%s: %v", c.name, err)
			}
			if c.available && fault.Reason != "AccessDeniedException: User: r is not authorized to perform: secretsmanager:GetSecretValue on resource: s" {
				t.Errorf("%s: %s", c.name, fault.Reason)
			}
		}
	}
	r := New(Config{Endpoint: func() string { return "http://berth" }, Credentials: func(context.Context, string) (aws.Credentials, error) {
		return aws.Credentials{}, agent.ErrNoCredentials
	}})
	if _, err := r.Values(t.Context(), task, []acsproto.Secret{asm(secret)}); !errors.Is(err, agent.ErrUnavailable) {
		t.Errorf("without credentials: %v", err)
	}
}

type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

// FuzzParse: whatever a valueFrom is, what it is taken for is part of it.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"", "arn:aws:secretsmanager:us-east-1:1:secret:s-abcdef", "arn:aws:secretsmanager:us-east-1:1:secret:s-abcdef:k:AWSCURRENT:id", "arn:aws:ssm:r:1:parameter/p"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, from string) {
		r, err := parse(region, from)
		whole := r.secret + ":" + r.key + ":" + r.stage + ":" + r.id
		if err == nil && from != r.secret && from != whole {
			t.Errorf("%q is taken for %+v", from, r)
		}
	})
}
