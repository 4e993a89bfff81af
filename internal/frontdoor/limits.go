package frontdoor

import (
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"berth/internal/apierr"
)

// Limits bound what callers may ask of this replica at once. Zero fields take the defaults in their comments.
type Limits struct {
	// Rate is how many times a service's own Rates one access key may call; 0 is no limit.
	Rate float64
	// Reports, Writes and Reads are how many requests of a class are served at the same time. Together they are never more than Reports,
	// so agents' reports may take every seat and nobody else can.
	Reports int // 4,096: most of them only wait for a commit
	Writes  int // a quarter of Reports
	Reads   int // 8 a processor, at least 16: they are all work
	// Bodies is how many bytes of requests' bodies are held at the same time, beyond the first 4 KiB of each; 256 MiB.
	Bodies int64
}

func (l Limits) withDefaults() Limits {
	if l.Reports <= 0 {
		l.Reports = 4096
	}
	if l.Writes <= 0 {
		l.Writes = max(l.Reports/4, 1)
	}
	if l.Reads <= 0 {
		l.Reads = max(16, 8*runtime.GOMAXPROCS(0))
	}
	if l.Bodies <= 0 {
		l.Bodies = 256 << 20
	}
	return l
}

// Load is how busy a door is, and how often it has refused since it was made.
type Load struct {
	Classes []ClassLoad
	Refused map[string]uint64 // by reason: rate (a key calls too often), full (a queue), late (a wait), body (no room for it)
	Bodies  int64             // bytes of bodies that are held beyond the first 4 KiB of each
}

// ClassLoad is Load's part of one class of requests.
type ClassLoad struct {
	Class                 string
	Seats, Taken, Waiting int
	Waited                uint64        // requests that had to wait, those that were refused then among them
	WaitedFor             time.Duration // all their waits together
}

// Load tells the present.
func (d *Door) Load() Load {
	l := Load{Classes: d.seats.load(), Refused: map[string]uint64{}, Bodies: d.bodies.held.Load()}
	for r := range reasons {
		l.Refused[r.String()] = d.refused[r].Load()
	}
	return l
}

// reason is why a request was throttled.
type reason int

const (
	tooOften reason = iota
	queueFull
	waitedTooLong
	noRoomForBody
	reasons
)

func (r reason) String() string { return [reasons]string{"rate", "full", "late", "body"}[r] }

// admit finds out whether the request is served now: its caller must not call too often, and there must be a seat for it, for which it may
// have to wait. What it takes, leave gives back.
func (x *exchange) admit() *apierr.Error {
	c := x.target.call
	if wait := x.door.rates.take(x.who(), c.rate); wait > 0 {
		return x.throttle(tooOften, wait)
	}
	refused, ok := x.door.seats.take(x.r.Context(), c.class, x.who())
	if !ok {
		return x.throttle(refused, retryLater)
	}
	return nil
}

// leave gives the seat back.
func (x *exchange) leave() { x.door.seats.leave(x.target.call.class) }

// who is whose share of the limits the request takes. In AuthDev mode, anybody can make up access keys. Who has not signed is an address.
func (x *exchange) who() string {
	switch {
	case x.door.config.Auth == AuthDev:
		return x.caller.ARN
	case x.claim.accessKeyID == "":
		return strings.Join(sourceIP(x.r.RemoteAddr), "")
	}
	return x.claim.accessKeyID
}

// retryLater is the hint to those who found no seat: there is no telling when there is one.
const retryLater = time.Second

// throttle refuses as ECS does, and says when to come again: in seconds to everybody and in milliseconds to the SDKs that know of it.
func (x *exchange) throttle(why reason, wait time.Duration) *apierr.Error {
	x.throttled = true
	x.door.refused[why].Add(1)
	wait = max(wait, time.Millisecond)
	h := x.w.Header()
	h.Set("Retry-After", strconv.FormatInt(int64((wait+time.Second-1)/time.Second), 10))
	h.Set("X-Amz-Retry-After", strconv.FormatInt(int64((wait+time.Millisecond-1)/time.Millisecond), 10))
	return apierr.Throttling()
}

// transferWithin is how long a client may take to send a body, and to accept an answer.
const transferWithin = 30 * time.Second

// acceptWithin cuts the connection off if the client does not accept what is written from now on in time.
func acceptWithin(w http.ResponseWriter, d time.Duration) { deadline(w, time.Now().Add(d)) }

// acceptAnyTime ends the deadline that an earlier answer on the same connection has left.
func acceptAnyTime(w http.ResponseWriter) { deadline(w, time.Time{}) }

func deadline(w http.ResponseWriter, t time.Time) {
	_ = http.NewResponseController(w).SetWriteDeadline(t) // only writers without a connection have none
}

// punctual is a writer whose answer must be accepted in time, from when it begins; of one that goes on, each part.
type punctual struct {
	http.ResponseWriter
	within time.Duration
	parts  bool // it goes on; so do event streams
}

// Punctual is a writer each part of whose answer must be accepted within a time.
func Punctual(w http.ResponseWriter, within time.Duration) http.ResponseWriter {
	return punctual{w, within, true}
}

func (p punctual) Write(b []byte) (int, error) {
	if p.parts || p.Header().Get("Content-Type") == eventStream {
		acceptWithin(p.ResponseWriter, p.within)
	}
	return p.ResponseWriter.Write(b)
}

func (p punctual) WriteHeader(status int) {
	acceptWithin(p.ResponseWriter, p.within)
	p.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (p punctual) Unwrap() http.ResponseWriter { return p.ResponseWriter }

// bodies bounds the memory of requests' bodies.
type bodies struct {
	most int64
	held atomic.Int64
}

// freeBody is how many bytes of each body are not counted: their number is bounded by that of connections, and a report fits.
const freeBody = 4 << 10

// take asks for n more bytes.
func (b *bodies) take(n int64) bool {
	if b.held.Add(n) > b.most {
		b.held.Add(-n)
		return false
	}
	return true
}
