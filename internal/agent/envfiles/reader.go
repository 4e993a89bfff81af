// Package envfiles reads tasks' environment files from an S3-compatible store.
package envfiles

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"berth/internal/agent"
	"berth/internal/sdkhttp"
)

// Config is what the reader needs.
type Config struct {
	// Store is where the S3-compatible store is reached, "https://host:port"; "" where the operator has named none. Its buckets are parts of the path.
	Store  string
	Region string // of the store, for signatures
	// Key is the store's own, where it does not know those of Berth's roles. What a task's execution role may read is then asked of the control plane.
	Key *aws.Credentials
	// Endpoint is where the control plane is reached now, "http://host:port".
	Endpoint func() string
	// Credentials are those of a task's execution role. Its error is tried again.
	Credentials func(ctx context.Context, task string) (aws.Credentials, error)
	HTTPClient  *http.Client // sdkhttp.New()
}

// Reader implements agent.EnvironmentFiles.
type Reader struct {
	config Config
	client *s3.Client
}

var _ agent.EnvironmentFiles = (*Reader)(nil)

// New returns a reader.
func New(c Config) *Reader {
	if c.HTTPClient == nil {
		c.HTTPClient = sdkhttp.New()
	}
	return &Reader{config: c, client: s3.New(s3.Options{
		Region: c.Region, BaseEndpoint: aws.String(c.Store), UsePathStyle: true, Retryer: aws.NopRetryer{}, HTTPClient: c.HTTPClient,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired, DisableS3ExpressSessionAuth: aws.Bool(true),
	})}
}

// mostBytes is how long a file may be: a process cannot have more environment.
const mostBytes = 2 << 20

// noStore is what is to be done where there is no store.
const noStore = "this container instance knows no S3 endpoint. Start berth agent, or berth up, with --s3-endpoint URL, or set AWS_ENDPOINT_URL_S3"

// Variables implements agent.EnvironmentFiles.
func (r *Reader) Variables(ctx context.Context, task string, files []string) ([]map[string]string, error) {
	all := make([]map[string]string, len(files))
	for n, file := range files {
		o, err := parseObject(file)
		if err != nil {
			return nil, &agent.FileFault{Reason: err.Error()}
		}
		fault := agent.FileFault{Bucket: o.bucket, Key: o.key}
		if r.config.Store == "" {
			fault.Reason = noStore
			return nil, &fault
		}
		text, err := r.read(ctx, task, o)
		if err == nil {
			all[n], err = parse(text)
		}
		if plane := new(planeError); errors.As(err, &plane) {
			return nil, err
		}
		if err != nil {
			fault.Reason, fault.Later = reason(err)
			return nil, &fault
		}
	}
	return all, nil
}

// planeError says that the control plane has not answered, or not yet sent the role's credentials: the store is not to blame.
type planeError struct{ err error }

func (e *planeError) Error() string { return e.err.Error() }
func (e *planeError) Unwrap() error { return e.err }

// errTooLong says that a file is no environment any more.
var errTooLong = errors.New("the file is longer than 2 MiB")

// read reads one object.
func (r *Reader) read(ctx context.Context, task string, o object) ([]byte, error) {
	credentials, err := r.config.Credentials(ctx, task)
	if err != nil {
		return nil, &planeError{err}
	}
	if r.config.Key != nil {
		if err := r.authorize(ctx, credentials, o); err != nil {
			return nil, err
		}
		credentials = *r.config.Key
	}
	out, err := r.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &o.bucket, Key: &o.key}, func(c *s3.Options) {
		c.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return credentials, nil })
	})
	if err != nil {
		return nil, err
	}
	defer out.Body.Close()
	text, err := io.ReadAll(io.LimitReader(out.Body, mostBytes+1))
	if err == nil && len(text) > mostBytes {
		err = errTooLong
	}
	return text, err
}

// reason is what is told of a failure, and whether another try may help.
func reason(err error) (text string, later bool) {
	if text, is := agent.Refusal(err); is {
		return text, false
	}
	var wrong *lineError
	var denied *denied
	if errors.Is(err, errTooLong) || errors.As(err, &wrong) || errors.As(err, &denied) {
		return err.Error(), false
	}
	var op *net.OpError
	if errors.As(err, &op) {
		return "RequestError: send request failed caused by: " + op.Error(), true
	}
	return err.Error(), true
}
