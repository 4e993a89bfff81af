package sessions

import (
	"os"
	"slices"
	"testing"
)

func TestNames(t *testing.T) {
	hosts := []byte("127.0.0.1\tlocalhost # remark\n# 10.0.0.9 db\n10.0.0.5 db db.internal\nnonsense db2\n\n::1 ip6-localhost\n")
	for name, want := range map[string]string{"localhost": "127.0.0.1", "DB.internal": "10.0.0.5", "db.": "10.0.0.5", "db2": "", "remark": "", "ip6-localhost": "::1", "": ""} {
		if got := inHosts(hosts, name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
	servers := nameServers([]byte("search a b\nnameserver 10.0.0.2\nnameserver x\nnameserver\noptions ndots:0\nnameserver fd00::1\nnameserver 1.1.1.1\nnameserver 9.9.9.9\n"))
	if !slices.Equal(servers, []string{"10.0.0.2", "fd00::1", "1.1.1.1"}) {
		t.Error(servers)
	}
}

func TestResolve(t *testing.T) {
	for _, address := range []string{"192.0.2.1", "fd00::1"} {
		if got, err := resolve(t.Context(), os.Getpid(), address); got != address || err != nil {
			t.Errorf("%s: %s, %v", address, got, err)
		}
	}
	if got, err := resolve(t.Context(), os.Getpid(), "localhost"); err != nil || got != "127.0.0.1" && got != "::1" {
		t.Errorf("localhost: %s, %v", got, err)
	}
	if _, err := resolve(t.Context(), 1<<30, "localhost"); err == nil {
		t.Error("a process that is not there knows names")
	}
}

func FuzzNames(f *testing.F) {
	f.Add([]byte("127.0.0.1 localhost\nnameserver 1.1.1.1\n"), "localhost")
	f.Fuzz(func(t *testing.T, text []byte, host string) {
		inHosts(text, host)
		if len(nameServers(text)) > 3 {
			t.Fatal("too many")
		}
	})
}
