package managed

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsssm "github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/smithy-go"

	"berth/internal/access"
	"berth/internal/api/ssm"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/iam"
	"berth/internal/sdkhttp"
	"berth/internal/seal"
	"berth/internal/state"
	"berth/internal/state/statetest"
)

const (
	account = "123456789012"
	region  = "eu-west-1"
	trust   = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ssm.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
)

// plane is a control plane that verifies signatures and asks policies.
type plane struct {
	url   string
	store *state.Store
	admin *awsssm.Client
}

func newPlane(t *testing.T, records ...ecs.Record) *plane {
	t.Helper()
	key, err := seal.ParseKey(bytes.Repeat([]byte("k"), seal.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	store := statetest.Open(t, append(records, hybrid("AROA1"))...)
	keys := &access.Keys{State: store, Seal: key}
	id, secret, err := keys.EnsureAdministrator(t.Context(), account)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(frontdoor.New(frontdoor.Config{
		Services: []frontdoor.Service{ssm.New(ssm.Config{State: store, Seal: key, Access: keys}).Service()}, Region: region, Account: account, Auth: frontdoor.AuthIAM,
		Keys: func(_ context.Context, id, token string) (frontdoor.Key, bool) {
			h, ok := keys.Find(id, token)
			return frontdoor.Key{Secret: h.Secret, Public: h.Public, SessionToken: h.SessionToken, Issued: h.Issued, Expires: h.Expires, Principal: h.Principal}, ok
		},
	}))
	t.Cleanup(server.Close)
	return &plane{server.URL, store, awsssm.New(awsssm.Options{Region: region, BaseEndpoint: &server.URL, HTTPClient: sdkhttp.New(), Credentials: aws.CredentialsProviderFunc(
		func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: id, SecretAccessKey: secret}, nil
		})})}
}

func hybrid(id string) *iam.Role {
	return &iam.Role{Entity: iam.Entity{Account: account, Name: "Hybrid", ID: id, Path: "/", Attached: []string{"arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"}}, Trust: trust}
}

func (p *plane) activation(t *testing.T) (id, code string) {
	t.Helper()
	out, err := p.admin.CreateActivation(t.Context(), &awsssm.CreateActivationInput{IamRole: aws.String("Hybrid"), RegistrationLimit: aws.Int32(2)})
	if err != nil {
		t.Fatal(err)
	}
	return *out.ActivationId, *out.ActivationCode
}

func (p *plane) put(t *testing.T, change func(*state.Tx)) {
	t.Helper()
	if err := p.store.Update(t.Context(), func(tx *state.Tx) error { change(tx); return nil }); err != nil {
		t.Fatal(err)
	}
}

func (p *plane) provider(m *Machine) *Provider {
	return &Provider{Machine: *m, Hardware: "board", Endpoint: func() string { return p.url }, HTTPClient: http.DefaultClient}
}

func code(err error) string {
	var r smithy.APIError
	if !errors.As(err, &r) {
		return ""
	}
	return r.ErrorCode()
}

