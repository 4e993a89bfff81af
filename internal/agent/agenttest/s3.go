package agenttest

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// S3 is a store that speaks as much of S3 as environment files take: GetObject, of buckets in the path, with signatures that are verified.
type S3 struct {
	Region string
	Key    aws.Credentials // the only one that it knows

	mu      sync.Mutex
	objects map[string]string // by "BUCKET/KEY"
	fault   string            // "CODE", with which everything is answered
	status  int
	slow    time.Duration
	n       int
}

// Put makes an object, "BUCKET/KEY".
func (s *S3) Put(path, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.objects == nil {
		s.objects = map[string]string{}
	}
	s.objects[path] = text
}

// Refuse has every request answered with a fault from now on, with status 0 none.
func (s *S3) Refuse(status int, code string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status, s.fault = status, code
}

// Slow has every request take a time.
func (s *S3) Slow(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slow = d
}

// Requests is how many have come.
func (s *S3) Requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.n
}

// ServeHTTP implements http.Handler.
func (s *S3) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/")
	s.mu.Lock()
	s.n++
	text, there := s.objects[path]
	status, code, slow := s.status, s.fault, s.slow
	s.mu.Unlock()
	select {
	case <-time.After(slow):
	case <-r.Context().Done():
		return
	}
	switch {
	case status != 0:
		refuse(w, status, code, "refused")
	case r.Method != http.MethodGet:
		refuse(w, http.StatusMethodNotAllowed, "MethodNotAllowed", "The specified method is not allowed against this resource.")
	case !strings.Contains(r.Header.Get("Authorization"), "Credential="+s.Key.AccessKeyID+"/"):
		refuse(w, http.StatusForbidden, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
	case !s.signed(r):
		refuse(w, http.StatusForbidden, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided.")
	case !there:
		refuse(w, http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
	default:
		io.WriteString(w, text) //nolint:errcheck // the reader is gone
	}
}

// signed says whether a request has the signature of the key: it is signed once more, with the headers that were.
func (s *S3) signed(r *http.Request) bool {
	authorization := r.Header.Get("Authorization")
	_, list, _ := strings.Cut(authorization, "SignedHeaders=")
	list, _, _ = strings.Cut(list, ",")
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil || time.Since(at).Abs() > 5*time.Minute || r.Header.Get("X-Amz-Security-Token") != s.Key.SessionToken {
		return false
	}
	again, err := http.NewRequestWithContext(r.Context(), r.Method, "http://"+r.Host+r.URL.RequestURI(), nil)
	if err != nil {
		return false
	}
	for name := range strings.SplitSeq(list, ";") {
		if v := r.Header.Get(name); v != "" {
			again.Header.Set(name, v)
		}
	}
	err = v4.NewSigner().SignHTTP(r.Context(), s.Key, again, r.Header.Get("X-Amz-Content-Sha256"), "s3", s.Region, at, func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
	return err == nil && again.Header.Get("Authorization") == authorization
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	fmt.Fprint(w, xml.Header+"<Error><Code>"+code+"</Code><Message>"+message+"</Message></Error>")
}
