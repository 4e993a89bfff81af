package logs

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"berth/internal/golden"
)

// Stories, a request a line and a second a request. "wait 24h" lets more time pass, "sweep" sweeps; @-5m is the time five minutes ago, and
// #nextToken what the latest answer has under that name.
func TestStories(t *testing.T) {
	golden.Run(t, "testdata/*.txtar", func(t *testing.T, in map[string]string) (out string) {
		synctest.Test(t, func(t *testing.T) {
			s := &teller{account: seeded(t)}
			for line := range strings.Lines(in["requests"]) {
				out += s.hear(t, strings.TrimSpace(line))
			}
		})
		return out
	})
}

// teller tells a story.
type teller struct {
	*account
	latest string
}

var (
	ago   = regexp.MustCompile(`@([+-][0-9a-z]+)`)
	token = regexp.MustCompile(`#(next[A-Za-z]*)`)
)

func (s *teller) hear(t *testing.T, line string) string {
	t.Helper()
	if line == "sweep" {
		if err := s.api.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		return ""
	}
	if wait, is := strings.CutPrefix(line, "wait "); is {
		time.Sleep(duration(t, wait))
		return ""
	}
	time.Sleep(time.Second)
	body := ago.ReplaceAllStringFunc(line, func(text string) string {
		return strconv.FormatInt(time.Now().Add(duration(t, text[1:])).UnixMilli(), 10)
	})
	body = token.ReplaceAllStringFunc(body, func(name string) string {
		_, after, found := strings.Cut(s.latest, fmt.Sprintf("%q: \"", name[1:]))
		if !found {
			t.Fatalf("%s: the latest answer has no %s", line, name)
		}
		value, _, _ := strings.Cut(after, `"`)
		return value
	})
	s.latest = s.tell(t, body)
	return "> " + line + "\n" + s.latest
}

func duration(t *testing.T, text string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
