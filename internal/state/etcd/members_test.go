package etcd

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// peers answers as other members do: each with one list of members after the other, the last one again and again. "" is no answer.
type peers struct {
	mu    sync.Mutex
	lists map[string][]string
}

func (p *peers) RoundTrip(r *http.Request) (*http.Response, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r.URL.Path != "/members" {
		return nil, fmt.Errorf("asked for %s", r.URL)
	}
	list := p.lists[r.URL.Host]
	if len(list) > 1 {
		p.lists[r.URL.Host] = list[1:]
	}
	if list[0] == "" {
		return nil, io.ErrUnexpectedEOF
	}
	status := http.StatusOK
	if !strings.HasPrefix(list[0], "[") {
		status = http.StatusServiceUnavailable
	}
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(list[0]))}, nil
}

// TestIsRemoved: one member that does not know another any more is enough, however late it or the others hear of the removal. Errors say nothing.
func TestIsRemoved(t *testing.T) {
	const with, without = `[{"id":1,"name":"a"},{"id":2},{"id":18446744073709551615}]`, `[{"id":1,"name":"a"},{"id":2}]`
	for name, x := range map[string]struct {
		first, second []string
		want          bool
	}{
		"both say so":             {[]string{without}, []string{without}, true},
		"the second lags":         {[]string{without}, []string{with}, true},
		"both lag":                {[]string{with, with, with, without}, []string{with}, true},
		"one answers later":       {[]string{"", without}, []string{""}, true},
		"it is one of them":       {[]string{with}, []string{with}, false},
		"nobody answers":          {[]string{""}, []string{""}, false},
		"it is not served there":  {[]string{"not found"}, []string{"not found"}, false},
		"what they say is broken": {[]string{"[{"}, []string{"[]"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), askFor)
				defer cancel()
				began := time.Now()
				p := &peers{lists: map[string][]string{"first": x.first, "second": x.second}}
				if got := isRemoved(ctx, p, []string{"https://first", "https://second"}, 1<<64-1); got != x.want {
					t.Errorf("removed: %v, want %v", got, x.want)
				}
				if took := time.Since(began); x.want == (took >= askFor) {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}
