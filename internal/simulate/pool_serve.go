package simulate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"berth/internal/provider"
)

// Serve answers PoolClients on l, which it closes, and runs the pool until ctx ends.
func (p *Pool) Serve(ctx context.Context, l net.Listener) error {
	s := &http.Server{Handler: p.handler(), ReadHeaderTimeout: 5 * time.Second}
	served := make(chan error, 1)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		served <- s.Serve(l)
		cancel()
	}()
	p.Run(ctx)
	s.Close() //nolint:errcheck // it ends either way
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("simulated pool: %w", err)
	}
	return nil
}

// mostBody is how large a question of a client is at most, in bytes.
const mostBody = 64 << 10

func (p *Pool) handler() http.Handler {
	mux := http.NewServeMux()
	on := func(verb string, do func(context.Context, Order) error) {
		mux.HandleFunc("POST /"+verb, func(w http.ResponseWriter, r *http.Request) {
			var o Order
			err := json.NewDecoder(http.MaxBytesReader(w, r.Body, mostBody)).Decode(&o)
			if err == nil {
				err = do(r.Context(), o)
			}
			if err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
			}
		})
	}
	on("launch", p.Launch)
	on("terminate", func(ctx context.Context, o Order) error { return p.Terminate(ctx, o.ID) })
	mux.HandleFunc("POST /list", func(w http.ResponseWriter, _ *http.Request) {
		json.NewEncoder(w).Encode(p.List()) //nolint:errcheck // the client is gone then
	})
	return mux
}

// PoolClient is an instance provider: it asks a Pool that another process serves.
type PoolClient struct {
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// OnSocket is a client of the pool that is served on a unix socket.
func OnSocket(path string) *PoolClient {
	return &PoolClient{Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}}
}

var _ provider.Provider = (*PoolClient)(nil)

// Launch asks for a member.
func (c *PoolClient) Launch(ctx context.Context, o provider.Order) error {
	return c.ask(ctx, "launch", Order{o.ID, o.Zone, o.Architecture, o.CPUUnits, o.MemoryMiB, string(o.Token)}, nil)
}

// Terminate asks for the end of a member, and returns when nothing of it runs any more.
func (c *PoolClient) Terminate(ctx context.Context, id string) error {
	return c.ask(ctx, "terminate", Order{ID: id}, nil)
}

// List asks which members there are.
func (c *PoolClient) List(ctx context.Context) (ids []string, err error) {
	return ids, c.ask(ctx, "list", Order{}, &ids)
}

func (c *PoolClient) ask(ctx context.Context, verb string, o Order, out any) error {
	fail := func(reason string, err error) error {
		return &provider.Failure{Verb: verb, Member: o.ID, Reason: reason, Err: err}
	}
	if verb != "list" {
		if err := provider.CheckID(o.ID); err != nil {
			return fail(err.Error(), err)
		}
	}
	body, err := json.Marshal(o)
	if err != nil {
		return fail("the order is not one", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://pool/"+verb, bytes.NewReader(body))
	if err != nil {
		return fail("the verb is not one", err)
	}
	resp, err := (&http.Client{Transport: &http.Transport{DialContext: c.Dial, DisableKeepAlives: true}}).Do(r)
	if err != nil {
		return fail("the simulated pool does not answer; `berth simulate --pool` serves it", err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	switch {
	case err != nil:
		return fail("the simulated pool's answer ended", err)
	case resp.StatusCode != http.StatusOK:
		err := errors.New(string(bytes.TrimSpace(text)))
		return fail(err.Error(), err)
	case out == nil:
		return nil
	}
	return json.Unmarshal(text, out)
}
