package sdkhttp

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// body is one as the SDK makes it, and tells when it is read once more after its end: by then it is closed.
type body struct {
	text          io.Reader
	closed, again chan struct{}
	close, told   sync.Once
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.text.Read(p)
	if n == 0 && err == io.EOF {
		b.wait()
	}
	return n, err
}

func (b *body) WriteTo(io.Writer) (int64, error) { b.wait(); return 0, io.EOF }
func (b *body) wait()                            { <-b.closed; b.told.Do(func() { close(b.again) }) }
func (b *body) Close() error                     { b.close.Do(func() { close(b.closed) }); return nil }

// TestAnswerOfClosedBody: an answer is read to its end though the request's body was closed while the transport looked for its end.
func TestAnswerOfClosedBody(t *testing.T) {
	rest := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(w, r.Body) //nolint:errcheck // the client misses it
		http.NewResponseController(w).Flush()
		<-rest
		io.WriteString(w, ", and so on") //nolint:errcheck // the client misses it
	}))
	t.Cleanup(s.Close)
	b := &body{text: strings.NewReader("once"), closed: make(chan struct{}), again: make(chan struct{})}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL, b)
	if err != nil {
		t.Fatal(err)
	}
	r.ContentLength = 4
	c := New()
	t.Cleanup(c.CloseIdleConnections)
	answer, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	b.Close()
	<-b.again
	close(rest)
	got, err := io.ReadAll(answer.Body)
	if answer.Body.Close(); string(got) != "once, and so on" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if r.Body != b {
		t.Error("the request was changed")
	}
}
