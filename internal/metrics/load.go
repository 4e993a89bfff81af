package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"berth/internal/frontdoor"
)

// Door is what the way in is asked for when somebody reads the metrics.
type Door struct {
	Load func() frontdoor.Load
	// Connections are how many are open, and how many were refused since the start; nil is left out.
	Connections func() (open, refused int64)
}

type door struct {
	Door
	seats, taken, waiting, waited, waits, refused, bodies, open, turnedAway *prometheus.Desc
}

// AskDoor adds what d knows to the metrics.
func (m *Metrics) AskDoor(d Door) {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("berth_"+name, help, labels, nil)
	}
	m.registry.MustRegister(&door{
		Door:       d,
		seats:      desc("api_seats", "How many API requests of a class are served at the same time at most.", "class"),
		taken:      desc("api_seats_taken", "API requests of a class that are served now.", "class"),
		waiting:    desc("api_requests_waiting", "API requests that wait for a seat.", "class"),
		waited:     desc("api_requests_waited_total", "API requests that had to wait for a seat.", "class"),
		waits:      desc("api_request_wait_seconds_total", "How long API requests have waited for a seat, together.", "class"),
		refused:    desc("api_requests_refused_total", "API requests that were throttled, by reason: rate, full (queue), late (wait), body (memory).", "reason"),
		bodies:     desc("api_request_bodies_bytes", "Bytes of long requests' bodies that are held now."),
		open:       desc("connections", "Connections that are open."),
		turnedAway: desc("connections_refused_total", "Connections that were closed at once because there were too many."),
	})
}

// Describe tells what is collected.
func (d *door) Describe(out chan<- *prometheus.Desc) { prometheus.DescribeByCollect(d, out) }

// Collect asks.
func (d *door) Collect(out chan<- prometheus.Metric) {
	tell := func(desc *prometheus.Desc, kind prometheus.ValueType, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(desc, kind, v, labels...)
	}
	load := d.Load()
	for _, c := range load.Classes {
		tell(d.seats, prometheus.GaugeValue, float64(c.Seats), c.Class)
		tell(d.taken, prometheus.GaugeValue, float64(c.Taken), c.Class)
		tell(d.waiting, prometheus.GaugeValue, float64(c.Waiting), c.Class)
		tell(d.waited, prometheus.CounterValue, float64(c.Waited), c.Class)
		tell(d.waits, prometheus.CounterValue, c.WaitedFor.Seconds(), c.Class)
	}
	for reason, n := range load.Refused {
		tell(d.refused, prometheus.CounterValue, float64(n), reason)
	}
	tell(d.bodies, prometheus.GaugeValue, float64(load.Bodies))
	if d.Connections != nil {
		open, refused := d.Connections()
		tell(d.open, prometheus.GaugeValue, float64(open))
		tell(d.turnedAway, prometheus.CounterValue, float64(refused))
	}
}
