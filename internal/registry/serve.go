package registry

import (
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/distribution/distribution/v3"

	"berth/internal/ecr"
)

// request is one that is being answered.
type request struct {
	target
	*Registry
	w          http.ResponseWriter
	r          *http.Request
	caller     Caller // nil where the address has a signature
	repository *ecr.Repository
	engine     distribution.Repository
	call       Call        // what the caller was last asked about
	told       func(*Call) // is told what becomes of it; nil where nobody was asked, and once it was
}

// ServeHTTP answers what clients of registries ask below /v2/.
func (g *Registry) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Docker-Distribution-Api-Version", "registry/2.0")
	_ = http.NewResponseController(w).SetWriteDeadline(time.Time{}) // what an earlier answer on the connection has left; only writers without one have none
	t, ok := aim(r.URL.Path)
	if !ok {
		t.failed(fail(http.StatusNotFound, "UNSUPPORTED", "The path is none of /v2/ACCOUNT/REGION/NAME/{manifests,blobs,tags}")).write(w)
		return
	}
	q := &request{target: t, Registry: g, w: w, r: r}
	err := q.serve()
	q.tell(err)
	if err != nil {
		f := t.failed(err)
		if f.status >= http.StatusInternalServerError {
			g.Log.Error("registry request failed", "method", r.Method, "path", r.URL.Path, "error", err)
		}
		if f.status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", `Basic realm="`+r.Host+`",service="ecr.amazonaws.com"`)
		}
		f.write(w)
	}
}

// serve finds out who asks for what, and whether that may be.
func (q *request) serve() error {
	signed := q.kind == blobOf && q.r.Method == http.MethodGet && q.signed(q.r.URL, time.Now())
	if !signed {
		user, password, ok := q.r.BasicAuth()
		if !ok {
			return fail(http.StatusUnauthorized, "UNAUTHORIZED", "Not Authorized")
		}
		var err error
		if q.caller, err = q.Authorize(q.r, user, password); err != nil {
			return unauthorized(err)
		}
	}
	if q.kind == base {
		q.w.Header().Set("Content-Type", "application/json")
		_, err := io.WriteString(q.w, "{}")
		return gone(err)
	}
	action, ok := q.action(q.r.Method)
	if !ok {
		return fail(http.StatusMethodNotAllowed, "UNSUPPORTED", "The operation is unsupported.")
	}
	if !signed {
		if err := q.may(action); err != nil {
			return err
		}
	}
	if q.repository = q.State.View().Repositories.Get(q.arn()); q.repository == nil {
		return q.unknown()
	}
	var err error
	if q.engine, err = q.of(q.r.Context(), q.repository.Storage); err != nil {
		return err
	}
	return q.answer()
}

func (q *request) answer() error {
	switch q.kind {
	case manifestOf:
		return q.manifest()
	case blobOf:
		return q.blob()
	case newUpload:
		return q.begin()
	case uploadOf:
		return q.upload()
	case tagList:
		return q.list()
	}
	return errors.New("a kind of path without an answer")
}

// gone leaves out that an answer could not be written: the client went away.
func gone(error) error { return nil }

// Bounds of what a client may take to send or read, so that one that stands still does not stay for ever.
const (
	patience = time.Minute
	slowest  = 64 << 10 // bytes a second
)

// patient reads a body for as long as something of it comes within a minute, whatever the server's limit for a whole request is.
type patient struct {
	body    io.Reader
	control *http.ResponseController
}

// Patient reads the body of a request for as long as something of it comes within a minute.
func Patient(w http.ResponseWriter, r *http.Request) io.Reader {
	return patient{r.Body, http.NewResponseController(w)}
}

func (p patient) Read(b []byte) (int, error) {
	if err := p.wait(time.Now().Add(patience)); err != nil {
		return 0, err
	}
	n, err := p.body.Read(b)
	if err != nil { // nothing more comes: what is done with it may take longer, and the server goes on reading to hear when the client leaves
		_ = p.wait(time.Time{}) // what is wrong with the connection will be seen when it is answered
	}
	return n, err
}

func (p patient) wait(until time.Time) error {
	if err := p.control.SetReadDeadline(until); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}

// roomy reads a body for as long as there is room for it.
type roomy struct {
	io.Reader
	room   func() error
	looked int // bytes read since it was looked whether there is room
}

func (q *request) body() io.Reader {
	return &roomy{Patient(q.w, q.r), q.room, lookAfter}
}

func (r *roomy) Read(b []byte) (int, error) {
	if r.looked >= lookAfter {
		if err := r.room(); err != nil {
			return 0, err
		}
		r.looked = 0
	}
	n, err := r.Reader.Read(b)
	r.looked += n
	return n, err
}

// allow gives the client time to read so many bytes.
func (q *request) allow(size int64) error {
	err := http.NewResponseController(q.w).SetWriteDeadline(time.Now().Add(patience + time.Duration(size/slowest)*time.Second))
	if errors.Is(err, http.ErrNotSupported) {
		return nil
	}
	return err
}
