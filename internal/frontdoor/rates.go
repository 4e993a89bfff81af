package frontdoor

import (
	"fmt"
	"sync"
	"time"
)

// Rate is a bucket of tokens that some operations of a service share: each caller has one, each call takes a token out of it.
type Rate struct {
	Name       string
	Burst      float64 // how many tokens the bucket holds
	PerSecond  float64 // how many come back in a second
	Operations []string
}

// otherRate is for operations that no Rate of their service names.
func otherRate() Rate { return Rate{Name: "other", Burst: 100, PerSecond: 20} }

// limit is a Rate made ready. A bucket is one number: when it will be full again, if nobody calls.
type limit struct {
	index int           // of its bucket in an account
	each  time.Duration // how long one token takes to come back
	whole time.Duration // how long all of them take
}

// rates holds the buckets of callers. One that is idle long enough for all its buckets to be full is forgotten.
type rates struct {
	limits int
	begun  time.Time
	keep   time.Duration // longer than any bucket takes to fill

	mu         sync.Mutex
	young, old map[string]account // callers of this period, and of the one before
	turned     time.Duration      // when this period began, after begun
}

// account is one caller's buckets, by the index of their limits: when each is full again, after begun.
type account []time.Duration

// maxAccounts bounds the callers of a period; with more, periods are shorter.
const maxAccounts = 10_000

// newRates gives every operation that is limited its limit; scale 0 limits none. It panics on a table that contradicts itself.
func newRates(scale float64, table []*service) *rates {
	r := &rates{begun: time.Now(), keep: time.Minute, young: map[string]account{}}
	if scale <= 0 {
		return r
	}
	for _, s := range table {
		for _, rate := range s.Rates {
			l := r.limit(rate, scale)
			for _, name := range rate.Operations {
				if _, known := s.known[name]; !known {
					panic(fmt.Sprintf("frontdoor: rate %q names %s, which %s has not", rate.Name, name, s.Name))
				}
				if c := s.calls[name]; c != nil {
					c.rate = l
				}
			}
		}
		other := r.limit(otherRate(), scale)
		for _, c := range s.calls {
			switch {
			case c.Frequent:
				c.rate = nil
			case c.rate == nil:
				c.rate = other
			}
		}
	}
	return r
}

func (r *rates) limit(rate Rate, scale float64) *limit {
	if rate.PerSecond <= 0 || rate.Burst <= 0 {
		panic(fmt.Sprintf("frontdoor: rate %q lets nobody in", rate.Name))
	}
	each := max(time.Duration(float64(time.Second)/(rate.PerSecond*scale)), 1)
	whole := max(time.Duration(rate.Burst*scale*float64(each)), each) // one call at least
	l := &limit{index: r.limits, each: each, whole: whole}
	r.limits++
	r.keep = max(r.keep, 2*whole)
	return l
}

// take takes a token out of who's bucket. Where there is none it returns how long it takes until there is one.
func (r *rates) take(who string, l *limit) (wait time.Duration) {
	if l == nil {
		return 0
	}
	now := time.Since(r.begun)
	r.mu.Lock()
	defer r.mu.Unlock()
	a := r.account(who, now)
	full := max(a[l.index], now) + l.each
	if wait = full - now - l.whole; wait > 0 {
		return wait
	}
	a[l.index] = full
	return 0
}

func (r *rates) account(who string, now time.Duration) account {
	if now-r.turned > r.keep || len(r.young) >= maxAccounts {
		if now-r.turned > 2*r.keep {
			r.young = nil // nobody has called in the whole period before
		}
		r.young, r.old, r.turned = map[string]account{}, r.young, now
	}
	a, ok := r.young[who]
	if !ok {
		if a, ok = r.old[who]; !ok {
			a = make(account, r.limits)
		}
		r.young[who] = a
	}
	return a
}
