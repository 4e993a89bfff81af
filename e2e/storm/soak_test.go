package storm

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"berth/e2e/site"
)

const (
	soakEvery = 30 * time.Second
	settled   = 10 * time.Minute // etcd's history is level after two compactions
)

// TestSoak holds a server with 20,000 tasks, of which 20 a second are replaced, to staying as it is: what it takes in the last third of the time
// must not be more than in the middle third.
func TestSoak(t *testing.T) {
	soak := site.Soak()
	if soak == 0 {
		t.Skip("only with -soak D")
	}
	keep := max(time.Minute, soak/12)
	s := startServer(t, "--keep-stopped", keep.String())
	var samples []sample
	var y yardstick
	ctx, cancel := context.WithCancel(t.Context())
	measured := make(chan error, 1)
	go func() { measured <- y.run(ctx, s.data) }()
	defer func() {
		cancel()
		if err := <-measured; err != nil {
			t.Error(err)
		}
	}()
	before := s.scrape()
	r := s.simulateWithin(soak+20*time.Minute, func(line string, fleet *os.Process) {
		t.Log(line)
		if strings.HasPrefix(line, "create") { // the churn begins then
			before = s.scrape()
			y.take()
		}
		if !strings.HasPrefix(line, "churn ") {
			return
		}
		now := s.scrape()
		x := measure(before, now)
		x["fleet RSS MiB"] = status(fleet, "VmRSS") / 1024
		maps.Copy(x, y.take())
		before = now
		samples = append(samples, x)
		t.Log(x)
	}, "--instances", "200", "--instance-cpu", "4000", "--instance-memory", "8192", "--tasks", "20000", "--services", "100", "--task-cpu", "10", "--task-memory", "16",
		"--churn", "20", "--stay", soak.String(), "--interval", soakEvery.String())
	for n := range min(len(samples), len(r.Churn)) {
		maps.Copy(samples[n], r.Churn[n].values())
	}
	if len(samples) < 6 {
		t.Fatalf("%d samples are too few: let it run for longer", len(samples))
	}
	table, worse := judge(samples, soak/3 >= settled)
	t.Logf("%s of churn, stopped tasks kept for %s:\n%s", soak, keep, table)
	for _, w := range worse {
		t.Error(w)
	}
	if r.Errors > 0 || r.Repeated > 0 {
		t.Errorf("%d errors of the fleet's calls, %d tasks told twice", r.Errors, r.Repeated)
	}
	for _, i := range r.Churn {
		if i.Error != "" {
			t.Errorf("after %s: %s", i.After, i.Error)
		}
	}
}

// interval is a part of the churn as berth simulate tells it.
type interval struct {
	After, Took      time.Duration
	Started, Stopped int
	Tasks            int
	Calls            map[string]struct{ P50, P99 time.Duration }
	Error            string
}

// values are the interval's part of a sample.
func (i interval) values() sample {
	x := sample{"tasks": float64(i.Tasks), "replaced/s": float64(i.Started) / i.Took.Seconds()}
	for operation, c := range i.Calls {
		x[operation+" p50 ms"] = float64(c.P50.Microseconds()) / 1000
		x[operation+" p99 ms"] = float64(c.P99.Microseconds()) / 1000
	}
	return x
}

// page is what /metrics tells: a value for each series.
type page map[string]float64

func (s *server) scrape() page {
	resp, err := http.Get("http://" + s.listen + "/metrics")
	if err != nil {
		s.b.Errorf("scrape: %v", err)
		return page{}
	}
	defer resp.Body.Close()
	return read(resp.Body)
}

func read(r io.Reader) page {
	p := page{}
	for lines := bufio.NewScanner(r); lines.Scan(); {
		series, value, ok := cutLast(lines.Text())
		if v, err := strconv.ParseFloat(value, 64); ok && err == nil && !strings.HasPrefix(series, "#") {
			p[series] = v
		}
	}
	return p
}

