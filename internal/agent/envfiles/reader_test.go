package envfiles

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"berth/internal/agent"
	"berth/internal/agent/agenttest"
	"berth/internal/api/berth"
	"berth/internal/frontdoor"
	"berth/internal/policy"
	"berth/internal/state/statetest"
)

const task = "arn:aws:ecs:us-east-1:000000000000:task/demo/0123456789abcdef0123456789abcdef"

// store is an S3-compatible store, and a reader of it that has its key, or the role's.
func store(t *testing.T, change func(*Config)) (*agenttest.S3, *Reader) {
	t.Helper()
	s := &agenttest.S3{Region: "eu-west-1", Key: aws.Credentials{AccessKeyID: "STORE", SecretAccessKey: "store secret"}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	c := Config{Store: server.URL, Region: "eu-west-1", Credentials: func(_ context.Context, of string) (aws.Credentials, error) {
		if of != task {
			t.Errorf("credentials of %s were asked for", of)
		}
		return s.Key, nil
	}}
	if change != nil {
		change(&c)
	}
	return s, New(c)
}

// TestVariables reads several files, in their order, with signatures that the store verifies.
func TestVariables(t *testing.T) {
	s, r := store(t, nil)
	s.Put("settings/a b/one.env", "A=1\nB=2\n")
	s.Put("settings/two.env", "B=3\nC=x=y\n")
	got, err := r.Variables(t.Context(), task, []string{"arn:aws:s3:::settings/a b/one.env", "arn:aws:s3:::settings/two.env"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]map[string]string{{"A": "1", "B": "2"}, {"B": "3", "C": "x=y"}}, got); diff != "" {
		t.Error(diff)
	}
}

// TestSession: the credentials of a role have a token, which is sent and signed.
func TestSession(t *testing.T) {
	s, r := store(t, nil)
	s.Key.SessionToken = "token"
	s.Put("b/f.env", "A=1")
	if _, err := r.Variables(t.Context(), task, []string{"arn:aws:s3:::b/f.env"}); err != nil {
		t.Error(err)
	}
	wrong := r.config
	wrong.Credentials = func(context.Context, string) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "STORE", SecretAccessKey: "wrong", SessionToken: "token"}, nil
	}
	if _, err := New(wrong).Variables(t.Context(), task, []string{"arn:aws:s3:::b/f.env"}); err == nil || !strings.Contains(err.Error(), "SignatureDoesNotMatch: ") {
		t.Errorf("with a wrong secret: %v", err)
	}
}

// TestFaults are what is told of files that are not to be had, and whether another try may help.
func TestFaults(t *testing.T) {
	const file, before = "arn:aws:s3:::b/dir/f.env", "unable to download env file with key dir/f.env from bucket b, error: "
	for _, c := range []struct {
		name  string
		do    func(*agenttest.S3, *Reader)
		file  string
		want  string
		later bool
	}{
		{"missing", func(*agenttest.S3, *Reader) {}, file, before + "NoSuchKey: The specified key does not exist.", false},
		{"denied", func(s *agenttest.S3, _ *Reader) { s.Refuse(403, "AccessDenied") }, file, before + "AccessDenied: refused", false},
		{"a key that it does not know", func(_ *agenttest.S3, r *Reader) {
			r.config.Credentials = func(context.Context, string) (aws.Credentials, error) {
				return aws.Credentials{AccessKeyID: "OTHER", SecretAccessKey: "x"}, nil
			}
		}, file, before + "InvalidAccessKeyId: The AWS Access Key Id you provided does not exist in our records.", false},
		{"busy", func(s *agenttest.S3, _ *Reader) { s.Refuse(503, "SlowDown") }, file, "SlowDown", true},
		{"broken", func(s *agenttest.S3, _ *Reader) { s.Refuse(500, "InternalError") }, file, "InternalError", true},
		{"nobody", func(_ *agenttest.S3, r *Reader) {
			*r = *New(Config{Store: "http://127.0.0.1:1", Region: "r", Credentials: r.config.Credentials})
		}, file,
			before + "RequestError: send request failed caused by: dial tcp 127.0.0.1:1: connect: connection refused", true},
		{"no store", func(_ *agenttest.S3, r *Reader) { r.config.Store = "" }, file, before + noStore, false},
		{"no object", func(*agenttest.S3, *Reader) {}, "arn:aws:s3:::bucket",
			"environment file resource: unable to parse bucket and key from s3 ARN specified in environmentFile arn:aws:s3:::bucket, error: it is not the ARN of an object", false},
		{"too long", func(s *agenttest.S3, _ *Reader) { s.Put("b/dir/f.env", "A="+strings.Repeat("x", mostBytes)) }, file, before + "the file is longer than 2 MiB", false},
		{"a zero byte", func(s *agenttest.S3, _ *Reader) { s.Put("b/dir/f.env", "A=1\nPASSWORD=hush\x00\n") }, file,
			before + "line 2 of the file has a character that an environment cannot have", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, r := store(t, nil)
			c.do(s, r)
			got, err := r.Variables(t.Context(), task, []string{c.file})
			var fault *agent.FileFault
			if !errors.As(err, &fault) || got != nil {
				t.Fatalf("%v, %v", got, err)
			}
			if text := err.Error(); fault.Later != c.later || text != c.want && !(c.later && strings.Contains(text, c.want)) {
				t.Errorf("%s (later: %v)\nwant %s (%v)", text, fault.Later, c.want, c.later)
			}
		})
	}
}

