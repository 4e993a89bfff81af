package main

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"
)

func TestPoolStatus(t *testing.T) {
	now := time.Unix(1000, 0)
	for name, c := range map[string]struct {
		is   poolStatus
		want string
	}{
		"nothing": {poolStatus{Grows: true}, "The pool has no members.\n"},
		"without a provider": {
			poolStatus{Zones: []poolZone{{Zone: "a", Architecture: "x86_64", Unavailable: true}}},
			"The pool does not grow: the server has no instance provider (--pool-provider). Machines join it by hand.\n\nThe pool has no members.\n",
		},
		"all": {
			poolStatus{
				Grows: true,
				Members: []poolMember{
					{ID: "i1", Status: "ACTIVE", Zone: "a", Architecture: "arm64", ByHand: true, CPU: 1024, FreeCPU: 1024, Memory: 2048, FreeMemory: 2048},
					{ID: "m-1", Status: "ACTIVE", Zone: "a", Architecture: "x86_64", CPU: 16384, FreeCPU: 256, Memory: 65536, FreeMemory: 512, Tasks: 63, SpotTasks: 3, IdleSince: 940},
				},
				Waiting: []poolNeed{{Zone: "b", Architecture: "x86_64", CPU: 256, Memory: 512, Spot: true, Count: 3, Since: 998.4}},
				Zones: []poolZone{
					{Zone: "a", Architecture: "x86_64"},
					{Zone: "b", Architecture: "x86_64", Unavailable: true, Failures: 2, Reason: "no capacity now", LastFailure: 970},
					{Zone: "c", Architecture: "x86_64", Failures: 1, Reason: "quota", LastFailure: 2000},
				},
			},
			`MEMBER        STATUS  ZONE  ARCHITECTURE  CPU    FREE  MiB    FREE  TASKS  SPOT  IDLE FOR
i1 (by hand)  ACTIVE  a     arm64         1024   1024  2048   2048  0      0     -
m-1           ACTIVE  a     x86_64        16384  256   65536  512   63     3     1m0s

WAITING  CPU  MiB  ZONE  ARCHITECTURE  SPOT  FOR
3        256  512  b     x86_64        yes   2s

ZONE  ARCHITECTURE  CAPACITY     FAILED LAUNCHES  LAST     REASON
b     x86_64        unavailable  2                30s ago  no capacity now
c     x86_64        tried again  1                0s ago   quota
`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			if err := c.is.print(&b, now); err != nil {
				t.Fatal(err)
			}
			if b.String() != c.want {
				t.Errorf("shown\n%swant\n%s", &b, c.want)
			}
		})
	}
}

// What cannot be is said before anything is asked of a server.
func TestInterruptFlags(t *testing.T) {
	for args, want := range map[string]string{
		"":                       "at least one of the flags in the group [task service all] is required",
		"--count 2":              "at least one of the flags in the group [task service all] is required",
		"--task t --service web": "[service task] were all set",
		"--service web --all":    "[all service] were all set",
		"--task t --count 2":     "[count task] were all set",
		"--all --count many":     "invalid argument \"many\"",
	} {
		c := fargateInterruptCommand()
		c.SetArgs(append(strings.Fields(args), "--data", t.TempDir()))
		c.SetOut(io.Discard)
		c.SetErr(io.Discard)
		if err := c.ExecuteContext(context.Background()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", args, err, want)
		}
	}
}

func TestInterruptedTasks(t *testing.T) {
	for want, is := range map[string]interruptedTasks{
		"interrupted a\ninterrupted b\n":                              {TaskArns: []string{"a", "b"}},
		"no Spot task is running that was not told to stop already\n": {},
	} {
		var b strings.Builder
		if is.print(&b); b.String() != want {
			t.Errorf("%q, want %q", b.String(), want)
		}
	}
}
