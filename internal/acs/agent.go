package acs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/coder/websocket"

	"berth/internal/acsproto"
)

// AgentConfig is how an agent reaches its control plane.
type AgentConfig struct {
	Endpoint                               string // DiscoverPollEndpoint's, "http://host:port/acs/" or its telemetry twin
	Region                                 string
	Cluster                                string // name or ARN
	Instance                               string // container instance ARN
	Credentials                            aws.CredentialsProvider
	AgentVersion, AgentHash, DockerVersion string
	// SendCredentials asks for all credentials at the first connect: the agent has just started.
	SendCredentials bool
	// Locate finds the endpoint anew, at another replica than failed's, to which no connection could be made; failed is "" after a connection
	// that has just grown old. nil keeps Endpoint.
	Locate func(ctx context.Context, failed string) (endpoint string, err error)
	// Dialed is told how each try to connect ended, and returns the error to go on with: one that is ErrTold is not for Log. nil leaves it as it is.
	Dialed     func(err error) error
	Log        *slog.Logger
	HTTPClient *http.Client // default http.DefaultClient
}

// Orders is what an agent does with the messages of its session. The methods are called one after another.
type Orders interface {
	// Payload takes tasks to run and to stop. nil: every task was taken, and the session acks.
	Payload(ctx context.Context, p acsproto.Payload) error
	// Manifest returns the local tasks with desired status RUNNING that m does not list; an error discards m without an ack.
	Manifest(ctx context.Context, m acsproto.TaskManifest) (stop []acsproto.ManifestTask, err error)
	// StopVerified names tasks that must stop.
	StopVerified(ctx context.Context, tasks []acsproto.ManifestTask)
	// Credentials takes new credentials of a task; false if the task is not known.
	Credentials(ctx context.Context, c acsproto.IAMRoleCredentials) bool
	// Network takes what the machine must know of its VPCs.
	Network(ctx context.Context, n acsproto.Network)
	// Heartbeat is called at each of the server's heartbeats.
	Heartbeat(ctx context.Context)
}

// ErrInactive says that the control plane has deregistered the instance, or does not know it (any more).
var ErrInactive = errors.New("the container instance is inactive")

// ErrTold marks an error that somebody has told the log of.
var ErrTold = errors.New("the log has been told")

// Denied says that the control plane refuses who asks, or what they ask for.
type Denied struct{ Message string }

func (e *Denied) Error() string { return deniedType + ": " + e.Message }

// deniedType is the protocol's word for it.
const deniedType = "AccessDeniedException"

// Timers of agent-protocol.md section 3.3.
const (
	inactivity   = 60 * time.Second // plus up to as much again
	maxAge       = 30 * time.Minute // plus up to five
	dialDeadline = 30 * time.Second
)

// RunAgent keeps a session until ctx ends: it connects, does what the server says through o, and connects again after a random back-off
// that grows while nothing works. It returns ErrInactive when the instance is not known as active any more, else only ctx's end.
func RunAgent(ctx context.Context, c AgentConfig, o Orders) error {
	return c.keep(ctx, backoff{first: 250 * time.Millisecond, factor: 1.5, limit: 2 * time.Minute}, func(ctx context.Context, first bool) error {
		q := url.Values{
			"agentHash": {c.AgentHash}, "agentVersion": {c.AgentVersion}, "clusterArn": {c.Cluster}, "containerInstanceArn": {c.Instance},
			"dockerVersion": {"DockerVersion: " + c.DockerVersion}, "protocolVersion": {fmt.Sprint(acsproto.Version)},
			"sendCredentials": {fmt.Sprint(first && c.SendCredentials)}, "seqNum": {"1"},
		}
		conn, err := c.dial(ctx, q)
		if err != nil {
			return err
		}
		s := &agentSession{config: c, conn: conn, orders: o}
		return s.run(ctx)
	})
}

