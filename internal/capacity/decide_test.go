package capacity

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"berth/internal/golden"
)

// TestStories plays each file's section "story", line by line, and shows every line with what it says.
func TestStories(t *testing.T) {
	golden.Run(t, "testdata/*.txtar", func(t *testing.T, in map[string]string) string {
		w := &world{now: noon}
		var out strings.Builder
		for line := range strings.Lines(in["story"]) {
			if line = strings.TrimSpace(line); line == "" {
				continue
			}
			out.WriteString("> " + line + "\n")
			if said := w.play(line); said != "" {
				out.WriteString(said + "\n")
			}
		}
		return out.String()
	})
}

// TestOldestFirst: of equal tasks, those that wait for longer get the last member.
func TestOldestFirst(t *testing.T) {
	v := View{Rules: Rules{Member: Size{1024, 2048}, Zones: []string{"a", "b"}, Architectures: []string{"x"}, MostMembers: 1}}
	for i, zone := range []string{"a", "b"} {
		v.Needs = append(v.Needs, Need{Size: Size{256, 512}, Zone: zone, Architecture: "x", Since: noon.Add(-time.Duration(i) * time.Minute), Count: 1})
	}
	want := "launch 1 of 1024/2048 x in b\nunavailable 1 of 256/512 x in a: the pool must not grow further"
	if p := Decide(v, noon); p.String() != want {
		t.Error(p)
	}
}

func TestTexts(t *testing.T) {
	for want, got := range map[string]fmt.Stringer{
		"nothing": Plan{}, "none": Reason(0), "256/512": Size{256, 512}, "launches of x in a: well": Launches{Zone: "a", Architecture: "x"},
	} {
		if got.String() != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if !(Plan{Later: 1, Again: noon}).Empty() || (Plan{Terminate: []string{"m"}}).Empty() {
		t.Error("a plan is empty if it changes nothing")
	}
}
