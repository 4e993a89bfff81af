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
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"berth/internal/trail"
)

// auditAsk are the flags of `berth audit`.
type auditAsk struct {
	data, format                       string
	role, user, principal, event, task string
	since                              string
	errors, denied, follow             bool
	limit                              int
}

func auditCommand() *cobra.Command {
	var a auditAsk
	c := &cobra.Command{
		Use: "audit", Short: "Show who called what, and which statement of a policy allowed or denied it", Args: cobra.NoArgs,
		Long: `Show the calls of every service's API: who made them, what they were about, and which policy's statement allowed or denied them. With --output json
they are CloudTrail's records, {"Records": [...]}; with --follow one a line.

Each replica of the control plane writes down what it answers: the leader all that changes something, the others the reads that they are asked for. This shows the
records of the replica that --data's installation is reached at. aws cloudtrail lookup-events shows the same records.`,
		Example: "  berth audit --role deployer --since 1h\n  berth audit --denied --follow\n  berth audit --task 0f9de17a6465404e8b1b2356dc13c2f8\n" +
			"  berth audit --event RunTask --output json |\n    jq -r '.Records[] | [.userIdentity.arn, .additionalEventData.decisions[0].policy] | @tsv'",
		RunE: func(c *cobra.Command, _ []string) error {
			k, err := openClient(a.data)
			if err != nil {
				return err
			}
			return a.run(c.Context(), k, c.OutOrStdout())
		},
	}
	dataFlag(c, &a.data)
	outputFlag(c, &a.format)
	f := c.Flags()
	f.StringVar(&a.role, "role", "", "only what a role did, or who assumed it: its name or ARN")
	f.StringVar(&a.user, "user", "", "only what a user did: its name or ARN")
	f.StringVar(&a.principal, "principal", "", "only what a caller did whose ARN or principal id has this in it")
	f.StringVar(&a.event, "event", "", "only calls of an operation, as RunTask")
	f.StringVar(&a.task, "task", "", "only what is about a task, or what its containers and agent called: its id or ARN")
	f.BoolVar(&a.errors, "errors", false, "only what failed")
	f.BoolVar(&a.denied, "denied", false, "only what the caller had no right to")
	f.StringVar(&a.since, "since", "", "all since a time (2026-11-30T00:22:00Z), or for so long (1h) (default: the last 50)")
	f.IntVar(&a.limit, "limit", 0, "only so many, the newest")
	f.BoolVar(&a.follow, "follow", false, "go on with what comes, until Ctrl-C")
	return c
}

// query is what the server is asked for; now is what --since counts from.
func (a *auditAsk) query(now time.Time) (url.Values, error) {
	q := url.Values{}
	for name, v := range map[string]string{"role": a.role, "user": a.user, "principal": a.principal, "event": a.event, "task": a.task} {
		if v != "" {
			q.Set(name, v)
		}
	}
	for name, is := range map[string]bool{"errors": a.errors, "denied": a.denied, "follow": a.follow} {
		if is {
			q.Set(name, "true")
		}
	}
	if a.limit != 0 {
		q.Set("limit", strconv.Itoa(a.limit))
	}
	if a.since == "" {
		return q, nil
	}
	since, err := time.Parse(time.RFC3339, a.since)
	if err != nil {
		d, err := time.ParseDuration(a.since)
		if err != nil || d < 0 {
			return nil, fmt.Errorf("--since %s: want a time, as %s, or how long ago, as 90m", a.since, now.UTC().Format(time.RFC3339))
		}
		since = now.Add(-d)
	}
	q.Set("since", since.UTC().Format(time.RFC3339))
	return q, nil
}

// run reads records and shows each as it comes.
func (a *auditAsk) run(ctx context.Context, k *client, out io.Writer) error {
	q, err := a.query(time.Now())
	if err != nil {
		return err
	}
	show, end := a.table(out)
	switch a.format {
	case "json":
		show, end = a.records(out)
	case "text":
	default:
		return fmt.Errorf("--output %s: want text or json", a.format)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, k.endpoint+auditPath+"?"+q.Encode(), nil)
	if err != nil {
		return err
	}
	resp, err := k.send(ctx, r, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := eachRecord(resp.Body, show); err != nil && ctx.Err() == nil {
		return err
	}
	return end()
}

// eachRecord shows each line of an answer that is no blank one.
func eachRecord(body io.Reader, show func(line []byte) error) error {
	lines := bufio.NewReaderSize(body, 64<<10)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return nil
		}
		if err != nil {
			return fmt.Errorf("the control plane stopped answering: %w", err)
		}
		if len(line) <= 1 {
			continue
		}
		if err := show(line[:len(line)-1]); err != nil {
			return err
		}
	}
}

// records shows them as CloudTrail's files have them, or one a line where it goes on.
func (a *auditAsk) records(out io.Writer) (show func([]byte) error, end func() error) {
	if a.follow {
		return func(line []byte) error { _, err := fmt.Fprintf(out, "%s\n", line); return err }, func() error { return nil }
	}
	before := "{\"Records\": [\n"
	return func(line []byte) error {
			_, err := fmt.Fprintf(out, "%s%s", before, line)
			before = ",\n"
			return err
		}, func() error {
			if before != ",\n" {
				_, err := fmt.Fprintln(out, `{"Records": []}`)
				return err
			}
			_, err := fmt.Fprintln(out, "\n]}")
			return err
		}
}

// table shows each in a line that fits the terminal.
func (a *auditAsk) table(out io.Writer) (show func([]byte) error, end func() error) {
	w, first := width(out), true
	return func(line []byte) error {
		var r trail.Record
		if err := json.Unmarshal(line, &r); err != nil {
			return fmt.Errorf("read the audit log: %w", err)
		}
		if first {
			first = false
			if _, err := fmt.Fprintln(out, cut(auditHead, w)); err != nil {
				return err
			}
		}
		_, err := fmt.Fprintln(out, auditLine(&r, w, time.Local))
		return err
	}, func() error { return nil }
}
