package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"

	berthapi "berth/internal/api/berth"
	"berth/internal/sdkhttp"
)

// client talks to an installation as its administrator.
type client struct {
	data     dataDir
	in       installation
	endpoint string
	key      accessKey
}

// openClient reads where the installation of a data directory is and what its administrator's key is.
func openClient(dir string) (*client, error) {
	d, err := existing(dir)
	if err != nil {
		return nil, err
	}
	c := &client{data: d}
	if c.in, err = d.load(); err != nil {
		return nil, err
	}
	if err := d.read("credentials.json", &c.key); err != nil {
		return nil, errors.New("the installation has no administrator's key yet; is it running? Start it with `berth up`")
	}
	c.endpoint = "http://" + c.in.Listen
	if c.in.TLS {
		c.endpoint = "https://" + c.in.Listen
	}
	return c, nil
}

func (c *client) credentials() aws.CredentialsProvider {
	return credentials.NewStaticCredentialsProvider(c.key.AccessKeyID, c.key.SecretAccessKey, "")
}

// ecs is the SDK's client.
func (c *client) ecs() *awsecs.Client {
	return awsecs.New(awsecs.Options{Region: c.in.Region, BaseEndpoint: &c.endpoint, Credentials: c.credentials(), RetryMaxAttempts: 5, HTTPClient: sdkhttp.New()})
}

// call makes one of Berth's own calls.
func (c *client) call(ctx context.Context, operation string, in, out any) error {
	r, body, err := berthapi.NewRequest(ctx, c.endpoint, berthapi.Target, operation, in)
	if err != nil {
		return err
	}
	resp, err := c.send(ctx, r, body)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return json.NewDecoder(resp.Body).Decode(out)
}

// sign signs a request for a service and sends it.
func (c *client) sign(ctx context.Context, r *http.Request, service string, body []byte) (*http.Response, error) {
	creds, err := c.credentials().Retrieve(ctx)
	if err != nil {
		return nil, err
	}
	if err := berthapi.Sign(ctx, creds, r, service, c.in.Region, body); err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, fmt.Errorf("the control plane at %s does not answer; is it running? Start it with `berth up`: %w", c.endpoint, err)
	}
	return resp, nil
}

// send signs and sends a request for one of Berth's own calls; an answer that is no success is an error in the control plane's words.
func (c *client) send(ctx context.Context, r *http.Request, body []byte) (*http.Response, error) {
	resp, err := c.sign(ctx, r, "berth", body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode/100 == 2 {
		return resp, nil
	}
	defer resp.Body.Close()
	return nil, berthapi.Refusal(resp)
}
