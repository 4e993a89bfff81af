package agent

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"berth/internal/acsproto"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// parseRecord reads a record in shorthand, one container a word: name, "!" if essential, "=" phase, and then any of "+seen-not", "+busy",
// "+doomed", "+healthy", "+revived", "+again", "+exit3", "+never" (never started), "<dep:CONDITION" and "<dep:CONDITION:startTimeout". A first word "stop", "orphan" or "adopted" is the
// task's.
func parseRecord(text string) *Record {
	r := &Record{Task: acsproto.Task{ARN: "arn:aws:ecs:us-east-1:1:task/c/t"}, Network: "bridge"}
	for _, word := range strings.Fields(text) {
		switch word {
		case "stop":
			r.Stop = true
			continue
		case "orphan":
			r.Stop, r.Orphan = true, true
			continue
		case "adopted":
			r.Adopted = true
			continue
		case "closed":
			r.Closed = true
			continue
		}
		parseContainer(r, word)
	}
	return r
}

func parseContainer(r *Record, word string) {
	word, gates, _ := strings.Cut(word, "<")
	flags := strings.Split(word, "+")
	name, phase, _ := strings.Cut(flags[0], "=")
	c, o := Container{}, acsproto.Container{}
	name, o.Essential = strings.CutSuffix(name, "!")
	c.Name, o.Name = name, name
	for p := Waiting; p <= Ended; p++ {
		if p.String() == phase {
			c.Phase = p
		}
	}
	if c.Phase >= Up {
		c.StartedAt = noon.Add(-10 * time.Second)
	}
	for _, f := range flags[1:] {
		switch f {
		case "unseen":
			c.Unseen = true
		case "busy":
			c.Busy = true
		case "doomed":
			c.Doomed = true
		case "revived":
			c.Revived = true
		case "healthy":
			c.Health = "HEALTHY"
		case "again":
			c.Restarts, c.StartedAt, c.FinishedAt = 1, noon.Add(-10*time.Second), noon.Add(-time.Second)
		case "never":
			c.StartedAt = time.Time{}
		default:
			var code int
			if _, err := fmt.Sscanf(f, "exit%d", &code); err != nil {
				panic("shorthand " + f)
			}
			c.ExitCode = &code
		}
	}
	for _, g := range strings.Split(gates, "<") {
		parts := strings.Split(g, ":")
		if len(parts) >= 2 {
			o.DependsOn = append(o.DependsOn, acsproto.DependsOn{ContainerName: parts[0], Condition: parts[1]})
		}
		if len(parts) == 3 {
			for i := range r.Task.Containers {
				if r.Task.Containers[i].Name == parts[0] {
					fmt.Sscan(parts[2], &r.Task.Containers[i].StartTimeout) //nolint:errcheck // 0 shows
				}
			}
		}
	}
	r.Task.Containers = append(r.Task.Containers, o)
	r.Containers = append(r.Containers, c)
}

