package main

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"berth/internal/simulate"
)

func churned() []simulate.Interval {
	calls := func(p99 time.Duration, failed int) simulate.Calls {
		return simulate.Calls{Quantiles: simulate.Quantiles{P50: time.Millisecond, P99: p99, Max: time.Second}, Succeeded: 10, Failed: failed}
	}
	return []simulate.Interval{
		{After: time.Minute, Took: time.Minute, Started: 1200, Stopped: 600, Tasks: 20_100, Calls: map[string]simulate.Calls{"RunTask": calls(12300*time.Microsecond, 0)}},
		{After: 2 * time.Minute, Took: time.Minute, Started: 30, Tasks: 20_000, Error: "broken", Calls: map[string]simulate.Calls{
			"RunTask": calls(5*time.Millisecond, 2), "ListTasks": calls(7*time.Millisecond, 1),
		}},
	}
}

func TestTellInterval(t *testing.T) {
	var b strings.Builder
	for _, i := range churned() {
		tellInterval(&b, i)
	}
	want := "churn 1m0s: 20100 tasks, 20.0/s started, 10.0/s stopped; 10 calls, 0 failed, slowest RunTask p99 12.3ms\n" +
		"churn 2m0s: 20000 tasks, 0.5/s started, 0.0/s stopped; 23 calls, 3 failed, slowest ListTasks p99 7.0ms; last error: broken\n"
	if b.String() != want {
		t.Errorf("told\n%swant\n%s", &b, want)
	}
}

func TestChurnTable(t *testing.T) {
	var b strings.Builder
	churnTable(&b, churned())
	want := `after  tasks  started/s  stopped/s  failed  ListTasks p50 p99  RunTask p50 p99
1m0s   20100  20.0       10.0       0       -                  1.0ms 12.3ms
2m0s   20000  0.5        0.0        3       1.0ms 7.0ms        1.0ms 5.0ms
`
	if b.String() != want {
		t.Errorf("shown\n%swant\n%s", &b, want)
	}
}

// What cannot be is said before anything is asked of a server.
func TestChurnNeedsTasks(t *testing.T) {
	for _, args := range [][]string{{"--churn", "5"}, {"--churn", "-1", "--tasks", "5"}, {"--churn", "5", "--tasks", "5", "--services", "6"}, {"--churn", "5", "--tasks", "5", "--interval", "0s"}} {
		c := simulateCommand()
		c.SetArgs(append(args, "--data", t.TempDir()))
		c.SetOut(io.Discard)
		c.SetErr(io.Discard)
		if err := c.ExecuteContext(context.Background()); err == nil || !strings.Contains(err.Error(), "--churn needs") {
			t.Errorf("%v: %v", args, err)
		}
	}
}
