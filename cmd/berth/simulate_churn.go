package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"berth/internal/simulate"
)

// tellInterval is one line about an interval of a churn.
func tellInterval(out io.Writer, i simulate.Interval) {
	calls, failed, slowest := 0, 0, ""
	for _, name := range slices.Sorted(maps.Keys(i.Calls)) {
		c := i.Calls[name]
		calls += c.Succeeded + c.Failed
		failed += c.Failed
		if slowest == "" || c.P99 > i.Calls[slowest].P99 {
			slowest = name
		}
	}
	fmt.Fprintf(out, "churn %s: %d tasks, %.1f/s started, %.1f/s stopped; %d calls, %d failed", i.After.Round(time.Second), i.Tasks, perSecond(i.Started, i.Took),
		perSecond(i.Stopped, i.Took), calls, failed)
	if slowest != "" {
		fmt.Fprintf(out, ", slowest %s p99 %s", slowest, tenths(i.Calls[slowest].P99))
	}
	if i.Error != "" {
		fmt.Fprintf(out, "; last error: %s", i.Error)
	}
	fmt.Fprintln(out)
}

// churnTable shows a churn: a line for each interval, with the median and the 99th percentile of each operation.
func churnTable(out io.Writer, all []simulate.Interval) {
	names := map[string]bool{}
	for _, i := range all {
		for name := range i.Calls {
			names[name] = true
		}
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	operations := slices.Sorted(maps.Keys(names))
	fmt.Fprintf(w, "after\ttasks\tstarted/s\tstopped/s\tfailed\t%s p50 p99\n", strings.Join(operations, " p50 p99\t"))
	for _, i := range all {
		failed := 0
		var cells []string
		for _, name := range operations {
			c := i.Calls[name]
			failed += c.Failed
			cell := "-"
			if c.Succeeded > 0 {
				cell = tenths(c.P50) + " " + tenths(c.P99)
			}
			cells = append(cells, cell)
		}
		fmt.Fprintf(w, "%s\t%d\t%.1f\t%.1f\t%d\t%s\n", i.After.Round(time.Second), i.Tasks, perSecond(i.Started, i.Took), perSecond(i.Stopped, i.Took), failed, strings.Join(cells, "\t"))
	}
	w.Flush()
}

func perSecond(n int64, d time.Duration) float64 { return float64(n) / max(d.Seconds(), 1e-9) }

func tenths(d time.Duration) string { return fmt.Sprintf("%.1fms", float64(d.Microseconds())/1000) }
