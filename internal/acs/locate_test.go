package acs

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestAgentGoesToAnotherReplica: an agent whose replica is gone asks where else to go, and how often that fails does not matter. One whose
// session has grown old asks as well.
func TestAgentGoesToAnotherReplica(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := start(t), start(t)
		c := a.config("/acs/")
		c.Endpoint = "http://a/acs/"
		c.HTTPClient = &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if address == "a:80" {
				return a.net.Dial(ctx, network, address)
			}
			return b.net.Dial(ctx, network, address)
		}}}
		var mu sync.Mutex
		var asked []string
		c.Locate = func(_ context.Context, failed string) (string, error) {
			mu.Lock()
			defer mu.Unlock()
			if asked = append(asked, failed); len(asked) == 1 {
				return "", errors.New("the next one does not answer either")
			}
			return "http://b/acs/", nil
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- RunAgent(ctx, c, &machine{}) }()
		time.Sleep(time.Second)
		if a.connected() != 1 || len(asked) != 0 {
			t.Fatalf("%d connects, asked for %q", a.connected(), asked)
		}
		a.net.Close()
		a.net.Cut()
		time.Sleep(10 * time.Second)
		mu.Lock()
		if b.connected() != 1 || !slices.Equal(asked, []string{"http://a/acs/", ""}) {
			t.Errorf("%d connects to the other one, asked for %q", b.connected(), asked)
		}
		mu.Unlock()
		time.Sleep(40 * time.Minute)
		mu.Lock()
		if b.connected() != 2 || len(asked) != 3 || asked[2] != "" {
			t.Errorf("after the session's age: %d connects, asked for %q", b.connected(), asked)
		}
		mu.Unlock()
		cancel()
		<-done
		c.HTTPClient.CloseIdleConnections()
	})
}

// TestLocateTellsOfTheEnd: where another replica says that the instance is not known, the agent is told.
func TestLocateTellsOfTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t)
		w.net.Close()
		c := w.config("/acs/")
		c.Locate = func(context.Context, string) (string, error) { return "", ErrInactive }
		if err := RunAgent(t.Context(), c, &machine{}); !errors.Is(err, ErrInactive) {
			t.Errorf("got %v", err)
		}
	})
}

// TestUnknownInstanceIsAnEnd: an agent whose instance the control plane does not know any more is told as one that is deregistered.
func TestUnknownInstanceIsAnEnd(t *testing.T) {
	for _, kind := range []string{InactiveInstance, InvalidInstance} {
		synctest.Test(t, func(t *testing.T) {
			w := start(t)
			w.refuse = &Refusal{Kind: kind, Message: "no"}
			c := w.config("/acs/")
			defer c.HTTPClient.CloseIdleConnections()
			if err := RunAgent(t.Context(), c, &machine{}); !errors.Is(err, ErrInactive) {
				t.Errorf("%s: got %v", kind, err)
			}
			if err := RunTelemetry(t.Context(), w.config("/tcs/"), nil, nil); !errors.Is(err, ErrInactive) {
				t.Errorf("%s: telemetry: got %v", kind, err)
			}
		})
	}
}
