package imds

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"berth/internal/agent"
)

// TestPeers: a container of another agent's is answered by that one, with its tokens, and what that one does not answer is not answered.
func TestPeers(t *testing.T) {
	theirs := newService(newMachine())
	theirs.Key = "theirs"
	other := httptest.NewServer(theirs.Handler(""))
	defer other.Close()
	at := netip.MustParseAddrPort(other.Listener.Addr().String())
	ours := New(Config{Source: nobody{newMachine()}, Peers: func() []Peer {
		return []Peer{{}, {netip.MustParseAddrPort("127.0.0.1:1"), "gone"}, {at, "theirs"}}
	}})
	ask := func(address, method, path, header, value string) (int, string) {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.RemoteAddr = address + ":1"
			ours.Handler("").ServeHTTP(w, r)
		}))
		defer s.Close()
		r, err := http.NewRequest(method, s.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set(header, value)
		resp, err := s.Client().Do(r)
		if err != nil {
			return 0, ""
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Error(err)
		}
		return resp.StatusCode, string(b)
	}
	code, token := ask(bridge, "PUT", tokenPath, lifetimeHeader, "60")
	if code != 200 || len(token) != 56 {
		t.Fatalf("a token: %d %s", code, token)
	}
	if code, id := ask(bridge, "GET", "/latest/meta-data/instance-id", tokenHeader, token); code != 200 || id != "i-11111111111111111" {
		t.Errorf("%d %s", code, id)
	}
	if code, _ := ask(bridge, "GET", "/latest/meta-data/instance-id", "Accept", "*/*"); code != 401 {
		t.Errorf("without a token: %d", code)
	}
	if code, _ := ask(bridge, "PUT", tokenPath, "X-Forwarded-For", "1.2.3.4"); code != 403 {
		t.Errorf("forwarded: %d", code)
	}
	for _, address := range []string{"172.17.0.9", "172.17.0.77"} {
		if code, text := ask(address, "PUT", tokenPath, lifetimeHeader, "60"); code != 0 {
			t.Errorf("%s: %d %s", address, code, text)
		}
	}
	theirs.Key = "another"
	if code, text := ask(bridge, "PUT", tokenPath, lifetimeHeader, "60"); code != 0 {
		t.Errorf("with a key that is not theirs: %d %s", code, text)
	}
}

// nobody has no containers.
type nobody struct{ *machine }

func (nobody) HostAt(context.Context, string, netip.Addr) (agent.Host, error) {
	return agent.Host{}, agent.ErrNoHost
}