func TestNextStep(t *testing.T) {
	for _, c := range []struct{ name, record, want string }{
		{"image first", "a!=waiting", "pull a"},
		{"then the container", "a!=pulled", "create a"},
		{"a create that was cut off", "a!=starting", "create a"},
		{"then its start", "a!=created", "start a"},
		{"then nothing", "a!=running", ""},
		{"one step at a time", "a!=waiting+busy", ""},
		{"side by side", "a!=waiting b!=created", "pull a, start b"},
		{"look before anything else", "a!=created+unseen", "look at a"},
		{"look before stopping", "stop a!=running+unseen", "look at a"},
		{"stop", "stop a!=running", "stop a"},
		{"stop before start", "stop a!=created b!=waiting", "; a stopped, b stopped"},
		{"stop waits for a step under way", "stop a!=created+busy", ""},
		{"essential ends the task", "a!=stopped+exit1 b!=running", "stop b"},
		{"another does not", "a=stopped+exit1 b!=running", ""},
		{"the last one does", "a=stopped+exit0", ""},
		{"gate is shut", "a!=pulled b!=waiting<a:START", "create a"},
		{"START opens", "a!=running b!=waiting<a:START", "pull b"},
		{"START opens for what has run", "a=stopped+exit0 b!=waiting<a:START", "pull b"},
		{"START never opens for what failed to", "a=stopped+never b!=waiting<a:START", "; b stopped(143)"},
		{"HEALTHY is shut", "a!=running b!=waiting<a:HEALTHY", ""},
		{"HEALTHY opens", "a!=running+healthy b!=waiting<a:HEALTHY", "pull b"},
		{"COMPLETE is shut", "a=running b!=waiting<a:COMPLETE", ""},
		{"COMPLETE opens", "a=stopped+exit3 b!=waiting<a:COMPLETE", "pull b"},
		{"SUCCESS opens", "a=stopped+exit0 b!=waiting<a:SUCCESS", "pull b"},
		{"SUCCESS never opens", "a=stopped+exit3 b!=waiting<a:SUCCESS", "; b stopped(143)"},
		{"in time still", "a=running b!=waiting<a:COMPLETE:30", "wake 20s"},
		{"too late", "a=running b!=waiting<a:COMPLETE:10", "stop a; b stopped(143)"},
		{"reverse order", "stop a!=running b!=running<a:START", "stop b"},
		{"reverse order, next", "stop a!=running b!=stopped+exit0<a:START", "stop a"},
		{"reverse order waits for a start under way", "stop a!=running b!=created+busy<a:START", ""},
		{"ended, and runs", "a!=stopped+exit1+revived", "stop again a"},
		{"ended, and runs beside what goes on", "a=stopped+exit1+revived b!=running", "stop again a"},
		{"ended, and may run: it is being looked at", "a!=stopped+exit1+revived+busy", ""},
		{"half a start is undone", "a!=created+doomed b!=running", "stop a"},
		{"to be started again", "a!=created+again+exit1 b!=running", "start a"},
		{"not when the task stops", "stop a!=created+again+exit1 b!=running", "stop b; a stopped(1)"},
		{"again, also where little is known", "adopted a!=created+again+exit1 b!=waiting", "start a"},
		{"START is open for what starts again", "a!=created+again+exit1 b!=waiting<a:START", "start a, pull b"},
		{"COMPLETE is shut for it", "a=created+again+exit0 b!=waiting<a:COMPLETE", "start a"},
		{"adopted only watches", "adopted a!=running b!=waiting c!=created", ""},
		{"adopted stops", "adopted stop a!=running b!=waiting", "stop a; b stopped"},
		{"reported, kept for a while", "stop closed a!=stopped+exit0", "wake 3h0m0s"},
		{"not reported, kept", "stop a!=stopped+exit0", ""},
		{"orphans go too", "orphan a!=stopped+exit0", "wake 3h0m0s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := decision(parseRecord(c.record), noon); got != c.want {
				t.Errorf("%s\ngot  %q\nwant %q", c.record, got, c.want)
			}
		})
	}
}

// decision settles a record and prints what is next, when to look again, and which containers were settled.
func decision(r *Record, now time.Time) string {
	before := r.clone()
	Settle(r, now)
	steps, wake := Next(r, 3*time.Hour, now)
	var words, settled []string
	for _, s := range steps {
		words = append(words, s.String())
	}
	if !wake.IsZero() {
		words = append(words, fmt.Sprint("wake ", wake.Sub(now)))
	}
	for i, c := range r.Containers {
		if c.Phase != before.Containers[i].Phase {
			s := c.Name + " " + c.Phase.String()
			if c.ExitCode != nil {
				s += fmt.Sprintf("(%d)", *c.ExitCode)
			}
			settled = append(settled, s)
		}
	}
	out := strings.Join(words, ", ")
	if len(settled) > 0 {
		out += "; " + strings.Join(settled, ", ")
	}
	return out
}

func TestCleanUpComesInTime(t *testing.T) {
	r := parseRecord("stop closed a!=stopped+exit0")
	Settle(r, noon)
	steps, wake := Next(r, 3*time.Hour, noon.Add(3*time.Hour))
	if len(steps) != 1 || steps[0].Act != CleanUp || !wake.IsZero() {
		t.Errorf("steps %v, wake %v", steps, wake)
	}
	r.Containers[0].Revived = true
	steps, _ = Next(r, 3*time.Hour, noon.Add(3*time.Hour))
	if len(steps) != 1 || steps[0].Act != Restop {
		t.Errorf("steps %v: what runs again is stopped first", steps)
	}
}

