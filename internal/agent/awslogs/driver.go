package awslogs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cwl "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"golang.org/x/sync/errgroup"

	"berth/internal/agent"
	"berth/internal/sdkhttp"
)

// Config is what the driver needs.
type Config struct {
	// Reader reads what the engine keeps of logs.
	Reader agent.LogReader
	// Endpoint is where the control plane is reached now, "http://host:port".
	Endpoint func() string
	// Credentials are those with which a task's logs are written: of its execution role, or of its instance. Its error is tried again.
	Credentials func(ctx context.Context, task string) (aws.Credentials, error)
	// Heard is told how each request to send a task's lines ended, and says whether somebody has told the log of it. nil: nobody has.
	Heard func(task, call string, err error) (told bool)
	// Hold holds a container up, or lets it go on, whichever it is now. nil: none is held up.
	Hold       func(ctx context.Context, id string, held bool) error
	Region     string       // of containers whose options do not say
	HTTPClient *http.Client // sdkhttp.New()
	Log        *slog.Logger // nowhere
}

// Driver implements agent.Logs.
type Driver struct {
	config Config
	client *cwl.Client
}

var _ agent.Logs = (*Driver)(nil)

// New returns the driver.
func New(c Config) *Driver {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Heard == nil {
		c.Heard = func(string, string, error) bool { return false }
	}
	if c.HTTPClient == nil {
		c.HTTPClient = sdkhttp.New()
	}
	return &Driver{config: c, client: cwl.New(cwl.Options{Region: c.Region, Retryer: aws.NopRetryer{}, HTTPClient: c.HTTPClient})}
}

// as has a call made for a task, where the control plane is now.
func (d *Driver) as(task string, o options) func(*cwl.Options) {
	return func(c *cwl.Options) {
		c.Region = o.region
		if o.format != "" {
			c.APIOptions = append(c.APIOptions, smithyhttp.AddHeaderValue("X-Amzn-Logs-Format", o.format))
		}
		c.BaseEndpoint = aws.String(d.config.Endpoint())
		c.Credentials = aws.CredentialsProviderFunc(func(ctx context.Context) (aws.Credentials, error) { return d.config.Credentials(ctx, task) })
	}
}

// Prepare implements agent.Logs.
func (d *Driver) Prepare(ctx context.Context, s agent.LogSource) error {
	o, err := read(s, d.config.Region)
	if err != nil {
		return err
	}
	return d.makeStream(ctx, s.Task, o)
}

// makeStream makes the stream where it is missing, and its group where that is wanted.
func (d *Driver) makeStream(ctx context.Context, task string, o options) error {
	err := d.createStream(ctx, task, o)
	if is(err, "ResourceNotFoundException") && o.createGroup {
		_, err = d.client.CreateLogGroup(ctx, &cwl.CreateLogGroupInput{LogGroupName: &o.group}, d.as(task, o))
		if err != nil && !is(err, "ResourceAlreadyExistsException") {
			return refused("failed to create Cloudwatch log group", err)
		}
		err = d.createStream(ctx, task, o)
	}
	if err == nil || is(err, "ResourceAlreadyExistsException") {
		return nil
	}
	return refused("failed to create Cloudwatch log stream", err)
}

func (d *Driver) createStream(ctx context.Context, task string, o options) error {
	_, err := d.client.CreateLogStream(ctx, &cwl.CreateLogStreamInput{LogGroupName: &o.group, LogStreamName: &o.stream}, d.as(task, o))
	return err
}

// is says whether an error is one of the API's with that code.
func is(err error, code string) bool {
	var e smithy.APIError
	return errors.As(err, &e) && e.ErrorCode() == code
}

// refused is an answer of the API in the words of the engine's driver. Where there was none, or one of a server that cannot now, another try may help.
func refused(what string, err error) error {
	if text, is := agent.Refusal(err); is {
		return fmt.Errorf("%s: %s", what, text)
	}
	return fmt.Errorf("%w: %s: %w", agent.ErrUnavailable, what, err)
}

// Send implements agent.Logs.
func (d *Driver) Send(ctx context.Context, s agent.LogSource, from agent.LogMark, sent func(agent.LogMark)) error {
	o, err := read(s, d.config.Region)
	if err != nil {
		return err
	}
	q := newQueue(o, from)
	read := make(chan struct{}) // closed when the log has been read to its end
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(read)
		seen := 0
		return d.config.Reader.Lines(ctx, s.ID, from.At, func(l agent.LogLine) error {
			if l.At.Before(from.At) { // a line that was late among those that were read together
				return nil
			}
			if l.At.Equal(from.At) && !from.At.IsZero() {
				if seen++; seen <= from.Lines {
					return nil
				}
			}
			return q.add(ctx, l)
		})
	})
	g.Go(func() error {
		sender := &sender{driver: d, task: s.Task, id: s.ID, options: o, queue: q, sent: sent}
		sender.holdUp(ctx, false) // an agent before this one may have held it up
		return sender.run(ctx, read)
	})
	return g.Wait()
}

// sendTimeout bounds a request.
const sendTimeout = 30 * time.Second
