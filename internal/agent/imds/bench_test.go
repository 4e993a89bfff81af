package imds

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// BenchmarkMetadata is what an answer takes over a kept connection, HTTP and all. The rate is not limited: many ask.
func BenchmarkMetadata(b *testing.B) {
	s := newService(newMachine())
	token := s.tokens.make("one", time.Now().Add(time.Hour))
	for name, path := range map[string]string{"instance-id": "/latest/meta-data/instance-id", "credentials": "/latest/meta-data/iam/security-credentials/ecsInstanceRole"} {
		b.Run(name, func(b *testing.B) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				r.RemoteAddr = bridge + ":1"
				clear(s.callers.kept)
				s.Handler("").ServeHTTP(w, r)
			}))
			defer server.Close()
			r, err := http.NewRequest(http.MethodGet, server.URL+path, nil)
			if err != nil {
				b.Fatal(err)
			}
			r.Header.Set(tokenHeader, token)
			for b.Loop() {
				resp, err := server.Client().Do(r)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK {
					b.Fatal(resp.Status, err)
				}
				resp.Body.Close()
			}
		})
	}
}
