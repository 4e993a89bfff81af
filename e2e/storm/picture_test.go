package storm

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

// point is one measurement of the curve.
type point struct {
	size
	us, mib float64
}

// draw makes the curve an SVG: processor time a task, over the number of tasks and over the number of instances, both logarithmic.
func draw(points []point) string {
	const width, height, left, top, right, bottom = 860, 320, 60, 40, 20, 50
	most := 1.0
	for _, p := range points {
		most = max(most, p.us)
	}
	most = math.Ceil(most/100) * 100
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n", width, height)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="white"/>`+"\n", width, height)
	panel := func(x0, w float64, title string, lo, hi float64, of func(point) (float64, bool)) {
		x := func(v float64) float64 { return x0 + w*(math.Log10(v)-math.Log10(lo))/(math.Log10(hi)-math.Log10(lo)) }
		y := func(v float64) float64 { return height - bottom - (height-top-bottom)*v/most }
		fmt.Fprintf(&b, `<text x="%.0f" y="24" text-anchor="middle">%s</text>`+"\n", x0+w/2, title)
		for v := 0.0; v <= most; v += 100 {
			fmt.Fprintf(&b, `<line x1="%.0f" x2="%.0f" y1="%.1f" y2="%.1f" stroke="#ddd"/><text x="%.0f" y="%.1f" text-anchor="end">%.0f</text>`+"\n", x0, x0+w, y(v), y(v), x0-6, y(v)+4, v)
		}
		var on []point
		for _, p := range points {
			if _, ok := of(p); ok {
				on = append(on, p)
			}
		}
		slices.SortFunc(on, func(p, q point) int { a, _ := of(p); c, _ := of(q); return cmp.Compare(a, c) })
		var line []string
		for _, p := range on {
			v, _ := of(p)
			line = append(line, fmt.Sprintf("%.1f,%.1f", x(v), y(p.us)))
			fmt.Fprintf(&b, `<circle cx="%.1f" cy="%.1f" r="3.5" fill="#0972d3"/><text x="%.1f" y="%.1f" text-anchor="middle">%.0f</text>`+"\n", x(v), y(p.us), x(v), y(p.us)-8, p.us)
			fmt.Fprintf(&b, `<text x="%.1f" y="%d" text-anchor="middle">%.0f</text>`+"\n", x(v), height-bottom+18, v)
		}
		fmt.Fprintf(&b, `<polyline points="%s" fill="none" stroke="#0972d3" stroke-width="2"/>`+"\n", strings.Join(line, " "))
	}
	panel(left, 360, "tasks on 100 instances", 1000, 100_000, func(p point) (float64, bool) { return float64(p.tasks), p.instances == 100 })
	panel(left+420, width-left-420-right, "instances with 10,000 tasks", 10, 1000, func(p point) (float64, bool) { return float64(p.instances), p.tasks == 10_000 })
	fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="middle">microseconds of the server's processor time for each task, from CreateService to RUNNING</text>`+"\n</svg>\n", width/2, height-8)
	return b.String()
}

func TestDraw(t *testing.T) {
	got := draw([]point{{size{1000, 100}, 300, 1}, {size{10_000, 100}, 320, 1}, {size{10_000, 10}, 310, 1}})
	if n := strings.Count(got, "<circle"); n != 4 { // the one in the middle is on both curves
		t.Errorf("%d points\n%s", n, got)
	}
}
