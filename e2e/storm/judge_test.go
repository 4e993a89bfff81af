package storm

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// row is a line of the soak's table: medians of each third. more is by how much the last one may be above the middle one; 0: it is only shown.
type row struct {
	name    string
	mean    bool // of what is not the same in each interval
	more    float64
	yard    bool    // where the machine has become slower too, only more than that counts
	settles bool    // only after etcd's history has its length
	least   float64 // a difference of less than this says nothing
}

var rows = []row{
	{name: "tasks"}, {name: "replaced/s", mean: true}, {name: "CPU % of a core", mean: true},
	{name: "server RSS MiB", more: .15}, {name: "Go heap alive MiB", more: .15}, {name: "Go heap in use MiB"},
	{name: "goroutines", more: .15, least: 20}, {name: "open files", more: .15, least: 10},
	{name: "records", more: .15}, {name: "stopped tasks", more: .15}, {name: "client requests"},
	{name: "database MiB", more: .15, settles: true}, {name: "database in use MiB", more: .15, settles: true},
	{name: "commit p50 ms"}, {name: "commit p99 ms", more: .5, least: 2, yard: true},
	{name: "API (reports) p50 ms"}, {name: "API (reports) p99 ms", more: .5, least: 2, yard: true},
	{name: "API (all else) p50 ms"}, {name: "API (all else) p99 ms", more: .5, least: 2, yard: true},
	{name: "UpdateService p99 ms"}, {name: "RunTask p99 ms"}, {name: "StopTask p99 ms"}, {name: "ListTasks p99 ms"}, {name: "DescribeTasks p99 ms"},
	{name: "SubmitTaskStateChange p99 ms"}, {name: "fleet RSS MiB"}, {name: "machine busy %"}, {name: "machine p50 ms"}, {name: yard},
}

// third is what a row has in the n-th third of the samples.
func (r row) third(samples []sample, n int) float64 {
	var v []float64
	sum := 0.0
	for _, x := range samples[n*len(samples)/3 : (n+1)*len(samples)/3] {
		v = append(v, x[r.name])
		sum += x[r.name]
	}
	if r.mean {
		return sum / float64(len(v))
	}
	slices.Sort(v)
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

// judge shows each third of the samples, and says what has grown.
func judge(samples []sample, settled bool) (table string, worse []string) {
	slower := 1.0 // is the machine, by so much
	if y := (row{name: yard}); y.third(samples, 1) > 0 {
		slower = max(1, y.third(samples, 2)/y.third(samples, 1))
	}
	var b strings.Builder
	b.WriteString("| | first third | middle third | last third | change | allowed |\n|---|---|---|---|---|---|\n")
	for _, r := range rows {
		middle, last := r.third(samples, 1), r.third(samples, 2)
		change, allowed := 0.0, ""
		if middle > 0 {
			change = last/middle - 1
		}
		if r.more > 0 {
			allowed = fmt.Sprintf("%+.0f %%", 100*r.more)
			switch {
			case r.settles && !settled:
				allowed = "not yet level"
			case r.yard && (last/slower)/middle-1 <= r.more:
			case last-middle > r.least && change > r.more:
				worse = append(worse, fmt.Sprintf("%s: %.1f in the last third, %.1f in the middle: %+.0f %%", r.name, last, middle, 100*change))
			}
		}
		fmt.Fprintf(&b, "| %s | %.1f | %.1f | %.1f | %+.0f %% | %s |\n", r.name, r.third(samples, 0), middle, last, 100*change, allowed)
	}
	return b.String(), worse
}

func TestJudge(t *testing.T) {
	samples := func(last sample) (all []sample) {
		for range 6 {
			all = append(all, sample{"server RSS MiB": 100, "goroutines": 10, "commit p99 ms": 10, "database MiB": 100, yard: 1})
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
		{sample{"commit p99 ms": 29, yard: 2}, true, ""}, // the machine is half as quick
		{sample{"commit p99 ms": 31, yard: 2}, true, "commit p99"},
		{sample{"commit p99 ms": 16, yard: .5}, true, "commit p99"},
		{sample{"server RSS MiB": 116, yard: 2}, true, "server RSS"},
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
