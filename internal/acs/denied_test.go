package acs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestDialed: who asks is told how each try to connect ended, in the control plane's words, and what they have told the log of is not told again.
func TestDialed(t *testing.T) {
	for _, told := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := start(t)
			var allowed atomic.Bool
			w.mux.HandleFunc("/behind/ws", func(rw http.ResponseWriter, r *http.Request) {
				if allowed.Load() {
					w.hub.ServeACS(rw, r)
					return
				}
				rw.WriteHeader(http.StatusForbidden)
				io.WriteString(rw, `{"AccessDeniedException":"User: u is not authorized"}`) //nolint:errcheck // the agent reads it
			})
			var log bytes.Buffer
			tries, connected := 0, 0
			c := w.config("/behind/")
			c.Log = slog.New(slog.NewTextHandler(&log, nil))
			c.Dialed = func(err error) error {
				var denied *Denied
				switch {
				case err == nil:
					connected++
					return nil
				case !errors.As(err, &denied) || denied.Message != "User: u is not authorized":
					t.Errorf("told of %v", err)
				}
				if tries++; told {
					return fmt.Errorf("%w: %w", ErrTold, err)
				}
				return err
			}
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- RunAgent(ctx, c, &machine{}) }()
			time.Sleep(10 * time.Minute)
			allowed.Store(true)
			time.Sleep(5 * time.Minute)
			cancel()
			<-done
			c.HTTPClient.CloseIdleConnections()
			said := strings.Count(log.String(), "session ended")
			if tries < 5 || connected != 1 || told && said != 0 || !told && said != tries {
				t.Errorf("told %v: %d tries, %d connections, %d lines:\n%s", told, tries, connected, said, log.String())
			}
		})
	}
}
