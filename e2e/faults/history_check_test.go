package faults

import (
	"strings"
	"testing"
	"time"
)

func at(began, ended int) span {
	return span{"c", time.Duration(began) * time.Millisecond, time.Duration(ended) * time.Millisecond}
}

// TestHistory shows the checker made-up histories: what is allowed, and each kind of what is not.
func TestHistory(t *testing.T) {
	acked := func(began, ended, value int) write { return write{at(began, ended), "k", value, true} }
	lost := func(began, ended, value int) write { return write{at(began, ended), "k", value, false} }
	see := func(began, ended, value int) read { return read{at(began, ended), "k", value, true} }
	status := func(began, ended, value int) read { return read{at(began, ended), "k", value, false} }
	runs := func(ms int, task string) start { return start{at: time.Duration(ms) * time.Millisecond, task: task} }
	stops := func(ms int, task string) start {
		return start{at: time.Duration(ms) * time.Millisecond, task: task, stopped: true}
	}
	for name, x := range map[string]struct {
		h    *history
		want string // of the only thing that is wrong; "" where nothing is
	}{
		"nothing happened":                           {&history{}, ""},
		"a write is read":                            {&history{writes: []write{acked(0, 10, 1)}, reads: []read{see(11, 20, 1)}}, ""},
		"a read during a write sees it or not":       {&history{writes: []write{acked(0, 10, 1)}, reads: []read{see(1, 5, 0), see(6, 9, 1)}}, ""},
		"a read that began before the answer":        {&history{writes: []write{acked(0, 10, 1)}, reads: []read{see(10, 20, 0)}}, ""},
		"a write that was not answered was not done": {&history{writes: []write{lost(0, 10, 1)}, reads: []read{see(11, 20, 0)}}, ""},
		"it was":             {&history{writes: []write{lost(0, 10, 1)}, reads: []read{see(11, 20, 1)}}, ""},
		"it is done late":    {&history{writes: []write{lost(0, 10, 1)}, reads: []read{see(11, 20, 0), see(21, 30, 1)}}, ""},
		"two reads at once":  {&history{writes: []write{acked(0, 50, 1)}, reads: []read{see(10, 30, 1), see(20, 40, 0)}}, ""},
		"a newer value is":   {&history{writes: []write{acked(0, 10, 1), acked(20, 30, 2)}, reads: []read{see(11, 40, 2)}}, ""},
		"a status goes on":   {&history{reads: []read{status(0, 10, 1), status(11, 20, 3)}}, ""},
		"a full instance":    {&history{rooms: []room{{at(0, 1), "i", [2]int{10, 20}, [2]int{10, 20}}}}, ""},
		"a task's life":      {&history{starts: []start{runs(1, "a"), runs(2, "b"), stops(3, "a")}}, ""},
		"a token, one task":  {&history{orders: []order{{"x", "a"}, {"x", "a"}, {"y", "b"}}}, ""},
		"a stop, told twice": {&history{starts: []start{runs(1, "a"), stops(2, "a"), stops(3, "a")}}, ""},

		"a lost write":             {&history{writes: []write{acked(0, 10, 1)}, reads: []read{see(11, 20, 0)}}, "k: c read 0, asking at 11ms, but c had written 1 by 10ms"},
		"a stale read":             {&history{writes: []write{acked(0, 10, 1), acked(20, 30, 2)}, reads: []read{see(31, 40, 1)}}, "but c had written 2 by 30ms"},
		"lost behind a later read": {&history{writes: []write{acked(0, 10, 2)}, reads: []read{status(0, 20, 1), see(21, 30, 1)}}, "but c had written 2 by 10ms"},
		"seen and gone":            {&history{writes: []write{lost(0, 10, 1)}, reads: []read{see(11, 20, 1), see(21, 30, 0)}}, "k: c read 0, asking at 21ms, but c had read 1 by 20ms"},
		"a status goes back":       {&history{reads: []read{status(0, 10, 3), status(11, 20, 2)}}, "but c had read 3"},
		"out of nothing":           {&history{reads: []read{see(0, 10, 1)}}, "at most 0 was being written"},
		"before it was asked for":  {&history{writes: []write{acked(0, 10, 1), acked(30, 40, 2)}, reads: []read{see(11, 20, 2)}}, "at most 1 was being written"},
		"too much CPU":             {&history{rooms: []room{{at(0, 1), "i", [2]int{10, 20}, [2]int{11, 20}}}}, "i: c saw 11 of 10 CPU units reserved"},
		"too much memory":          {&history{rooms: []room{{at(0, 1), "i", [2]int{10, 20}, [2]int{10, 21}}}}, "i: c saw 21 of 20 MiB reserved"},
		"started twice":            {&history{starts: []start{runs(1, "a"), runs(2, "a")}}, "a: was started twice, 1ms and 2ms"},
		"risen":                    {&history{starts: []start{runs(1, "a"), stops(2, "a"), runs(3, "a")}}, "a: runs at 3ms, but had stopped at 2ms"},
		"a token, two tasks":       {&history{orders: []order{{"x", "a"}, {"x", "b"}}}, "token x: 2 tasks for one: [a b]"},
	} {
		t.Run(name, func(t *testing.T) {
			wrong := x.h.check()
			switch {
			case x.want == "" && len(wrong) > 0:
				t.Errorf("found %q in a good history", wrong)
			case x.want != "" && (len(wrong) != 1 || !strings.Contains(wrong[0], x.want)):
				t.Errorf("found %q, want one: %s", wrong, x.want)
			}
		})
	}
}
