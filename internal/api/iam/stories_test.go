package iam

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"berth/internal/golden"
)

// Stories, a request a line and a second a request. A line that begins with "quietly " makes something of which the answer is not looked at; "wait 5m" lets
// more time pass.
func TestStories(t *testing.T) {
	golden.Run(t, "testdata/*.txtar", func(t *testing.T, in map[string]string) (out string) {
		synctest.Test(t, func(t *testing.T) {
			a := newAccount(t)
			for line := range strings.Lines(in["requests"]) {
				out += a.hear(t, strings.TrimSpace(line))
			}
		})
		return out
	})
}

func (a *account) hear(t *testing.T, line string) string {
	t.Helper()
	if wait, is := strings.CutPrefix(line, "wait "); is {
		d, err := time.ParseDuration(wait)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(d)
		return ""
	}
	time.Sleep(time.Second)
	if quiet, is := strings.CutPrefix(line, "quietly "); is {
		a.must(t, quiet)
		return ""
	}
	return "> " + line + "\n" + a.tell(t, line)
}
