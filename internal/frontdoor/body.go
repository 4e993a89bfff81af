package frontdoor

import (
	"errors"
	"io"
	"net/http"
	"time"

	"berth/internal/apierr"
)

// readBody takes in the body as it comes: memory is asked for when the bytes are there, not when they are announced.
func (x *exchange) readBody() *apierr.Error {
	within := http.NewResponseController(x.w)
	_ = within.SetReadDeadline(time.Now().Add(transferWithin)) // only writers without a connection have none
	body, err := x.readAll(http.MaxBytesReader(x.w, x.r.Body, x.mostBody()))
	if err == nil {
		_ = within.SetReadDeadline(time.Time{})
		x.body = body
		return nil
	}
	// The deadline stays: the server reads what is left of the body before it closes the connection.
	x.w.Header().Set("Connection", "close")
	switch {
	case errors.As(err, new(*http.MaxBytesError)):
		return x.tooLarge()
	case errors.Is(err, errNoRoom):
		return x.throttle(noRoomForBody, retryLater)
	}
	return apierr.New("IncompleteBody", "The request body could not be read.").Because(err)
}

var errNoRoom = errors.New("no room for the body")

func (x *exchange) readAll(r io.Reader) ([]byte, error) {
	const spare = 64 // the end is seen without growing
	most := x.mostBody()
	if x.r.ContentLength > 0 {
		most = x.r.ContentLength
	}
	b := make([]byte, 0, min(most, freeBody)+spare)
	for {
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if err == io.EOF {
			return b, nil
		}
		if err != nil {
			return nil, err
		}
		if len(b) < cap(b) {
			continue
		}
		more := min(2*int64(cap(b)), most+spare) - int64(cap(b))
		if more <= 0 {
			more = spare // longer than it said: the next read tells
		}
		if !x.door.bodies.take(more) {
			return nil, errNoRoom
		}
		x.held += more
		b = append(make([]byte, 0, int64(cap(b))+more), b...)
	}
}

// forget gives the body's memory back.
func (x *exchange) forget() { x.door.bodies.held.Add(-x.held) }
