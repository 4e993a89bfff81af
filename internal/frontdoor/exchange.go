package frontdoor

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"berth/internal/apierr"
	"berth/internal/policy"
	"berth/internal/seal"
)

// exchange is one AWS request on its way through the door, and what became of it.
type exchange struct {
	door  *Door
	w     http.ResponseWriter
	r     *http.Request
	id    string
	start time.Time

	body      []byte
	held      int64 // bytes of it that count
	query     []pair
	target    target
	claim     *claim
	caller    policy.Principal
	issued    time.Time     // when the caller's temporary key was made
	asked     *Request      // what the operation is given, nil before it is called
	in, out   any           // its input and, where it succeeded, its answer
	resource  string        // what a served operation is about, for the log; "" for no one resource
	streamed  Streamed      // the answer, where it is one
	handed    string        // where somebody else writes the answer: what to say of it in the log
	status    int           // what was answered, 0 if nothing was
	failure   *apierr.Error // what went wrong, nil for success
	throttled bool          // refused to protect others
}

func (d *Door) begin(w http.ResponseWriter, r *http.Request) *exchange {
	return &exchange{door: d, w: w, r: r, id: seal.NewUUID(), start: time.Now(), claim: &claim{}}
}

// serve answers a request to an operation. The order is AWS's: what is it for, who asks, what do they say, may they.
//
// The body is read before a seat is taken: only who has signed it takes one, or asks for what needs no signature, and a client that sends slowly
// holds up nobody. What bodies take in memory has a bound of its own.
func (x *exchange) serve() {
	defer x.finish()
	defer x.forget()
	if e := x.read(); e != nil {
		x.fail(e)
		return
	}
	if e := x.route(); e != nil {
		x.fail(e)
		return
	}
	leader := x.leader()
	if f := x.identify(x.target.service.Name, leader != nil); f != nil {
		x.fail(f)
		return
	}
	if x.target.call == nil {
		x.fail(apierr.Unsupported(x.target.operation))
		return
	}
	if leader != nil {
		x.w = punctual{x.w, transferWithin, false}
		x.hand(leader)
		return
	}
	if e := x.admit(); e != nil {
		x.fail(e)
		return
	}
	if leader = x.seated(); leader != nil {
		x.w = punctual{x.w, transferWithin, false}
		x.hand(leader)
	}
	if x.streamed != nil {
		x.stream()
	}
}

// seated answers, and gives the seat back. Where that is for another replica to do, it returns who asks it.
func (x *exchange) seated() (leader http.Handler) {
	defer x.leave()
	return x.answer()
}

// leader is who must serve this request in our place, nil if we may.
func (x *exchange) leader() http.Handler {
	if c := x.target.call; c == nil || c.ReadOnly {
		return nil
	}
	return x.door.config.Forward(x.r)
}

// What the log says of an exchange whose answer somebody else wrote.
const (
	forwarded    = "request forwarded"
	socketClosed = "socket closed"
	streamEnded  = "stream ended"
)

// hand gives the original request to h, with the bytes of its body.
func (x *exchange) hand(h http.Handler) {
	x.handed = forwarded
	x.r.Body = io.NopCloser(bytes.NewReader(x.body))
	h.ServeHTTP(x.w, x.r)
}

// read takes in query and body, at most MaxBody bytes.
func (x *exchange) read() *apierr.Error {
	query, err := readQuery(x.r.URL.RawQuery)
	if err != nil {
		return malformed().Because(err)
	}
	x.query = query
	if x.r.Body == nil || x.r.Body == http.NoBody {
		return nil
	}
	if x.r.ContentLength > x.mostBody() {
		return x.tooLarge()
	}
	return x.readBody()
}

// mostBody is how long the body may be, by the service that the request names.
func (x *exchange) mostBody() int64 {
	service, _, _ := strings.Cut(x.r.Header.Get("X-Amz-Target"), ".")
	if s := x.door.services.byTarget[service]; s != nil && s.MaxBody > 0 {
		return s.MaxBody
	}
	return x.door.config.MaxBody
}

func (x *exchange) tooLarge() *apierr.Error {
	x.w.Header().Set("Connection", "close")
	e := apierr.New("RequestEntityTooLargeException", "The request body is longer than %d bytes.", x.mostBody())
	e.Status = http.StatusRequestEntityTooLarge
	return e
}

func malformed() *apierr.Error {
	return apierr.New("MalformedQueryString", "The query string contains a syntax error")
}

// finish ends every exchange: it turns a panic into a server error, then tells log and metrics.
func (x *exchange) finish() {
	if v := recover(); v != nil {
		if v == http.ErrAbortHandler {
			panic(v)
		}
		x.door.config.Log.Error("request panicked", "operation", x.target.operation, "requestId", x.id, "panic", v, "stack", string(debug.Stack()))
		if x.handed != "" || x.status != 0 {
			panic(http.ErrAbortHandler) // the answer is begun: all that is left is to cut it off
		}
		x.fail(apierr.Server(errors.New("panic")))
	}
	x.record()
}
