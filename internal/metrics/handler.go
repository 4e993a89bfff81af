package metrics

import (
	"net"
	"net/http"
	"net/netip"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Handler serves the metrics: to this machine, or to everybody where open is set. They hold no secrets, but names of clusters and how busy
// an installation is. A request that a proxy passes on is not this machine's.
func (m *Metrics) Handler(open bool) http.Handler {
	metrics := promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !open && !local(r) {
			http.Error(w, "The metrics are served to this machine only. Start the server with --metrics-open to serve them to everybody.", http.StatusForbidden)
			return
		}
		metrics.ServeHTTP(w, r)
	})
}

func local(r *http.Request) bool {
	if r.Header.Get("X-Forwarded-For") != "" || r.Header.Get("Forwarded") != "" {
		return false
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback()
}
