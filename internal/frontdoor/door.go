package frontdoor

import (
	"mime"
	"net/http"
	"strings"
	"sync/atomic"
)

// Door is the HTTP handler of an installation's one listener. It is safe for concurrent use.
type Door struct {
	config   Config
	services services
	sockets  map[string]*Socket // by path
	rates    *rates
	seats    *seats
	bodies   bodies
	signing  signingKeys
	refused  [reasons]atomic.Uint64
}

// New compiles the plans of all operations. It panics on a table that contradicts itself: that is a mistake in the program.
func New(c Config) *Door {
	c = c.withDefaults()
	d := &Door{config: c, services: compile(c.Services), sockets: map[string]*Socket{}, seats: newSeats(c.Limits), bodies: bodies{most: c.Limits.Bodies}}
	d.rates = newRates(c.Limits.Rate, d.services.all())
	for i := range c.Sockets {
		s := &c.Sockets[i]
		if d.sockets[s.Path] != nil {
			panic("frontdoor: two sockets at " + s.Path)
		}
		d.sockets[s.Path] = s
	}
	return d
}

// ServeHTTP answers an AWS request, opens a socket, or hands over to Config.Other.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s := d.sockets[r.URL.Path]; s != nil && r.Method == http.MethodGet {
		d.begin(w, r).openSocket(s)
		return
	}
	if !forAWS(r) {
		acceptAnyTime(w)
		d.config.Other.ServeHTTP(w, r)
		return
	}
	d.begin(w, r).serve()
}

// forAWS tells a request to an AWS API from one for the console, the image registry or a probe.
func forAWS(r *http.Request) bool {
	if r.Header.Get("X-Amz-Target") != "" || strings.HasPrefix(r.Header.Get("Authorization"), "AWS") {
		return true
	}
	if strings.Contains(r.URL.RawQuery, "X-Amz-Algorithm=") {
		return true
	}
	if r.URL.Path != "/" {
		return false
	}
	return isForm(r) || strings.Contains(r.URL.RawQuery, "Action=") && r.URL.Query().Has("Action")
}

func isForm(r *http.Request) bool {
	return r.Method == http.MethodPost && mediaType(r) == "application/x-www-form-urlencoded"
}

// mediaType is the request's content type without its parameters, "" if it has none.
func mediaType(r *http.Request) string {
	v := r.Header.Get("Content-Type")
	if !strings.Contains(v, ";") {
		return strings.ToLower(strings.TrimSpace(v))
	}
	t, _, err := mime.ParseMediaType(v)
	if err != nil {
		return ""
	}
	return t
}
