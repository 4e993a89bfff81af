package frontdoor

import (
	"context"
	"io"
	"net/http"
)

// Streamed is an answer that goes on for as long as the client listens. An operation whose output is one is answered with what Stream writes, as an
// event stream; the operation has its seat until Stream begins.
type Streamed interface {
	// Stream writes the answer's body until it is over, ctx ends because the client has gone, or a write fails. flush sends what was written.
	Stream(ctx context.Context, w io.Writer, flush func() error) error
}

// eventStream is the type of streamed answers, by which they are known when another replica makes them.
const eventStream = "application/vnd.amazon.eventstream"

// stream writes a streamed answer. A client has some time for each write.
func (x *exchange) stream() {
	x.handed, x.status = streamEnded, http.StatusOK
	h := x.w.Header()
	h.Set("Content-Type", eventStream)
	h["X-Amzn-Requestid"] = []string{x.id}
	to := Punctual(x.w, transferWithin)
	to.WriteHeader(http.StatusOK)
	x.door.config.Log.Info("stream begun", "operation", x.target.operation, "caller", x.caller.ARN, "requestId", x.id)
	if err := x.streamed.Stream(x.r.Context(), to, http.NewResponseController(to).Flush); err != nil && x.r.Context().Err() == nil {
		x.door.config.Log.Info("stream broken", "operation", x.target.operation, "caller", x.caller.ARN, "requestId", x.id, "err", err)
	}
}
