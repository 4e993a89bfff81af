package endpoint

import (
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// The rate at which who asks may ask for one thing, as the official agent has it, and of how many that is kept. Beyond that all share one bucket.
const (
	askRate     = 40
	askBurst    = 60
	mostBuckets = 4096
	refill      = 2 * time.Second // more than a bucket needs to be full
)

// buckets limit each caller's requests for each path.
type buckets struct {
	mu     sync.Mutex
	kept   map[string]*bucket // by VPC, address and path
	swept  time.Time          // when all were looked at last
	shared *rate.Limiter
}

type bucket struct {
	*rate.Limiter
	used time.Time
}

func newBuckets() *buckets {
	return &buckets{kept: map[string]*bucket{}, shared: rate.NewLimiter(askRate, askBurst)}
}

// allow takes a token of a caller's.
func (b *buckets) allow(caller, path string) bool {
	now, key := time.Now(), caller+" "+path
	b.mu.Lock()
	defer b.mu.Unlock()
	one := b.kept[key]
	if one == nil && len(b.kept) >= mostBuckets && now.Sub(b.swept) > refill/8 { // each time would be dear: all others wait
		b.swept = now
		for k, old := range b.kept {
			if now.Sub(old.used) > refill {
				delete(b.kept, k)
			}
		}
	}
	switch {
	case one == nil && len(b.kept) >= mostBuckets:
		return b.shared.Allow()
	case one == nil:
		one = &bucket{Limiter: rate.NewLimiter(askRate, askBurst)}
		b.kept[key] = one
	}
	one.used = now
	return one.Allow()
}

func limited(next http.Handler, b *buckets) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Rate-Limit-Limit", "40.00")
		w.Header().Set("X-Rate-Limit-Duration", "1")
		w.Header().Set("X-Rate-Limit-Request-Remote-Addr", r.RemoteAddr)
		if _, host := addressOf(r); !b.allow(vpcOf(r)+" "+host, r.URL.Path) {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			w.WriteHeader(http.StatusTooManyRequests)
			w.Write([]byte("You have reached maximum request limit.")) //nolint:errcheck // the container is gone then
			return
		}
		next.ServeHTTP(w, r)
	})
}
