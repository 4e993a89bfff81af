package stream

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/pipenet"
	"berth/internal/state"
	"berth/internal/state/statetest"
)

// TestReaderThatTakesNothingIsCutOff: its connection is full; after the write's deadline the stream ends, and nobody has waited for it.
func TestReaderThatTakesNothingIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := statetest.Open(t)
		hub := New(Config{State: store, Linger: time.Second})
		ctx, cancel := context.WithCancel(t.Context())
		ran := make(chan error, 1)
		go func() { ran <- hub.Run(ctx) }()
		nw := pipenet.New()
		srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			hub.ServeHTTP(w, r, &frontdoor.Request{Scope: home})
		})}
		go srv.Serve(nw) //nolint:errcheck // ends with Close
		t.Cleanup(func() { cancel(); <-ran; srv.Close(); nw.Close() })

		c, err := nw.Dial(t.Context(), "tcp", "berth:80")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: berth\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if hub.Readers() != 1 {
			t.Fatal("no reader")
		}
		for n := range 20 { // a megabyte of lines
			if err := store.Update(t.Context(), func(tx *state.Tx) error {
				for k := range 50 {
					tx.Put(&ecs.Task{TaskArn: home.Cluster("c").Task(fmt.Sprint(n*50 + k)), Version: 1, LastStatus: ecs.Pending, DesiredStatus: ecs.Running})
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		time.Sleep(writeWithin - time.Second)
		if hub.Readers() != 1 {
			t.Error("it was given no time")
		}
		time.Sleep(2 * time.Second)
		if hub.Readers() != 0 {
			t.Error("it still reads")
		}
	})
}
