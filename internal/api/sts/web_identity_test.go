package sts

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	awssts "github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/go-jose/go-jose/v4"

	"berth/internal/apierr"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/iam"
	"berth/internal/state"
)

// issuer is a provider of tokens on this machine, with one key.
type issuer struct {
	*httptest.Server
	key *ecdsa.PrivateKey
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{key: key}
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var answer any = map[string]string{"issuer": i.URL, "jwks_uri": i.URL + "/keys"}
		if r.URL.Path == "/keys" {
			answer = jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k"}}}
		}
		json.NewEncoder(w).Encode(answer) //nolint:errcheck // the client tells
	}))
	t.Cleanup(i.Close)
	return i
}

// token signs the claims of a good token, with changes.
func (i *issuer) token(t *testing.T, change map[string]any) string {
	t.Helper()
	now := time.Now().Unix()
	claims := map[string]any{"iss": i.URL, "sub": "repo:o/r", "aud": "sts.amazonaws.com", "iat": now, "exp": now + 300}
	maps.Copy(claims, change)
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: i.key, KeyID: "k"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := s.Sign(b)
	if err != nil {
		t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// withIssuer adds a provider, and roles that trust it.
func withIssuer(t *testing.T) (*world, *issuer) {
	t.Helper()
	w, i := newWorld(t), newIssuer(t)
	p := &iam.OIDCProvider{Account: account, URL: strings.TrimPrefix(i.URL, "http://"), Plain: true, ClientIDs: []string{"sts.amazonaws.com"}}
	role := func(name, condition string) *iam.Role {
		trust := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Federated":"` + p.ARN() +
			`"},"Action":["sts:AssumeRoleWithWebIdentity","sts:SetSourceIdentity"],"Condition":{"StringEquals":{` + strings.ReplaceAll(condition, "ISSUER", p.URL) + `}}}}`
		return &iam.Role{Entity: iam.Entity{Account: account, Name: name, ID: "AROA" + strings.ToUpper(name), Path: "/x/", Inline: []iam.Inline{{Name: "all", Document: all}}},
			Trust: trust, MaxSession: 3600}
	}
	records := []ecs.Record{p, role("ci", `"ISSUER:aud":"sts.amazonaws.com","ISSUER:sub":"repo:o/r"`), role("strong", `"ISSUER:amr":"mfa"`),
		role("other", `"ISSUER:sub":"repo:o/other"`)}
	err := w.keys.State.Update(t.Context(), func(tx *state.Tx) error {
		for _, r := range records {
			tx.Put(r)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return w, i
}

// door serves a world on this machine.
func (w *world) door(t *testing.T) string {
	t.Helper()
	d := frontdoor.New(frontdoor.Config{Services: []frontdoor.Service{w.Service()}, Account: account, Keys: func(_ context.Context, id, token string) (frontdoor.Key, bool) {
		h, ok := w.keys.Find(id, token)
		return frontdoor.Key{Secret: h.Secret, SessionToken: h.SessionToken, Issued: h.Issued, Expires: h.Expires, Principal: h.Principal}, ok
	}})
	s := httptest.NewServer(d)
	t.Cleanup(s.Close)
	return s.URL
}

type text string

func (s text) GetIdentityToken() ([]byte, error) { return []byte(s), nil }

// The SDK's own provider of credentials, through the front door: it signs nothing.
func TestSDKWebIdentity(t *testing.T) {
	w, i := withIssuer(t)
	at := w.door(t)
	client := awssts.New(awssts.Options{Region: "us-east-1", BaseEndpoint: &at, RetryMaxAttempts: 1})
	provider := stscreds.NewWebIdentityRoleProvider(client, *roleARN("ci"), text(i.token(t, map[string]any{"amr": "pwd"})), func(o *stscreds.WebIdentityRoleOptions) {
		o.RoleSessionName = "build-7"
	})
	c, err := provider.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	signed := awssts.New(awssts.Options{Region: "us-east-1", BaseEndpoint: &at, RetryMaxAttempts: 1, Credentials: aws.NewCredentialsCache(provider)})
	who, err := signed.GetCallerIdentity(t.Context(), &awssts.GetCallerIdentityInput{})
	if err != nil || *who.Arn != "arn:aws:sts::123456789012:assumed-role/ci/build-7" || *who.UserId != "AROACI:build-7" {
		t.Errorf("%+v, %v", who, err)
	}
	if left := time.Until(c.Expires); left < 59*time.Minute || left > time.Hour {
		t.Errorf("good for %s", left)
	}
	// Nothing else goes without a signature.
	for _, action := range []string{"AssumeRole", "AssumeRoleWithSAML", "GetCallerIdentity", "GetSessionToken", "GetFederationToken", "GetAccessKeyInfo"} {
		resp, err := http.PostForm(at, url.Values{"Action": {action}, "Version": {"2011-06-15"}})
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusForbidden {
			t.Errorf("%s without a signature: %s", action, resp.Status)
		}
	}
}

func TestWebIdentity(t *testing.T) {
	w, i := withIssuer(t)
	foreign := newIssuer(t)
	past := time.Now().Add(-time.Hour).Unix()
	const denied = "AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity"
	for _, c := range []struct {
		name, role string
		token      string
		change     func(*awssts.AssumeRoleWithWebIdentityInput)
		want       string // the beginning of the error, "" for none
	}{
		{"good", "ci", i.token(t, nil), nil, ""},
		{"several audiences", "ci", i.token(t, map[string]any{"aud": []string{"x", "sts.amazonaws.com"}}), nil, ""},
		{"another subject", "ci", i.token(t, map[string]any{"sub": "repo:o/fork"}), nil, denied},
		{"a role that trusts another subject", "other", i.token(t, nil), nil, denied},
		{"a role that trusts no provider", "open", i.token(t, nil), nil, denied},
		{"no such role", "none", i.token(t, nil), nil, denied},
		{"mfa", "strong", i.token(t, map[string]any{"amr": []string{"mfa"}}), nil, ""},
		{"no mfa", "strong", i.token(t, nil), nil, denied},
		{"source identity", "ci", i.token(t, map[string]any{"https://aws.amazon.com/source_identity": "ada"}), nil, ""},
		{"tags without sts:TagSession", "ci", i.token(t, map[string]any{"https://aws.amazon.com/tags": map[string]any{"principal_tags": map[string]any{"a": []string{"1"}}}}), nil,
			"AccessDenied: Not authorized to perform sts:TagSession"},
		{"expired", "ci", i.token(t, map[string]any{"exp": past}), nil, "ExpiredTokenException: Token expired: current date/time "},
		{"another audience", "ci", i.token(t, map[string]any{"aud": "x"}), nil, "InvalidIdentityToken: Incorrect token audience"},
		{"no subject", "ci", i.token(t, map[string]any{"sub": ""}), nil, "InvalidIdentityToken: Missing a required claim: sub"},
		{"another issuer", "ci", foreign.token(t, nil), nil, "InvalidIdentityToken: No OpenIDConnect provider found in your account for " + foreign.URL},
		{"signed by another", "ci", foreign.token(t, map[string]any{"iss": i.URL}), nil, "InvalidIdentityToken: The web identity token that was passed could not be validated"},
		{"https where it is http", "ci", i.token(t, map[string]any{"iss": strings.Replace(i.URL, "http:", "https:", 1)}), nil, "InvalidIdentityToken: No OpenIDConnect provider found"},
		{"no token", "ci", "garbage", nil, "InvalidIdentityToken: The ID Token provided is not a valid JWT."},
		{"too short", "ci", "x", nil, "ValidationError: 1 validation error detected: Value at 'webIdentityToken' failed"},
		{"too long", "ci", strings.Repeat("x", 20_001), nil, "ValidationError: 1 validation error detected: Value at 'webIdentityToken' failed"},
		{"longer than the role lets", "ci", i.token(t, nil), func(in *awssts.AssumeRoleWithWebIdentityInput) { in.DurationSeconds = aws.Int32(3601) },
			"ValidationError: The requested DurationSeconds exceeds the MaxSessionDuration"},
		{"another protocol", "ci", i.token(t, nil), func(in *awssts.AssumeRoleWithWebIdentityInput) { in.ProviderId = aws.String("graph.facebook.com") }, "ValidationError: providerId"},
		{"a policy that is none", "ci", i.token(t, nil), func(in *awssts.AssumeRoleWithWebIdentityInput) { in.Policy = aws.String("{") }, "MalformedPolicyDocument: "},
		{"no ARN", "ci", i.token(t, nil), func(in *awssts.AssumeRoleWithWebIdentityInput) { in.RoleArn = aws.String(strings.Repeat("x", 20)) }, "ValidationError: "},
	} {
		in := &awssts.AssumeRoleWithWebIdentityInput{RoleArn: roleARN(c.role), RoleSessionName: aws.String("se"), WebIdentityToken: aws.String(c.token)}
		if c.change != nil {
			c.change(in)
		}
		out, err := w.assumeByToken(t.Context(), &frontdoor.Request{}, in)
		switch {
		case c.want == "" && err != nil, c.want != "" && err == nil:
			t.Errorf("%s: %v", c.name, err)
		case err != nil:
			if e := apierr.As(err); !strings.HasPrefix(e.Code+": "+e.Message, c.want) {
				t.Errorf("%s: %s: %s", c.name, e.Code, e.Message)
			} else if strings.Contains(e.Message, c.token) && len(c.token) > 8 {
				t.Errorf("%s: the error shows the token", c.name)
			}
		default:
			if *out.SubjectFromWebIdentityToken == "" || *out.Audience != "sts.amazonaws.com" || !strings.HasPrefix(*out.Provider, "arn:aws:iam::123456789012:oidc-provider/127.0.0.1:") ||
				*out.AssumedRoleUser.Arn != "arn:aws:sts::123456789012:assumed-role/"+c.role+"/se" {
				t.Errorf("%s: %+v", c.name, out)
			}
		}
	}
	// The provider does not answer.
	w, i = withIssuer(t)
	signed := i.token(t, nil)
	i.Close()
	_, err := w.assumeByToken(t.Context(), &frontdoor.Request{}, &awssts.AssumeRoleWithWebIdentityInput{RoleArn: roleARN("ci"), RoleSessionName: aws.String("se"), WebIdentityToken: &signed})
	if code(err) != "IDPCommunicationError" {
		t.Error(err)
	}
}

// A federated user may do what both the user and the policy of the request allow.
func TestFederationToken(t *testing.T) {
	w := newWorld(t)
	in := &awssts.GetFederationTokenInput{Name: aws.String("guest"), Policy: aws.String(gets)}
	out, err := w.federate(t.Context(), w.as("ada", ""), in)
	if err != nil {
		t.Fatal(err)
	}
	session := w.as(*out.Credentials.AccessKeyId, *out.Credentials.SessionToken)
	if session.Caller.ARN != "arn:aws:sts::123456789012:federated-user/guest" || session.Caller.UserID != "123456789012:guest" || *out.FederatedUser.Arn != session.Caller.ARN {
		t.Errorf("%+v", session.Caller)
	}
	if !may(session.Caller, "s3:GetObject") || may(session.Caller, "ecs:RunTask") {
		t.Error("its policy does not bound it")
	}
	if _, err := w.federate(t.Context(), session, in); code(err) != "AccessDenied" {
		t.Errorf("of a session: %v", err)
	}
	none, err := w.federate(t.Context(), w.as("ada", ""), &awssts.GetFederationTokenInput{Name: aws.String("guest")})
	if err != nil || may(w.as(*none.Credentials.AccessKeyId, *none.Credentials.SessionToken).Caller, "s3:GetObject") {
		t.Errorf("without a policy: %v", err)
	}
	if _, err := w.federate(t.Context(), w.as("ada", ""), &awssts.GetFederationTokenInput{Name: aws.String("a b")}); code(err) != "ValidationError" {
		t.Error(err)
	}
}

func TestAccessKeyInfo(t *testing.T) {
	w := newWorld(t)
	id := "AKIAIOSFODNN7EXAMPLE"
	err := w.keys.State.Update(t.Context(), func(tx *state.Tx) error {
		tx.Put(&iam.AccessKey{AccessKeyID: id, Account: "210987654321", UserName: "x"})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	out, err := w.keyInfo(t.Context(), w.as("ada", ""), &awssts.GetAccessKeyInfoInput{AccessKeyId: &id})
	if err != nil || *out.Account != "210987654321" {
		t.Errorf("%v, %v", out, err)
	}
	for _, wrong := range []*string{nil, aws.String("short"), aws.String("AKIAIOSFODNN7EXAMPLF")} {
		if _, err := w.keyInfo(t.Context(), w.as("ada", ""), &awssts.GetAccessKeyInfoInput{AccessKeyId: wrong}); code(err) != "ValidationError" {
			t.Errorf("%v", err)
		}
	}
}