// keep runs one connection after another. A connection that lived for a while sets the back-off back.
func (c *AgentConfig) keep(ctx context.Context, b backoff, connect func(ctx context.Context, first bool) error) error {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	var err error
	for first := true; ; {
		began := time.Now()
		if err = c.place(ctx, err); err == nil {
			err = connect(ctx, first)
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, ErrInactive):
			return err
		}
		if lived := time.Since(began); lived > time.Minute || ordinary(err) {
			b.reset()
		}
		first = first && errors.As(err, new(*dialError))
		pause := b.next()
		if !errors.Is(err, ErrTold) {
			c.Log.Info("session ended, connecting again", "endpoint", c.Endpoint, "why", err, "in", pause.Round(time.Millisecond))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// place finds the endpoint anew where the end of the last connection asks for it.
func (c *AgentConfig) place(ctx context.Context, end error) error {
	failed := ""
	switch {
	case c.Locate == nil:
		return nil
	case errors.Is(end, errLost), errors.Is(end, errAge):
	case errors.As(end, new(*dialError)):
		failed = c.Endpoint
	default:
		return nil
	}
	endpoint, err := c.Locate(ctx, failed)
	if err != nil {
		return &dialError{fmt.Errorf("%w: %w", errLost, err)}
	}
	c.Endpoint = endpoint
	return nil
}

// errLost is a failure of Locate, which says nothing of Endpoint.
var errLost = errors.New("the control plane is not found")

// ordinary ends are no sign of trouble: the next connect comes soon.
func ordinary(err error) bool {
	switch websocket.CloseStatus(err) {
	case websocket.StatusNormalClosure, websocket.StatusGoingAway, websocket.StatusAbnormalClosure, websocket.StatusInternalError:
		return true
	}
	return errors.Is(err, errAge) || errors.Is(err, errSilent)
}

type backoff struct {
	first, limit time.Duration
	factor       float64
	now          time.Duration
}

func (b *backoff) reset() { b.now = 0 }

// next returns the pause, spread by a fifth in both directions so that agents do not come all at once.
func (b *backoff) next() time.Duration {
	if b.now = time.Duration(float64(b.now) * b.factor); b.now < b.first {
		b.now = b.first
	}
	b.now = min(b.now, b.limit)
	return time.Duration(float64(b.now) * (0.8 + 0.4*rand.Float64()))
}

// dialError is a connection that never came to be.
type dialError struct{ error }

func (e *dialError) Unwrap() error { return e.error }

// dial opens a session's websocket.
func (c *AgentConfig) dial(ctx context.Context, q url.Values) (*websocket.Conn, error) {
	conn, err := c.open(ctx, strings.TrimSuffix(c.Endpoint, "/")+"/ws?"+q.Encode())
	if c.Dialed != nil {
		err = c.Dialed(err)
	}
	return conn, err
}

// open signs and opens a websocket at target.
func (c *AgentConfig) open(ctx context.Context, target string) (*websocket.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialDeadline)
	defer cancel()
	header, err := c.sign(ctx, target, nil)
	if err != nil {
		return nil, &dialError{err}
	}
	conn, resp, err := websocket.Dial(ctx, target, &websocket.DialOptions{HTTPClient: c.HTTPClient, HTTPHeader: header, CompressionMode: websocket.CompressionDisabled})
	if err != nil {
		return nil, &dialError{c.refused(resp, err)}
	}
	conn.SetReadLimit(maxFrame)
	return conn, nil
}

// sign returns the headers that sign a GET of target with a body.
func (c *AgentConfig) sign(ctx context.Context, target string, body []byte) (http.Header, error) {
	creds, err := c.Credentials.Retrieve(ctx)
	if err != nil {
		return nil, fmt.Errorf("credentials: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return nil, fmt.Errorf("endpoint: %w", err)
	}
	sum := sha256.Sum256(body)
	if err := v4.NewSigner().SignHTTP(ctx, creds, r, hex.EncodeToString(sum[:]), "ecs", c.Region, time.Now()); err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	return r.Header, nil
}

// refused makes the server's words the error, where it said any.
func (c *AgentConfig) refused(resp *http.Response, err error) error {
	if resp == nil || resp.Body == nil {
		return err
	}
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
	if strings.Contains(string(body), InactiveInstance) || strings.Contains(string(body), InvalidInstance) {
		return fmt.Errorf("%s: %w", strings.TrimSpace(string(body)), ErrInactive)
	}
	var said map[string]string
	if json.Unmarshal(body, &said) == nil && said[deniedType] != "" {
		return fmt.Errorf("%w: %w", err, &Denied{said[deniedType]})
	}
	return fmt.Errorf("%w: %s", err, strings.TrimSpace(string(body)))
}