// A machine registers, gets credentials of the activation's role, and tells with them what it is.
func TestLife(t *testing.T) {
	p := newPlane(t)
	id, secret := p.activation(t)
	m, err := Register(t.Context(), http.DefaultClient, p.url, "board", id, secret)
	if err != nil || !strings.HasPrefix(m.InstanceID, "mi-") || m.Region != region || m.Account != account || m.ActivationID != id {
		t.Fatalf("%+v, %v", m, err)
	}
	keys := p.provider(m).Credentials()
	key, err := keys.Retrieve(t.Context())
	if err != nil || !key.CanExpire || time.Until(key.Expires) > access.ManagedLife-renewal {
		t.Fatalf("%v, expires %v", err, key.Expires)
	}
	again, err := keys.Retrieve(t.Context())
	if err != nil || again.AccessKeyID != key.AccessKeyID {
		t.Errorf("asked again: %s after %s, %v", again.AccessKeyID, key.AccessKeyID, err)
	}
	if err := p.provider(m).Tell(t.Context(), key, Facts{ComputerName: "cellar", PlatformName: "Debian", IPAddress: "192.0.2.1", AgentVersion: "1"}); err != nil {
		t.Fatal(err)
	}
	out, err := p.admin.DescribeInstanceInformation(t.Context(), &awsssm.DescribeInstanceInformationInput{})
	if err != nil || len(out.InstanceInformationList) != 1 || aws.ToString(out.InstanceInformationList[0].ComputerName) != "cellar" ||
		aws.ToString(out.InstanceInformationList[0].IPAddress) != "192.0.2.1" {
		t.Errorf("%+v, %v", out, err)
	}
	other, err := Register(t.Context(), http.DefaultClient, p.url, "board", id, secret)
	if err != nil || other.InstanceID == m.InstanceID {
		t.Fatalf("%+v, %v", other, err)
	}
	if err := p.provider(other).Tell(t.Context(), key, Facts{ComputerName: "attic"}); code(err) != "InvalidInstanceId" {
		t.Errorf("for another machine: %v", err)
	}
	if _, err := Register(t.Context(), http.DefaultClient, p.url, "board", id, secret); code(err) != "InvalidActivation" {
		t.Errorf("one too many: %v", err)
	}
}

