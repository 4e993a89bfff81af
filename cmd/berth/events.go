package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"berth/internal/events"
)

// eventsPath is where the stream of events is read.
const eventsPath = "/berth/v1/events"

func eventsCommand() *cobra.Command {
	var data, cluster, format string
	var follow bool
	c := &cobra.Command{
		Use: "events --follow", Short: "Show what happens: events of tasks, container instances, services and deployments", Args: cobra.NoArgs,
		Long: `Show what happens from now on, one line an event. With --output json each line is the event as Amazon EventBridge delivers it.
It connects again when the control plane goes away, and goes on where it was; what it has missed it says on standard error.`,
		Example: "  berth events --follow --cluster demo\n  berth events --follow --output json |\n    jq 'select(.\"detail-type\" == \"ECS Task State Change\") | .detail.lastStatus'",
		RunE: func(c *cobra.Command, _ []string) error {
			if !follow {
				return errors.New("events are a stream and not kept: say --follow")
			}
			k, err := openClient(data)
			if err != nil {
				return err
			}
			f := &follower{client: k, cluster: cluster, out: c.OutOrStdout(), problems: c.ErrOrStderr(), pause: time.Second, silence: time.Minute}
			f.show = f.line(width(f.out), cluster == "")
			if format == "json" {
				f.show = func(text []byte, _ told) error { _, err := fmt.Fprintf(f.out, "%s\n", text); return err }
			}
			return f.run(c.Context())
		},
	}
	dataFlag(c, &data)
	outputFlag(c, &format)
	c.Flags().BoolVar(&follow, "follow", false, "go on until Ctrl-C")
	c.Flags().StringVar(&cluster, "cluster", "", "only events of this cluster, a name or an ARN")
	return c
}

// follower reads the stream and connects again.
type follower struct {
	client         *client
	cluster        string
	out, problems  io.Writer
	show           func(text []byte, e told) error
	pause, silence time.Duration // before a connection is tried again; after which a silent one is given up

	connected bool            // once
	position  string          // the commit to go on after, "" before the first
	seen      map[string]bool // ids of events that were shown since then
}

// told is what of an event is needed here.
type told struct {
	ID         string
	DetailType string `json:"detail-type"`
	Source     string
	Time       time.Time
	Resources  []string
	Detail     json.RawMessage
}

// errShow is an error of where the events go, which another connection does not mend.
type errShow struct{ error }

// run follows until ctx ends, or the events cannot be shown. A first connection that fails is an error.
func (f *follower) run(ctx context.Context) error {
	for tries := 0; ; tries++ {
		had := f.connected
		err := f.read(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.As(err, new(errShow)) || !f.connected:
			return err
		case !had:
			tries = 0
		}
		fmt.Fprintf(f.problems, "berth: the stream of events ended, connecting again: %v\n", err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(min(f.pause<<min(tries, 4), 15*f.pause)):
		}
	}
}

// read is one connection.
func (f *follower) read(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	q := url.Values{}
	if f.cluster != "" {
		q.Set("cluster", f.cluster)
	}
	if f.position != "" {
		q.Set("after", f.position)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, f.client.endpoint+eventsPath+"?"+q.Encode(), nil)
	if err != nil {
		return err
	}
	silent := time.AfterFunc(f.silence, func() { cancel(errors.New("nothing came for too long")) })
	defer silent.Stop()
	resp, err := f.client.send(ctx, r, nil)
	if err != nil {
		return errors.Join(err, context.Cause(ctx))
	}
	defer resp.Body.Close()
	f.connected = true
	lines := bufio.NewReaderSize(resp.Body, 64<<10)
	for {
		text, err := lines.ReadBytes('\n')
		if err != nil {
			return errors.Join(err, context.Cause(ctx))
		}
		silent.Reset(f.silence)
		if text = text[:len(text)-1]; len(text) == 0 {
			continue
		}
		if err := f.take(text); err != nil {
			return err
		}
	}
}

// take shows an event, or notes what the stream says of itself.
func (f *follower) take(text []byte) error {
	var e told
	if err := json.Unmarshal(text, &e); err != nil {
		return fmt.Errorf("read the stream of events: %w", err)
	}
	if e.Source != "berth" {
		if f.seen[e.ID] {
			return nil
		}
		if err := f.show(text, e); err != nil {
			return errShow{fmt.Errorf("show an event: %w", err)}
		}
		if f.seen == nil {
			f.seen = map[string]bool{}
		}
		f.seen[e.ID] = true
		return nil
	}
	var r events.Remark
	if err := json.Unmarshal(e.Detail, &r); err != nil {
		return fmt.Errorf("read the stream of events: %w", err)
	}
	switch e.DetailType {
	case events.Missed:
		fmt.Fprintf(f.problems, "berth: events were missed: %s\n", r.Reason)
	case events.End:
		return errors.New(r.Reason)
	}
	if at := strconv.FormatUint(r.Commit, 10); at != f.position {
		f.position, f.seen = at, nil
	}
	return nil
}

// line shows events as lines of at most so many characters (0: as long as they are).
func (f *follower) line(width int, withCluster bool) func([]byte, told) error {
	return func(_ []byte, e told) error {
		_, err := fmt.Fprintln(f.out, eventLine(e, width, withCluster, time.Local))
		return err
	}
}

// width is that of the terminal behind out, 0 where there is none.
func width(out io.Writer) int {
	if f, ok := out.(*os.File); ok {
		return columns(f)
	}
	return 0
}
