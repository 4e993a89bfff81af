// Package awsregistry logs in to registries of images for tasks: with authorization tokens of ECR, and with names and passwords that are in secrets.
package awsregistry

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	sm "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"golang.org/x/sync/singleflight"

	"berth/internal/acsproto"
	"berth/internal/agent"
	"berth/internal/sdkhttp"
)

// Config is what it takes to log in.
type Config struct {
	// Endpoint is where the control plane is reached now, "http://host:port".
	Endpoint func() string
	// Key is that of a task's execution role, or of its container instance. Its error is agent.ErrUnavailable to who asked.
	Key        func(ctx context.Context, task string) (agent.Key, error)
	HTTPClient *http.Client // sdkhttp.New()
}

// Logins implements agent.Registries.
type Logins struct {
	config  Config
	tokens  *ecr.Client
	secrets *sm.Client
	flights singleflight.Group

	mu   sync.Mutex
	kept map[place]token
}

var _ agent.Registries = (*Logins)(nil)

// place is what a token is kept for: who has got it, and of whose registry.
type place struct{ holder, registry, region string }

// token is a login with an authorization token.
type token struct {
	agent.Login
	expires time.Time
}

const (
	early    = 30 * time.Minute // how long before its end a token is not used any more
	mostKept = 1000             // tokens
	patience = 30 * time.Second // with a try to get one
)

// New returns what logs in.
func New(c Config) *Logins {
	if c.HTTPClient == nil {
		c.HTTPClient = sdkhttp.New()
	}
	return &Logins{
		config: c, tokens: ecr.New(ecr.Options{Retryer: aws.NopRetryer{}, HTTPClient: c.HTTPClient}),
		secrets: sm.New(sm.Options{Retryer: aws.NopRetryer{}, HTTPClient: c.HTTPClient}), kept: map[place]token{},
	}
}

// Login implements agent.Registries.
func (l *Logins) Login(ctx context.Context, task string, with acsproto.RegistryAuthentication) (agent.Login, error) {
	key, err := l.config.Key(ctx, task)
	if err != nil {
		return agent.Login{}, fmt.Errorf("%w: %w", agent.ErrUnavailable, err)
	}
	if with.Type == acsproto.AuthSecretsManager {
		return l.secret(ctx, key, *with.ASM)
	}
	at := place{key.Holder, with.ECR.RegistryID, with.ECR.Region}
	if t, ok := l.keptAt(at); ok {
		return t.Login, nil
	}
	flight := l.flights.DoChan(fmt.Sprint(at), func() (any, error) { return l.token(context.WithoutCancel(ctx), key, at) })
	select {
	case <-ctx.Done():
		return agent.Login{}, fmt.Errorf("%w: %w", agent.ErrUnavailable, ctx.Err())
	case got := <-flight:
		t, _ := got.Val.(token)
		return t.Login, got.Err
	}
}

// Forget implements agent.Registries.
func (l *Logins) Forget(old agent.Login) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for at, t := range l.kept {
		if t.Login == old {
			delete(l.kept, at)
		}
	}
}

func (l *Logins) keptAt(at place) (token, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t, ok := l.kept[at]
	return t, ok && time.Until(t.expires) > early
}

func (l *Logins) keep(at place, t token) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.kept) >= mostKept {
		clear(l.kept)
	}
	l.kept[at] = t
}

// token gets an authorization token, and keeps it. Many who want one wait for the same.
func (l *Logins) token(ctx context.Context, key agent.Key, at place) (t token, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	out, err := l.tokens.GetAuthorizationToken(ctx, &ecr.GetAuthorizationTokenInput{RegistryIds: []string{at.registry}}, func(o *ecr.Options) {
		o.Region, o.BaseEndpoint, o.Credentials = at.region, aws.String(l.config.Endpoint()), credentials(key)
	})
	if err != nil {
		return t, failed(agent.RegistryFault{}, err)
	}
	if len(out.AuthorizationData) == 0 {
		return t, &agent.RegistryFault{Reason: "missing AuthorizationData in ECR response"}
	}
	data := out.AuthorizationData[0]
	text, err := base64.StdEncoding.DecodeString(aws.ToString(data.AuthorizationToken))
	user, password, is := strings.Cut(string(text), ":")
	if err != nil || !is {
		return t, &agent.RegistryFault{Reason: "the authorization token is no name and password"}
	}
	t = token{agent.Login{User: user, Password: password}, aws.ToTime(data.ExpiresAt)}
	l.keep(at, t)
	return t, nil
}

// secret reads a name and a password.
func (l *Logins) secret(ctx context.Context, key agent.Key, from acsproto.SecretAuthData) (agent.Login, error) {
	fault := agent.RegistryFault{Secret: from.CredentialsParameter}
	out, err := l.secrets.GetSecretValue(ctx, &sm.GetSecretValueInput{SecretId: &from.CredentialsParameter}, func(o *sm.Options) {
		o.Region, o.BaseEndpoint, o.Credentials = from.Region, aws.String(l.config.Endpoint()), credentials(key)
	})
	if err != nil {
		return agent.Login{}, failed(fault, err)
	}
	var value struct{ Username, Password string }
	fault.Read = true
	switch text := aws.ToString(out.SecretString); {
	case text == "":
		fault.Reason = "asm fetching authorization data: empty secrets value"
	case json.Unmarshal([]byte(text), &value) != nil:
		fault.Reason = "asm fetching authorization data: unable to unmarshal secret value, invalid schema"
	case value.Username == "":
		fault.Reason = "asm fetching username: AuthorizationData is malformed, empty field"
	case value.Password == "":
		fault.Reason = "asm fetching password: AuthorizationData is malformed, empty field"
	default:
		return agent.Login{User: value.Username, Password: value.Password}, nil
	}
	return agent.Login{}, &fault
}

func credentials(k agent.Key) aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: k.AccessKeyID, SecretAccessKey: k.SecretAccessKey, SessionToken: k.SessionToken}, nil
	})
}

// failed is what it means that a call failed: a refusal is the fault. Where nobody answered, or a server that cannot now, another try may help.
func failed(fault agent.RegistryFault, err error) error {
	if text, is := agent.Refusal(err); is {
		fault.Reason = text
		return &fault
	}
	return fmt.Errorf("%w: %w", agent.ErrUnavailable, err)
}
