package metrics

import (
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Requests are the instruments of API requests. A request costs them one look into a map that does not change: label values are resolved the
// first time that an operation ends in a class.
type Requests struct {
	durations *prometheus.HistogramVec
	throttled prometheus.Counter
	inFlight  prometheus.Gauge

	mu    sync.Mutex
	known atomic.Pointer[map[operation]*[classes]prometheus.Observer]
}

type operation struct{ service, name string }

// classes of statuses: 1xx and what is none are with 5xx.
const classes = 6

func newRequests(registry *prometheus.Registry) *Requests {
	r := &Requests{
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "berth_api_request_duration_seconds", Help: "How long API requests took that this replica answered, by operation and class of the status.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"service", "operation", "code"}),
		throttled: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "berth_api_requests_throttled_total", Help: "API requests that were refused with ThrottlingException.",
		}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "berth_api_requests_in_flight", Help: "Requests that are being answered, without sessions and streams.",
		}),
	}
	r.known.Store(&map[operation]*[classes]prometheus.Observer{})
	registry.MustRegister(r.durations, r.throttled, r.inFlight)
	return r
}

// Observe is for frontdoor.Config.Observe.
func (r *Requests) Observe(service, name, code string, status int, took time.Duration) {
	class := status / 100
	if class < 2 || class >= classes {
		class = 5
	}
	o := (*r.known.Load())[operation{service, name}]
	if o == nil || o[class] == nil {
		o = r.resolve(operation{service, name}, class)
	}
	o[class].Observe(took.Seconds())
	if code == "ThrottlingException" || code == "Throttling" {
		r.throttled.Inc()
	}
}

// resolve copies the map with one more observer. The front door names only operations that AWS has, so there are not many.
func (r *Requests) resolve(key operation, class int) *[classes]prometheus.Observer {
	r.mu.Lock()
	defer r.mu.Unlock()
	old := *r.known.Load()
	grown := make(map[operation]*[classes]prometheus.Observer, len(old)+1)
	for k, v := range old {
		grown[k] = v
	}
	next := &[classes]prometheus.Observer{}
	if was := old[key]; was != nil {
		*next = *was
	}
	service, name := key.service, key.name
	if service == "" {
		service = "none"
	}
	if name == "" {
		name = "unknown"
	}
	next[class] = r.durations.WithLabelValues(service, name, string(rune('0'+class))+"xx")
	grown[key] = next
	r.known.Store(&grown)
	return next
}

// InFlight counts the requests that are being answered; long paths are those of sessions and streams, which are not counted, nor are those
// who look at it.
func (r *Requests) InFlight(next http.Handler, long ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path != "/metrics" && !slices.Contains(long, req.URL.Path) {
			r.inFlight.Inc()
			defer r.inFlight.Dec()
		}
		next.ServeHTTP(w, req)
	})
}
