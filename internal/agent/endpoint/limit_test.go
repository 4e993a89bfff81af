package endpoint

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

// askFrom asks for a path from an address, and returns the whole answer.
func askFrom(h http.Handler, address, path string) *http.Response {
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.RemoteAddr = address
	h.ServeHTTP(w, r)
	return w.Result()
}

// TestLimitIsOfOne: who asks too much does not keep others from asking, and hears it in the official agent's words.
func TestLimitIsOfOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := Handler(&plane{}, nil)
		var r *http.Response
		for range askBurst + 1 {
			r = askFrom(h, "10.0.0.1:1", path)
		}
		for name, want := range map[string]string{"X-Rate-Limit-Limit": "40.00", "X-Rate-Limit-Duration": "1", "X-Rate-Limit-Request-Remote-Addr": "10.0.0.1:1",
			"Content-Type": "text/plain; charset=utf-8"} {
			if got := r.Header.Get(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		body := make([]byte, 100)
		n, _ := r.Body.Read(body)
		if text := string(body[:n]); r.StatusCode != http.StatusTooManyRequests || text != "You have reached maximum request limit." {
			t.Errorf("%d %s", r.StatusCode, text)
		}
		for _, other := range [][2]string{{"10.0.0.2:1", path}, {"10.0.0.1:1", "/v4/secret/nothing"}} {
			if r := askFrom(h, other[0], other[1]); r.StatusCode == http.StatusTooManyRequests {
				t.Errorf("%s is refused %s because of another", other[0], other[1])
			}
		}
		w, same := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil)
		same.RemoteAddr = "10.0.0.1:1"
		if h.ServeHTTP(w, InVPC(same, "vpc-2")); w.Code == http.StatusTooManyRequests {
			t.Error("the same address in another VPC is refused because of this one")
		}
		if r := askFrom(h, "10.0.0.1:2", path); r.StatusCode != http.StatusTooManyRequests {
			t.Error("another connection of the same address is not limited")
		}
	})
}

// TestBucketsAreBounded: whoever asks for ever new paths fills nothing, and is limited in the end; when it has paused, all is as before.
func TestBucketsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBuckets()
		refused := 0
		for i := range 2 * mostBuckets {
			if !b.allow("10.0.0.1", fmt.Sprint(i)) {
				refused++
			}
		}
		if len(b.kept) > mostBuckets || refused != mostBuckets-askBurst {
			t.Errorf("%d are kept, %d refused", len(b.kept), refused)
		}
		time.Sleep(refill + time.Second)
		if !b.allow("10.0.0.1", "new") || len(b.kept) != 1 {
			t.Errorf("after a pause %d are kept", len(b.kept))
		}
	})
}

// BenchmarkFullBuckets is a request for a path that is new, where no bucket is free.
func BenchmarkFullBuckets(b *testing.B) {
	buckets, n := newBuckets(), 0
	next := func() { n++; buckets.allow("10.0.0.1", fmt.Sprint(n)) }
	for range mostBuckets {
		next()
	}
	for b.Loop() {
		next()
	}
}
