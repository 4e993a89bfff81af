// Package managed makes a machine a managed instance, as Systems Manager's hybrid activations do for ECS Anywhere, and gets it the credentials of its role.
package managed

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"berth/internal/api/berth"
)

// Machine is a managed instance as it knows itself: what is kept on its disk.
type Machine struct {
	InstanceID   string // mi-, and 17 hexadecimal digits
	ActivationID string // that it registered with
	Region       string
	Account      string
	PrivateKey   string // RSA, in DER (PKCS #8) and base64: what it asks for its role's credentials with
	Salt         string // of its fingerprint
}

// fingerprint is what the machine calls its hardware, which has an id of its own: so a copy of the record on another machine is known as one.
func (m *Machine) fingerprint(hardware string) string { return hash([]byte(m.Salt + "\n" + hardware)) }

// keyBits is the length of a machine's key pair.
const keyBits = 2048

// target is the prefix of X-Amz-Target.
const target = "AmazonSSM"

// Register registers a machine, whose hardware's id ("/etc/machine-id") it is given, with an activation, at a replica of the control plane ("http://host:port"). A *berth.Refused says what the control plane has against
// it; with other errors it may have been registered or not.
func Register(ctx context.Context, client *http.Client, endpoint, hardware, activation, code string) (*Machine, error) {
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return nil, fmt.Errorf("make a key pair: %w", err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("write a key pair: %w", err)
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("write a public key: %w", err)
	}
	m := &Machine{ActivationID: activation, PrivateKey: base64.StdEncoding.EncodeToString(private), Salt: rand.Text()}
	var out struct{ InstanceID, Region, AccountID string }
	err = call(ctx, client, endpoint, "RegisterManagedInstance", map[string]string{
		"ActivationId": activation, "ActivationCode": code, "Fingerprint": m.fingerprint(hardware), "PublicKeyType": "Rsa", "PublicKey": base64.StdEncoding.EncodeToString(public),
	}, &out, unsigned)
	m.InstanceID, m.Region, m.Account = out.InstanceID, out.Region, out.AccountID
	return m, err
}

func unsigned(*http.Request, []byte) error { return nil }

// Provider gets the credentials of a managed instance's role.
type Provider struct {
	Machine
	Hardware   string        // the id of the machine's
	Endpoint   func() string // of the replica that the agent uses now, "http://host:port"
	HTTPClient *http.Client
}

// renewal is how long before their end credentials are renewed: those of an hour at half of it, as agents of Systems Manager do.
const renewal = 30 * time.Minute

// Credentials are those of the role, kept and renewed. While the control plane cannot be asked, those of before are used for as long as they are good.
func (p *Provider) Credentials() aws.CredentialsProvider {
	return aws.NewCredentialsCache(p, func(o *aws.CredentialsCacheOptions) { o.ExpiryWindow = renewal })
}

// patience bounds a request for credentials: whoever needs them waits with it.
const patience = 30 * time.Second

var _ aws.HandleFailRefreshCredentialsCacheStrategy = (*Provider)(nil)

// HandleFailToRefresh implements aws.HandleFailRefreshCredentialsCacheStrategy.
func (p *Provider) HandleFailToRefresh(_ context.Context, before aws.Credentials, err error) (aws.Credentials, error) {
	before.Expires = before.Expires.Add(renewal) // the cache takes this off what it keeps
	if !before.HasKeys() || !before.CanExpire || before.Expired() {
		return aws.Credentials{}, err
	}
	return before, nil
}

// Retrieve implements aws.CredentialsProvider.
func (p *Provider) Retrieve(ctx context.Context) (aws.Credentials, error) {
	var out struct {
		AccessKeyID, SecretAccessKey, SessionToken string
		TokenExpirationDate                        float64 // seconds
	}
	key, err := p.key()
	if err != nil {
		return aws.Credentials{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	in := map[string]string{"Fingerprint": p.fingerprint(p.Hardware)}
	err = call(ctx, p.HTTPClient, p.Endpoint(), "RequestManagedInstanceRoleToken", in, &out, func(r *http.Request, body []byte) error {
		return sign(r, body, p.InstanceID, p.Region, key, time.Now())
	})
	if err != nil {
		return aws.Credentials{}, fmt.Errorf("credentials of managed instance %s: %w", p.InstanceID, err)
	}
	return aws.Credentials{
		AccessKeyID: out.AccessKeyID, SecretAccessKey: out.SecretAccessKey, SessionToken: out.SessionToken, Source: "managed instance " + p.InstanceID,
		CanExpire: true, Expires: time.UnixMilli(int64(out.TokenExpirationDate * 1000)), AccountID: p.Account,
	}, nil
}

func (p *Provider) key() (*rsa.PrivateKey, error) {
	der, err := base64.StdEncoding.DecodeString(p.PrivateKey)
	if err != nil {
		return nil, fmt.Errorf("key of managed instance %s: %w", p.InstanceID, err)
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("key of managed instance %s: %w", p.InstanceID, err)
	}
	pair, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("key of managed instance %s: it is not RSA", p.InstanceID)
	}
	return pair, nil
}

// Facts are what a machine tells of itself.
type Facts struct{ AgentVersion, ComputerName, IPAddress, PlatformName, PlatformVersion string }

// Tell tells the control plane what machine it is, with the credentials of its role.
func (p *Provider) Tell(ctx context.Context, key aws.Credentials, f Facts) error {
	in := map[string]string{
		"InstanceId": p.InstanceID, "AgentVersion": f.AgentVersion, "ComputerName": f.ComputerName, "IPAddress": f.IPAddress,
		"PlatformType": "Linux", "PlatformName": f.PlatformName, "PlatformVersion": f.PlatformVersion,
	}
	return call(ctx, p.HTTPClient, p.Endpoint(), "UpdateInstanceInformation", in, nil, func(r *http.Request, body []byte) error {
		return berth.Sign(ctx, key, r, "ssm", p.Region, body)
	})
}

// call makes a call of Systems Manager's API that the SDK has not: its clients are agents.
func call(ctx context.Context, client *http.Client, endpoint, operation string, in, out any, sign func(*http.Request, []byte) error) error {
	r, body, err := berth.NewRequest(ctx, endpoint, target, operation, in)
	if err != nil {
		return err
	}
	if err := sign(r, body); err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	return berth.Send(client, r, operation, out)
}
