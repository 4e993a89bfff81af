package awslogs

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"berth/internal/agent"
)

func taken(q *queue) (texts []string) {
	for _, e := range q.take() {
		texts = append(texts, fmt.Sprintf("%s @%d+%d", e.text, e.mark.At.Unix(), e.mark.Lines))
	}
	return texts
}

func line(at int64, text string) agent.LogLine {
	return agent.LogLine{At: time.Unix(at, 0), Text: []byte(text)}
}

func TestSeveralLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, err := read(source(map[string]string{"awslogs-group": "g", "awslogs-multiline-pattern": `^(INFO|ERROR)`}), "us-east-1")
		if err != nil {
			t.Fatal(err)
		}
		q := newQueue(o, agent.LogMark{})
		for i, text := range []string{"  of before", "ERROR one", "  at a", "  at b", "INFO two", "INFO three"} {
			if err := q.add(t.Context(), line(int64(i/2), text)); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff([]string{"  of before @0+1", "ERROR one\n  at a\n  at b @1+2", "INFO two @2+1"}, taken(q)); diff != "" {
			t.Error(diff)
		}
		q.releaseOld(false)
		if got := taken(q); got != nil {
			t.Errorf("an event that may have more lines is sent: %q", got)
		}
		time.Sleep(holdDefault)
		q.releaseOld(false)
		if diff := cmp.Diff([]string{"INFO three @2+2"}, taken(q)); diff != "" {
			t.Error(diff)
		}
	})
}

// TestForceFlush: an event waits as long for more lines as the option says.
func TestForceFlush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, err := read(source(map[string]string{"awslogs-group": "g", "awslogs-multiline-pattern": `^x`, "awslogs-force-flush-interval-seconds": "60"}), "us-east-1")
		if err != nil {
			t.Fatal(err)
		}
		q := newQueue(o, agent.LogMark{})
		if err := q.add(t.Context(), line(1, "x")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(59 * time.Second)
		q.releaseOld(false)
		if got := taken(q); got != nil {
			t.Errorf("after less than a minute: %q", got)
		}
		time.Sleep(time.Second)
		q.releaseOld(false)
		if got := taken(q); len(got) != 1 {
			t.Errorf("after a minute: %q", got)
		}
	})
}

// TestRoom: a line that finds no room waits, and one that is longer than all room does not.
func TestRoom(t *testing.T) {
	q := newQueue(options{}, agent.LogMark{})
	if err := q.add(t.Context(), line(1, strings.Repeat("x", mostBytes))); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- q.add(ctx, line(2, "y")) }()
	if n := len(q.take()); n != 1 {
		t.Errorf("took %d", n)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	for range mostEvents - 1 {
		if err := q.add(t.Context(), line(3, "z")); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	if err := q.add(ctx, line(4, "no room")); err == nil {
		t.Error("there was room")
	}
	if n := len(q.take()); n != mostEvents {
		t.Errorf("took %d", n)
	}
}

func TestOptions(t *testing.T) {
	for _, test := range []struct {
		options map[string]string
		stream  string
		err     string
	}{
		{webOptions(), webStream, ""},
		{map[string]string{"awslogs-group": "g"}, "c0ffee", ""},
		{map[string]string{"awslogs-group": "g", "awslogs-stream": "mine", "awslogs-stream-prefix": "web"}, "mine", ""},
		{map[string]string{"awslogs-group": "g", "tag": "{{.Name}}/{{.ID}}"}, "app/c0ffee", ""},
		{map[string]string{"awslogs-group": "g", "tag": "{{.ImageName}}"}, "", "the template of log opt 'tag' can have {{.ID}}, {{.FullID}} and {{.Name}} only: {{.ImageName}}"},
		{map[string]string{}, "", "must specify a value for log opt 'awslogs-group'"},
		{map[string]string{"awslogs-group": "g", "awslogs-create-group": "maybe"}, "",
			`must specify valid value for log opt 'awslogs-create-group': strconv.ParseBool: parsing "maybe": invalid syntax`},
		{map[string]string{"awslogs-group": "g", "awslogs-multiline-pattern": "a", "awslogs-datetime-format": "%Y"}, "",
			"you cannot configure log opt 'awslogs-datetime-format' and 'awslogs-multiline-pattern' at the same time"},
		{map[string]string{"awslogs-group": "g", "awslogs-multiline-pattern": "("}, "",
			"awslogs-multiline-pattern could not parse multiline pattern key \"(\": error parsing regexp: missing closing ): `(`"},
		{map[string]string{"awslogs-group": "g", "awslogs-format": "json/emf"}, "c0ffee", ""},
		{map[string]string{"awslogs-group": "g", "awslogs-format": "text"}, "", "unsupported log format 'text'"},
		{map[string]string{"awslogs-group": "g", "awslogs-format": "json/emf", "awslogs-datetime-format": "%Y"}, "",
			"you cannot configure log opt 'awslogs-datetime-format' or 'awslogs-multiline-pattern' when log opt 'awslogs-format' is set to 'json/emf'"},
		{map[string]string{"awslogs-group": "g", "awslogs-force-flush-interval-seconds": "0"}, "",
			"must specify a positive integer for log opt 'awslogs-force-flush-interval-seconds': 0"},
	} {
		o, err := read(source(test.options), "us-east-1")
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != test.err || err == nil && o.stream != test.stream || err == nil && o.region != "us-east-1" {
			t.Errorf("%v: stream %q in %q, error %s", test.options, o.stream, o.region, got)
		}
	}
}

// TestDatetime: dates are matched, and what is none is a regular expression, as in the engine's own driver.
func TestDatetime(t *testing.T) {
	at := time.Date(2026, 11, 29, 7, 5, 9, 123456000, time.UTC)
	for format, layout := range map[string]string{
		"%Y-%m-%d %H:%M:%S": time.DateTime, `\[%b %d, %Y %H:%M:%S\]`: "[Jan 02, 2006 15:04:05]", "%a %d %B %y %I:%M %p": "Mon 02 January 06 03:04 PM",
		"%H:%M:%S%L": "15:04:05.000", "%f": "150405", "%j %%": "002 %", "%d %z": "02 -0700", "%A": "Monday", `\(%q`: "(%q",
	} {
		r, err := begins(format, "")
		if err != nil {
			t.Errorf("%s: %v", format, err)
			continue
		}
		text := at.Format(layout)
		if !r.MatchString("x "+text+" y") || r.MatchString("no date") {
			t.Errorf("%s is %s, on %q: %v", format, r, text, r.MatchString(text))
		}
	}
	r, err := begins(`^(ERROR|INFO) \[%Y\]`, "")
	if err != nil || !r.MatchString("INFO [2026] a") || r.MatchString("an INFO [2026]") || r.MatchString("INFO 2026") {
		t.Errorf("%s, %v", r, err)
	}
}