// Nobody gets in with a wrong code, a key of another kind, the key of another machine, or a fingerprint that is not the machine's.
func TestIntruders(t *testing.T) {
	p := newPlane(t)
	id, secret := p.activation(t)
	for _, c := range []struct{ id, secret string }{{id, "wrongwrongwrongwrong"}, {strings.Repeat("1", len(id)), secret}} {
		if _, err := Register(t.Context(), http.DefaultClient, p.url, "board", c.id, c.secret); code(err) != "InvalidActivation" {
			t.Errorf("%v", err)
		}
	}
	if _, err := Register(t.Context(), http.DefaultClient, p.url, "board", "1", ""); code(err) != "ValidationException" {
		t.Errorf("%v", err)
	}
	one, err := Register(t.Context(), http.DefaultClient, p.url, "board", id, secret)
	if err != nil {
		t.Fatal(err)
	}
	two, err := Register(t.Context(), http.DefaultClient, p.url, "board", id, secret)
	if err != nil {
		t.Fatal(err)
	}
	thief := *two
	thief.InstanceID, thief.Salt = one.InstanceID, one.Salt
	if _, err := p.provider(&thief).Retrieve(t.Context()); code(err) != "InvalidSignatureException" {
		t.Errorf("with another key: %v", err)
	}
	copied := p.provider(one)
	copied.Hardware = "another"
	if _, err := copied.Retrieve(t.Context()); code(err) != "MachineFingerprintDoesNotMatch" {
		t.Errorf("on another machine: %v", err)
	}
	strange := *one
	strange.InstanceID = "mi-00000000000000000"
	if _, err := p.provider(&strange).Retrieve(t.Context()); code(err) != "UnrecognizedClientException" {
		t.Errorf("unknown: %v", err)
	}
	for what, key := range map[string]string{"none": "", "no base64": "%", "no key": "AAAA", "another kind": ellipticKey(t)} {
		broken := *one
		broken.PrivateKey = key
		if _, err := p.provider(&broken).Retrieve(t.Context()); err == nil || code(err) != "" {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func ellipticKey(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(der)
}

// Agents of Systems Manager say the body's hash in a header that they have not signed. It must be the body's.
func TestHashOfBody(t *testing.T) {
	p := newPlane(t)
	id, secret := p.activation(t)
	m, err := Register(t.Context(), http.DefaultClient, p.url, "board", id, secret)
	if err != nil {
		t.Fatal(err)
	}
	one := p.provider(m)
	key, err := one.key()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ body, want string }{
		{`{"Fingerprint":"` + m.fingerprint("board") + `"}`, ""}, {"{}", "InvalidSignatureException"},
	} {
		in := map[string]string{"Fingerprint": m.fingerprint("board")}
		err := call(t.Context(), http.DefaultClient, p.url, "RequestManagedInstanceRoleToken", in, &struct{}{}, func(r *http.Request, body []byte) error {
			defer r.Header.Set("X-Amz-Content-Sha256", hash([]byte(c.body)))
			return sign(r, body, m.InstanceID, m.Region, key, time.Now())
		})
		if code(err) != c.want {
			t.Errorf("the hash of %s: %v", c.body, err)
		}
	}
}

// Credentials end with the registration, with the role, and with the role's trust.
func TestEnds(t *testing.T) {
	changed := hybrid("AROA1")
	changed.Trust = strings.Replace(trust, "ssm", "ec2", 1)
	for what, end := range map[string]struct {
		do   func(*plane, *Machine)
		want []string // of a request for credentials
	}{
		"deregistered": {func(p *plane, m *Machine) {
			if _, err := p.admin.DeregisterManagedInstance(t.Context(), &awsssm.DeregisterManagedInstanceInput{InstanceId: &m.InstanceID}); err != nil {
				t.Error(err)
			}
		}, []string{"UnrecognizedClientException"}},
		"the role is gone":     {func(p *plane, _ *Machine) { p.put(t, func(tx *state.Tx) { tx.Delete(hybrid("AROA1")) }) }, []string{"AccessDeniedException"}},
		"another role":         {func(p *plane, _ *Machine) { p.put(t, func(tx *state.Tx) { tx.Put(hybrid("AROA2")) }) }, nil},
		"it trusts others now": {func(p *plane, _ *Machine) { p.put(t, func(tx *state.Tx) { tx.Put(changed) }) }, []string{"AccessDeniedException"}},
	} {
		t.Run(what, func(t *testing.T) {
			p := newPlane(t)
			id, secret := p.activation(t)
			m, err := Register(t.Context(), http.DefaultClient, p.url, "board", id, secret)
			if err != nil {
				t.Fatal(err)
			}
			one := p.provider(m)
			key, err := one.Retrieve(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			end.do(p, m)
			if err := one.Tell(t.Context(), key, Facts{}); code(err) != "UnrecognizedClientException" {
				t.Errorf("the old credentials: %v", err)
			}
			if _, err = one.Retrieve(t.Context()); (err != nil || len(end.want) > 0) && !slices.Contains(end.want, code(err)) {
				t.Errorf("new ones: %v", err)
			}
		})
	}
}

// While nobody answers, the credentials of before are used for as long as they are good.
func TestNobodyAnswers(t *testing.T) {
	p := &Provider{}
	gone := errors.New("gone")
	good := aws.Credentials{AccessKeyID: "A", SecretAccessKey: "s", CanExpire: true, Expires: time.Now().Add(-renewal + time.Minute)} // as the cache has it
	kept, err := p.HandleFailToRefresh(t.Context(), good, gone)
	if err != nil || kept.AccessKeyID != "A" || time.Until(kept.Expires) > time.Minute || kept.Expired() {
		t.Errorf("%+v, %v", kept, err)
	}
	good.Expires = good.Expires.Add(-2 * time.Minute)
	for _, c := range []aws.Credentials{good, {}} {
		if _, err := p.HandleFailToRefresh(t.Context(), c, gone); !errors.Is(err, gone) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// A signature is of the machine's key and of what was sent.
func TestSignature(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "http://berth:3270/", nil)
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	if err := sign(r, []byte("{}"), "mi-1", region, key, time.Date(2026, 11, 30, 1, 2, 3, 0, time.UTC)); err != nil {
		t.Fatal(err)
	}
	want := "AWS4-HMAC-SHA256 Credential=mi-1/20261130/eu-west-1/ssm/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature="
	if got := r.Header.Get("Authorization"); !strings.HasPrefix(got, want) || r.Header.Get("X-Amz-Date") != "20261130T010203Z" {
		t.Errorf("%s", got)
	}
}
