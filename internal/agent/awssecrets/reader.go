// Package awssecrets reads tasks' secrets from Secrets Manager and Parameter Store, as the control plane serves them.
package awssecrets

import (
	"context"
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"berth/internal/acsproto"
	"berth/internal/agent"
	"berth/internal/sdkhttp"
)

// Config is what the reader needs.
type Config struct {
	// Endpoint is where the control plane is reached now, "http://host:port".
	Endpoint func() string
	// Credentials are those of a task's execution role. Its error is agent.ErrUnavailable to who asked.
	Credentials func(ctx context.Context, task string) (aws.Credentials, error)
	HTTPClient  *http.Client // sdkhttp.New()
}

// Reader implements agent.Secrets.
type Reader struct {
	config     Config
	secrets    *sm.Client
	parameters *ssm.Client
}

var _ agent.Secrets = (*Reader)(nil)

// New returns a reader.
func New(c Config) *Reader {
	if c.HTTPClient == nil {
		c.HTTPClient = sdkhttp.New()
	}
	return &Reader{
		config: c, secrets: sm.New(sm.Options{Retryer: aws.NopRetryer{}, HTTPClient: c.HTTPClient}),
		parameters: ssm.New(ssm.Options{Retryer: aws.NopRetryer{}, HTTPClient: c.HTTPClient}),
	}
}

// Values implements agent.Secrets.
func (r *Reader) Values(ctx context.Context, task string, list []acsproto.Secret) ([]string, error) {
	values := make([]string, len(list))
	regions, places := []string{}, map[string][]int{} // of parameters
	read := map[secretVersion]string{}
	for n, s := range list {
		if s.Provider == acsproto.ProviderParameterStore {
			if places[s.Region] == nil {
				regions = append(regions, s.Region)
			}
			places[s.Region] = append(places[s.Region], n)
			continue
		}
		var err error
		if values[n], err = r.secret(ctx, task, s, read); err != nil {
			return nil, err
		}
	}
	for _, region := range regions {
		if err := r.readParameters(ctx, task, region, list, places[region], values); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// credentials are a task's, as a client asks for them.
func (r *Reader) credentials(task string) aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(ctx context.Context) (aws.Credentials, error) { return r.config.Credentials(ctx, task) })
}

// failed is what it means that a call failed: a refusal is the secret's fault. Where nobody answered, or a server that cannot now, another try may help.
func failed(fault agent.SecretFault, err error) error {
	if text, is := agent.Refusal(err); is {
		fault.Reason = text
		return &fault
	}
	return fmt.Errorf("%w: %w", agent.ErrUnavailable, err)
}
