package secretsmanager

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"berth/internal/golden"
)

// Stories, a request a line and a second a request. "wait 24h" lets more time pass, "sweep" sweeps, and #1 is a version id of 32 characters.
func TestStories(t *testing.T) {
	golden.Run(t, "testdata/*.txtar", func(t *testing.T, in map[string]string) (out string) {
		synctest.Test(t, func(t *testing.T) {
			a := seeded(t)
			for line := range strings.Lines(in["requests"]) {
				out += a.hear(t, strings.TrimSpace(line))
			}
		})
		return out
	})
}

func (a *account) hear(t *testing.T, line string) string {
	t.Helper()
	if line == "sweep" {
		if err := a.api.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		return ""
	}
	if wait, is := strings.CutPrefix(line, "wait "); is {
		d, err := time.ParseDuration(wait)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(d)
		return ""
	}
	time.Sleep(time.Second)
	return "> " + line + "\n" + a.tell(t, line)
}