// What a Fargate task has left is on the member's disk: it stays for a minute at most, and not at all where it was too much.
func TestFargateTasksAreCleanedUpSooner(t *testing.T) {
	for _, test := range []struct {
		launchType         string
		outgrown           bool
		cleanUpAfter, want time.Duration
	}{
		{"EC2", false, 3 * time.Hour, 3 * time.Hour},
		{"FARGATE", false, 3 * time.Hour, time.Minute},
		{"FARGATE", false, time.Second, time.Second},
		{"FARGATE", true, 3 * time.Hour, 0},
	} {
		r := parseRecord("stop closed a!=stopped+exit0")
		r.Task.LaunchType, r.Outgrown = test.launchType, test.outgrown
		Settle(r, noon)
		if steps, wake := Next(r, test.cleanUpAfter, noon.Add(test.want-1)); len(steps) != 0 || !wake.Equal(noon.Add(test.want)) {
			t.Errorf("%+v: steps %v, wake %v", test, steps, wake)
		}
		if steps, _ := Next(r, test.cleanUpAfter, noon.Add(test.want)); len(steps) != 1 || steps[0].Act != CleanUp {
			t.Errorf("%+v: steps %v when it is time", test, steps)
		}
	}
}

// TestDecisionsAreSafe draws records and checks what must hold of any of them.
func TestDecisionsAreSafe(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRecord(t)
		before := r.clone()
		Settle(r, noon)
		if settled := r.clone(); Settle(r, noon) {
			t.Fatalf("settling again changed %+v into %+v", settled, r)
		}
		steps, _ := Next(r, time.Hour, noon)
		seen := map[string]bool{}
		for _, s := range steps {
			if s.Act == CleanUp {
				if !r.Stopped() {
					t.Fatalf("cleans up what runs: %+v", r)
				}
				continue
			}
			c := r.container(s.Container)
			switch {
			case seen[s.Container]:
				t.Fatalf("two steps for %s: %v", s.Container, steps)
			case s.Act == Restop && c.Phase == Ended && c.Revived && !c.Busy:
			case c.Busy || c.Phase == Ended || s.Act == Restop:
				t.Fatalf("%v, which is busy or stopped", s)
			case s.Act == Start && (c.Phase != Made || c.Unseen):
				t.Fatalf("%v in phase %v, unseen %v", s, c.Phase, c.Unseen)
			case (s.Act == Start || s.Act == Create || s.Act == Pull) && r.stopping():
				t.Fatalf("%v of a task that stops", s)
			}
			seen[s.Container] = true
		}
		for i, c := range r.Containers {
			if was := before.Containers[i]; c.Phase < was.Phase || was.Phase == Up && c.Phase != Up || was.Busy && c.Phase != was.Phase {
				t.Fatalf("settling moved %s from %v to %v", c.Name, was.Phase, c.Phase)
			}
		}
	})
}

func drawRecord(t *rapid.T) *Record {
	r := &Record{Stop: rapid.Bool().Draw(t, "stop"), Adopted: rapid.Bool().Draw(t, "adopted"), Closed: rapid.Bool().Draw(t, "closed")}
	for i := range rapid.IntRange(0, 4).Draw(t, "containers") {
		c := Container{Name: fmt.Sprint("c", i), Phase: Phase(rapid.IntRange(0, int(Ended)).Draw(t, "phase")), Busy: rapid.Bool().Draw(t, "busy")}
		c.Unseen = c.Phase >= Starting && c.Phase < Ended && rapid.Bool().Draw(t, "unseen")
		c.Doomed = c.Phase == Made && rapid.Bool().Draw(t, "doomed")
		if c.Phase >= Up {
			c.StartedAt = noon.Add(-time.Duration(rapid.IntRange(0, 60).Draw(t, "age")) * time.Second)
		}
		if c.Phase == Ended {
			c.ExitCode = rapid.Ptr(rapid.IntRange(0, 2), true).Draw(t, "exit")
			c.Busy, c.Revived = false, rapid.Bool().Draw(t, "revived")
		}
		o := acsproto.Container{Name: c.Name, Essential: rapid.Bool().Draw(t, "essential"), StartTimeout: int64(rapid.SampledFrom([]int{0, 30}).Draw(t, "timeout"))}
		if i > 0 && rapid.Bool().Draw(t, "gated") {
			o.DependsOn = []acsproto.DependsOn{{ContainerName: fmt.Sprint("c", rapid.IntRange(0, i-1).Draw(t, "on")),
				Condition: rapid.SampledFrom([]string{"START", "HEALTHY", "COMPLETE", "SUCCESS"}).Draw(t, "condition")}}
		}
		r.Containers, r.Task.Containers = append(r.Containers, c), append(r.Task.Containers, o)
	}
	return r
}

// clone copies what the record's owner may change.
func (r *Record) clone() *Record {
	c := *r
	c.Containers = slices.Clone(r.Containers)
	return &c
}
