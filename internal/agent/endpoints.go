package agent

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	smithyendpoints "github.com/aws/smithy-go/endpoints"

	"berth/internal/sdkhttp"
)

// endpoints are the replicas of the control plane. An agent uses one of them, drawn at random so that agents spread, and goes on with
// another one when it fails.
type endpoints struct {
	all []string

	mu     sync.Mutex
	now    int
	failed []time.Time // when each failed last
}

// lately is how long a replica that failed is not chosen while there are others.
const lately = time.Minute

func newEndpoints(all []string) *endpoints {
	e := &endpoints{failed: make([]time.Time, len(all))}
	for _, one := range all {
		e.all = append(e.all, strings.TrimSuffix(one, "/"))
	}
	if len(all) > 0 {
		e.now = rand.N(len(all))
	}
	return e
}

// current is the replica to use.
func (e *endpoints) current() string {
	if len(e.all) == 0 {
		return ""
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.all[e.now]
}

// fail takes note that a replica did not answer, or could not: another one is used from now on. It is named by any URL of it.
func (e *endpoints) fail(of string) {
	host := hostOf(of)
	e.mu.Lock()
	defer e.mu.Unlock()
	for n, one := range e.all {
		if hostOf(one) != host {
			continue
		}
		e.failed[n] = time.Now()
		if n == e.now {
			e.draw()
		}
	}
}

// renew draws again, so that a replica that comes back gets its share of agents.
func (e *endpoints) renew() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.draw()
}

// draw chooses at random among those that have not failed lately or, where all have, the one whose failure is the longest ago.
func (e *endpoints) draw() {
	var well []int
	oldest := e.now
	for n, at := range e.failed {
		if time.Since(at) >= lately {
			well = append(well, n)
		}
		if at.Before(e.failed[oldest]) {
			oldest = n
		}
	}
	if e.now = oldest; len(well) > 0 {
		e.now = well[rand.N(len(well))]
	}
}

func hostOf(text string) string {
	if u, err := url.Parse(text); err == nil {
		return u.Host
	}
	return ""
}

// ResolveEndpoint has the SDK's client call the current replica. A call that is tried again may so reach another one.
func (e *endpoints) ResolveEndpoint(context.Context, awsecs.EndpointParameters) (smithyendpoints.Endpoint, error) {
	u, err := url.Parse(e.current())
	if err != nil {
		return smithyendpoints.Endpoint{}, err
	}
	return smithyendpoints.Endpoint{URI: *u}, nil
}

// caller sends the SDK's requests and learns from them which replicas fail.
type caller struct {
	awsecs.HTTPClient
	endpoints *endpoints
}

func newCaller(c *http.Client, e *endpoints) *caller {
	if c == nil {
		return &caller{sdkhttp.New(), e}
	}
	return &caller{c, e}
}

// Do sends a request. An answer that came is no failure, unless the replica says that it cannot serve.
func (c *caller) Do(r *http.Request) (*http.Response, error) {
	resp, err := c.HTTPClient.Do(r)
	switch {
	case err != nil && !errors.Is(r.Context().Err(), context.Canceled), err == nil && resp.StatusCode >= http.StatusInternalServerError:
		c.endpoints.fail(r.URL.String())
	}
	return resp, err
}