func cutLast(line string) (series, value string, ok bool) {
	n := strings.LastIndexByte(line, ' ')
	if n < 0 {
		return "", "", false
	}
	return line[:n], line[n+1:], true
}

// sum adds up the series of a metric whose labels hold all of some texts.
func (p page) sum(name string, with ...string) (sum float64) {
series:
	for series, v := range p {
		metric, labels, _ := strings.Cut(series, "{")
		if metric != name {
			continue
		}
		for _, w := range with {
			if !strings.Contains(labels, w) {
				continue series
			}
		}
		sum += v
	}
	return sum
}

// buckets are a histogram's cumulated counts by upper bound, of the series that are chosen.
func (p page) buckets(name string, choose func(labels string) bool) map[float64]float64 {
	b := map[float64]float64{}
	for series, v := range p {
		metric, labels, _ := strings.Cut(series, "{")
		if metric != name+"_bucket" || !choose(labels) {
			continue
		}
		_, le, _ := strings.Cut(labels, `le="`)
		le, _, _ = strings.Cut(le, `"`)
		if bound, err := strconv.ParseFloat(le, 64); err == nil {
			b[bound] += v
		}
	}
	return b
}

// percentile estimates a quantile of what a histogram got between two pages, as if a bucket's values were evenly spread. 0 without any.
func percentile(before, after map[float64]float64, p float64) float64 {
	bounds := slices.Sorted(maps.Keys(after))
	if len(bounds) == 0 {
		return 0
	}
	count := func(bound float64) float64 { return after[bound] - before[bound] }
	want := p * count(bounds[len(bounds)-1])
	low, below := 0.0, 0.0
	for n, bound := range bounds {
		in := count(bound) - below
		if count(bound) >= want && in > 0 {
			if n == len(bounds)-1 {
				return low // beyond the last bound
			}
			return low + (bound-low)*(want-below)/in
		}
		low, below = bound, count(bound)
	}
	return 0
}

// sample is what one interval was like.
type sample map[string]float64

// measure makes a sample of two pages, from the interval's begin and its end.
func measure(before, after page) sample {
	const mib = 1 << 20
	x := sample{
		"server RSS MiB": after["process_resident_memory_bytes"] / mib, "Go heap in use MiB": after["go_memstats_heap_inuse_bytes"] / mib,
		"Go heap alive MiB": after["go_memstats_next_gc_bytes"] / mib / (1 + after["go_gc_gogc_percent"]/100), // after the last collection, about
		"goroutines":        after["go_goroutines"], "open files": after["process_open_fds"],
		"database MiB": after["berth_store_database_bytes"] / mib, "database in use MiB": after["berth_store_database_in_use_bytes"] / mib,
		"records":         after.sum("berth_store_records") - after.sum("berth_store_records", `kind="client-request"`),
		"stopped tasks":   after.sum("berth_tasks", `last_status="STOPPED"`),
		"client requests": after.sum("berth_store_records", `kind="client-request"`),
	}
	used := after["process_cpu_seconds_total"] - before["process_cpu_seconds_total"]
	x["CPU % of a core"] = 100 * used / soakEvery.Seconds()
	histogram := func(as, name string, choose func(string) bool) {
		b, a := before.buckets(name, choose), after.buckets(name, choose)
		x[as+" p50 ms"], x[as+" p99 ms"] = 1000*percentile(b, a, 0.5), 1000*percentile(b, a, 0.99)
	}
	report := func(labels string) bool { return strings.Contains(labels, `operation="SubmitTaskStateChange"`) }
	histogram("commit", "berth_store_commit_duration_seconds", func(labels string) bool { return strings.Contains(labels, "committed") })
	histogram("API (reports)", "berth_api_request_duration_seconds", report)
	histogram("API (all else)", "berth_api_request_duration_seconds", func(labels string) bool { return !report(labels) })
	return x
}

// String is the sample on one line.
func (x sample) String() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(x)) {
		fmt.Fprintf(&b, "%s %.1f; ", name, x[name])
	}
	return b.String()
}
