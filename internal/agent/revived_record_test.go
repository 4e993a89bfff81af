package agent

import (
	"strings"
	"testing"
	"time"
)

// TestRevivedWhileAStepIsUnderWay: what the engine tells of a start while a step is under way counts once the step has found that the container
// has ended. Words: "started", "died" and "other" (started, under another id) are events; "seen:up" and "seen:ended" what the step finds; "idle" its end.
func TestRevivedWhileAStepIsUnderWay(t *testing.T) {
	for _, c := range []struct {
		name, record, words string
		want                bool
	}{
		{"ended before", "a!=stopped+exit0", "started", true},
		{"ended before, and again", "a!=stopped+exit0", "started died", false},
		{"another container", "a!=stopped+exit0", "other", false},
		{"while it is stopped", "stop a!=running+busy", "died started seen:ended idle", true},
		{"while it is stopped, its end heard before", "stop a!=running+busy", "died started seen:up idle", true},
		{"while it is stopped, its end unheard", "stop a!=running+busy", "started seen:up idle", false},
		{"while its end is looked at", "a!=running+busy", "started seen:ended idle", true},
		{"its own start", "a!=created+busy", "started seen:up idle", false},
		{"its own start, and a quick death", "a!=created+busy", "started died seen:up idle", false},
		{"its own start, a quick death, and a start", "a!=created+busy", "started died started seen:up idle", true},
		{"a start that failed, it seemed", "a!=created+busy", "started failed idle", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := parseRecord(c.record)
			a := &r.Containers[0]
			a.ID = "id"
			for _, w := range strings.Fields(c.words) {
				switch w {
				case "started":
					r.happened(a, Event{Kind: Started, ID: "id", At: noon})
				case "other":
					r.happened(a, Event{Kind: Started, ID: "other", At: noon})
				case "died":
					r.happened(a, Event{Kind: Died, ID: "id", At: noon})
				case "seen:up":
					r.observe(a, &Observed{ID: "id", State: Running, StartedAt: noon}, "", noon)
				case "seen:ended":
					r.observe(a, &Observed{ID: "id", State: Exited, StartedAt: noon, FinishedAt: noon.Add(time.Second)}, "", noon)
				case "failed":
					a.end(noon, nil, "CannotStartContainerError: no")
				case "idle":
					r.idle(a)
				}
			}
			if a.Revived != c.want || a.Revived && a.Phase != Ended {
				t.Errorf("phase %v, revived %v, want %v", a.Phase, a.Revived, c.want)
			}
		})
	}
	t.Run("it never had an id", func(t *testing.T) {
		r := parseRecord("a!=stopped+never")
		if !r.happened(&r.Containers[0], Event{Kind: Started, ID: "id", At: noon}) || !r.Containers[0].Revived {
			t.Error("nothing is to be done")
		}
	})
}
