package ecr

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"berth/internal/golden"
)

// Stories, a request a line and a second a request. "wait 24h" lets more time pass, "sweep" sweeps, "push NAME TAG CONTENT" pushes an image of one layer
// as docker does, by its digest where the tag is a dash.
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
	words := strings.Fields(line)
	switch words[0] {
	case "sweep":
		if err := a.api.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		return ""
	case "wait":
		d, err := time.ParseDuration(words[1])
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(d)
		return ""
	case "push":
		time.Sleep(time.Second)
		return "> " + line + "\n" + a.push(t, words[1], words[2], words[3]).String() + "\n"
	}
	time.Sleep(time.Second)
	return "> " + line + "\n" + a.tell(t, line)
}
