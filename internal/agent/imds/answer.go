package imds

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"berth/internal/agent"
)

// The headers of version 2.
const (
	tokenHeader    = "X-Aws-Ec2-Metadata-Token"
	lifetimeHeader = "X-Aws-Ec2-Metadata-Token-Ttl-Seconds"
)

// The longest life of a token.
const mostSeconds = 21600

const tokenPath = "/latest/api/token"

// answer answers a container of an instance.
func (s *Service) answer(w http.ResponseWriter, r *http.Request, host agent.Host) {
	w.Header().Set("Server", "EC2ws")
	switch {
	case r.URL.Path == tokenPath && r.Method == http.MethodPut:
		s.putToken(w, r, host)
	case r.Method != http.MethodGet && r.Method != http.MethodHead || r.URL.Path == tokenPath:
		refuse(w, http.StatusMethodNotAllowed)
	case !s.admitted(w, r, host):
		refuse(w, http.StatusUnauthorized)
	default:
		s.tell(w, r, host)
	}
}

// putToken makes a token. A request that came by way of a proxy, which may have been made to send it, gets none.
func (s *Service) putToken(w http.ResponseWriter, r *http.Request, host agent.Host) {
	if _, forwarded := r.Header["X-Forwarded-For"]; forwarded {
		refuse(w, http.StatusForbidden)
		return
	}
	seconds, err := strconv.Atoi(r.Header.Get(lifetimeHeader))
	if err != nil || seconds < 1 || seconds > mostSeconds {
		refuse(w, http.StatusBadRequest)
		return
	}
	token := s.tokens.make(host.Instance, time.Now().Add(time.Duration(seconds)*time.Second))
	w.Header().Set(lifetimeHeader, strconv.Itoa(seconds))
	w.Header().Set("Content-Type", "text/plain")
	io.WriteString(w, token) //nolint:errcheck // the container is gone then
}

// admitted says whether a request has a token that is good at this instance or needs none.
func (s *Service) admitted(w http.ResponseWriter, r *http.Request, host agent.Host) bool {
	list, has := r.Header[tokenHeader]
	if !has {
		return s.Optional
	}
	left := s.tokens.left(list[0], host.Instance, time.Now())
	if left <= 0 {
		return false
	}
	w.Header().Set(lifetimeHeader, strconv.Itoa(int((left+time.Second-1)/time.Second)))
	return true
}

// versions are those of AWS, in their order. They are all served alike.
var versions = []string{"1.0", "2007-01-19", "2007-03-01", "2007-08-29", "2007-10-10", "2007-12-15", "2008-02-01", "2008-09-01", "2009-04-04", "2011-01-01", "2011-05-01",
	"2012-01-12", "2014-02-25", "2014-11-05", "2015-10-20", "2016-04-19", "2016-06-30", "2016-09-02", "2018-03-28", "2018-08-17", "2018-09-24", "2019-10-01", "2020-10-27",
	"2021-01-03", "2021-03-23", "2021-07-15", "2022-09-24", "2024-04-11", "latest"}

// tell answers with a value or a listing.
func (s *Service) tell(w http.ResponseWriter, r *http.Request, host agent.Host) {
	path := strings.Trim(r.URL.Path, "/")
	if path == "" {
		say(w, "text/plain", strings.Join(versions, "\n"))
		return
	}
	version, path, _ := strings.Cut(path, "/")
	if !slices.Contains(versions, version) {
		refuse(w, http.StatusNotFound)
		return
	}
	values := s.values(host)
	if strings.HasPrefix(path, "meta-data") || path == "" { // what is of the role is read where it is asked or listed
		if err := s.addRole(r.Context(), values, host, path); err != nil {
			refuse(w, http.StatusServiceUnavailable)
			return
		}
	}
	if v, ok := values[path]; ok && !strings.HasSuffix(r.URL.Path, "/") {
		kind := "text/plain"
		if strings.HasSuffix(path, "/document") {
			kind = "application/json"
		}
		say(w, kind, v)
		return
	}
	list := values.list(path)
	if len(list) == 0 {
		refuse(w, http.StatusNotFound)
		return
	}
	say(w, "text/plain", strings.Join(list, "\n"))
}

func say(w http.ResponseWriter, kind, text string) {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Length", strconv.Itoa(len(text)))
	h.Set("Cache-Control", "no-store")
	io.WriteString(w, text) //nolint:errcheck // the container is gone then
}

// refuse answers as EC2 does: a page that says the status.
func refuse(w http.ResponseWriter, status int) {
	title := fmt.Sprintf("%d - %s", status, http.StatusText(status))
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(status)
	fmt.Fprintf(w, page, title, title) //nolint:errcheck // the container is gone then
}

const page = `<?xml version="1.0" encoding="iso-8859-1"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN"
	"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="en" lang="en">
 <head>
  <title>%s</title>
 </head>
 <body>
  <h1>%s</h1>
 </body>
</html>
`