// TestSlow: a store that does not answer costs the time that there is, and no more.
func TestSlow(t *testing.T) {
	s, r := store(t, nil)
	s.Slow(time.Hour)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	var fault *agent.FileFault
	if _, err := r.Variables(ctx, task, []string{"arn:aws:s3:::b/f.env"}); !errors.As(err, &fault) || !fault.Later {
		t.Errorf("%v", err)
	}
}

// TestAuthorize: where the store has a key of its own, the control plane says what the role may read.
func TestAuthorize(t *testing.T) {
	grants := func(statements ...policy.Statement) policy.Principal {
		return policy.Principal{ARN: "arn:aws:sts::000000000000:assumed-role/exec/1", Account: "000000000000", Kind: policy.RoleSession, Grants: &policy.Grants{
			Identity: policy.Compile(policy.Source{Name: "p", Document: &policy.Document{Version: policy.Version2012, Statements: statements}})}}
	}
	allow := func(action, resource string) policy.Statement {
		return policy.Statement{Effect: policy.Allow, Actions: []string{action}, Resources: []string{resource}}
	}
	locate, read := allow("s3:GetBucketLocation", "arn:aws:s3:::b"), allow("s3:GetObject", "arn:aws:s3:::b/*.env")
	const before = "unable to download env file with key f.env from bucket b, error: "
	const user = "AccessDenied: User: arn:aws:sts::000000000000:assumed-role/exec/1 is not authorized to perform: "
	for _, c := range []struct {
		name   string
		caller policy.Principal
		want   string
	}{
		{"may", grants(locate, read), ""},
		{"may not read", grants(locate), before + user + "s3:GetObject on resource: arn:aws:s3:::b/f.env because no identity-based policy allows the s3:GetObject action"},
		{"may not locate", grants(read), before + user + "s3:GetBucketLocation on resource: arn:aws:s3:::b because no identity-based policy allows the s3:GetBucketLocation action"},
	} {
		t.Run(c.name, func(t *testing.T) {
			api := &berth.API{State: statetest.Open(t)}
			door := frontdoor.New(frontdoor.Config{Services: []frontdoor.Service{api.Service()}, Auth: frontdoor.AuthDev, DevPrincipal: c.caller})
			plane := httptest.NewServer(door)
			defer plane.Close()
			var s *agenttest.S3
			var r *Reader
			s, r = store(t, func(config *Config) {
				config.Key = &aws.Credentials{AccessKeyID: "STORE", SecretAccessKey: "store secret"}
				config.Credentials = func(context.Context, string) (aws.Credentials, error) {
					return aws.Credentials{AccessKeyID: "ASIAROLE", SecretAccessKey: "role's"}, nil
				}
				config.Endpoint = func() string { return plane.URL }
			})
			s.Put("b/f.env", "A=1")
			_, err := r.Variables(t.Context(), task, []string{"arn:aws:s3:::b/f.env"})
			got := ""
			if err != nil {
				got = err.Error()
			}
			if got != c.want || (c.want != "") != (s.Requests() == 0) {
				t.Errorf("%s, %d requests; want %s", got, s.Requests(), c.want)
			}
			plane.Close()
			var fault *agent.FileFault
			if _, err := r.Variables(t.Context(), task, []string{"arn:aws:s3:::b/f.env"}); err == nil || errors.As(err, &fault) {
				t.Errorf("without a control plane: %v", err)
			}
		})
	}
	bad := httptest.NewServer(http.NotFoundHandler())
	defer bad.Close()
	_, r := store(t, func(config *Config) {
		config.Key, config.Endpoint = &aws.Credentials{AccessKeyID: "STORE"}, func() string { return bad.URL }
	})
	var fault *agent.FileFault
	if _, err := r.Variables(t.Context(), task, []string{"arn:aws:s3:::b/f.env"}); err == nil || errors.As(err, &fault) {
		t.Errorf("an answer of somebody else: %v", err)
	}
	r.config.Credentials = func(context.Context, string) (aws.Credentials, error) {
		return aws.Credentials{}, agent.ErrNoCredentials
	}
	if _, err := r.Variables(t.Context(), task, []string{"arn:aws:s3:::b/f.env"}); !errors.Is(err, agent.ErrNoCredentials) || errors.As(err, &fault) {
		t.Errorf("without credentials: %v", err)
	}
}

func TestParse(t *testing.T) {
	for text, want := range map[string]map[string]string{
		"":                                    {},
		"A=1":                                 {"A": "1"},
		"A=1\r\nB=2\r\n":                      {"A": "1", "B": "2"},
		"# A=1\n#B=2\n\n \nC = 'x y' # z\n":   {"C ": " 'x y' # z"},
		"A=b=c\n=x\nEMPTY=\nNOTHING\nA=later": {"A": "later"},
		" #A=1":                               {" #A": "1"},
		"A=$HOME `id` \"q\" \\n":              {"A": "$HOME `id` \"q\" \\n"},
		"export A=1":                          {"export A": "1"},
		"LONG=" + strings.Repeat("x", 100000): {"LONG": strings.Repeat("x", 100000)},
	} {
		got, err := parse([]byte(text))
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%.40q: %v\n%s", text, err, diff)
		}
	}
}

// FuzzParse: what a file says can be in an environment, and is in the file.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"A=1\nB=2", "#c\r\nA==", "=\x00", "\xff=\xfe\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		variables, err := parse(text)
		if err != nil {
			return
		}
		for name, value := range variables {
			if name == "" || value == "" || strings.ContainsAny(name, "=\n\x00") || strings.ContainsAny(value, "\n\x00") || !strings.Contains(string(text), name+"="+value) {
				t.Errorf("%q=%q", name, value)
			}
		}
	})
}
