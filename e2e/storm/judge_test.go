package storm

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// row is a line of the soak's table. more is by how much the last third may be above the middle one; 0: it is only shown.
type row struct {
	name    string
	more    float64
	settles bool    // only after etcd's history has its length
	least   float64 // a difference of less than this says nothing
}

var rows = []row{
	{name: "tasks"}, {name: "replaced/s"}, {name: "CPU % of a core"},
	{name: "server RSS MiB", more: .15}, {name: "Go heap alive MiB", more: .15}, {name: "Go heap in use MiB"},
	{name: "goroutines", more: .15, least: 20}, {name: "open files", more: .15, least: 10},
	{name: "records", more: .15}, {name: "stopped tasks", more: .15}, {name: "client requests"},
	{name: "database MiB", more: .15, settles: true}, {name: "database in use MiB", more: .15, settles: true},
	{name: "commit p50 ms"}, {name: "commit p99 ms", more: .5, least: 2},
	{name: "API (reports) p50 ms"}, {name: "API (reports) p99 ms", more: .5, least: 2},
	{name: "API (all else) p50 ms"}, {name: "API (all else) p99 ms", more: .5, least: 2},
	{name: "UpdateService p99 ms"}, {name: "RunTask p99 ms"}, {name: "StopTask p99 ms"}, {name: "ListTasks p99 ms"}, {name: "DescribeTasks p99 ms"},
	{name: "SubmitTaskStateChange p99 ms"}, {name: "fleet RSS MiB"},
}

// judge shows the medians of each third of the samples, and says what has grown.
func judge(samples []sample, settled bool) (table string, worse []string) {
	third := func(name string, n int) float64 {
		var v []float64
		for _, x := range samples[n*len(samples)/3 : (n+1)*len(samples)/3] {
			v = append(v, x[name])
		}
		slices.Sort(v)
		return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
	}
	var b strings.Builder
	b.WriteString("| | first third | middle third | last third | change | allowed |\n|---|---|---|---|---|---|\n")
	for _, r := range rows {
		middle, last := third(r.name, 1), third(r.name, 2)
		change, allowed := 0.0, ""
		if middle > 0 {
			change = last/middle - 1
		}
		if r.more > 0 {
			allowed = fmt.Sprintf("%+.0f %%", 100*r.more)
			switch {
			case r.settles && !settled:
				allowed = "not yet level"
			case last-middle > r.least && change > r.more:
				worse = append(worse, fmt.Sprintf("%s: %.1f in the last third, %.1f in the middle: %+.0f %%", r.name, last, middle, 100*change))
			}
		}
		fmt.Fprintf(&b, "| %s | %.1f | %.1f | %.1f | %+.0f %% | %s |\n", r.name, third(r.name, 0), middle, last, 100*change, allowed)
	}
	return b.String(), worse
}

func TestJudge(t *testing.T) {
	samples := func(last sample) (all []sample) {
		for range 6 {
			all = append(all, sample{"server RSS MiB": 100, "goroutines": 10, "commit p99 ms": 10, "database MiB": 100})
		}
		return append(all, last, last, sample{"server RSS MiB": 900}) // one outlier is none
	}
	for _, c := range []struct {
		last    sample
		settled bool
		worse   string
	}{
		{sample{"server RSS MiB": 114, "commit p99 ms": 14}, true, ""},
		{sample{"server RSS MiB": 116}, true, "server RSS"},
		{sample{"commit p99 ms": 16}, true, "commit p99"},
		{sample{"goroutines": 25}, true, ""}, // few
		{sample{"database MiB": 120}, true, "database"},
		{sample{"database MiB": 120}, false, ""},
	} {
		table, worse := judge(samples(c.last), c.settled)
		if got := strings.Join(worse, "\n"); (c.worse == "") != (got == "") || !strings.HasPrefix(got, c.worse) {
			t.Errorf("%v, settled %v: %q", c.last, c.settled, got)
		}
		if !strings.Contains(table, "| server RSS MiB | 100.0 | 100.0 | ") {
			t.Errorf("the table is\n%s", table)
		}
	}
}

func TestMeasure(t *testing.T) {
	at := func(text string) page { return read(strings.NewReader(text)) }
	before := at(`# HELP x a text 7
berth_store_commit_duration_seconds_bucket{outcome="committed",le="0.01"} 5
berth_store_commit_duration_seconds_bucket{outcome="committed",le="0.02"} 5
berth_store_commit_duration_seconds_bucket{outcome="committed",le="+Inf"} 5
`)
	after := at(`berth_store_commit_duration_seconds_bucket{outcome="committed",le="0.01"} 55
berth_store_commit_duration_seconds_bucket{outcome="committed",le="0.02"} 105
berth_store_commit_duration_seconds_bucket{outcome="committed",le="+Inf"} 105
berth_store_commit_duration_seconds_bucket{outcome="failed",le="+Inf"} 900
berth_tasks{cluster="a",last_status="STOPPED"} 3
berth_tasks{cluster="b",last_status="STOPPED"} 4
berth_store_records{kind="task"} 20
berth_store_records{kind="client-request"} 2
process_resident_memory_bytes 2.097152e+06
`)
	x := measure(before, after)
	for name, want := range map[string]float64{
		"commit p50 ms": 10, "commit p99 ms": 19.8, "stopped tasks": 7, "records": 20, "client requests": 2, "server RSS MiB": 2,
	} {
		if got := x[name]; got < want-1e-6 || got > want+1e-6 {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}
