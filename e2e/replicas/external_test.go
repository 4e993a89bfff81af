package replicas

import (
	"strings"
	"testing"

	"berth/e2e/site"
)

// external starts three replicas on a cluster of three etcd programs, as old as the system's package is.
func external(t testing.TB) *site.Site {
	t.Helper()
	return site.OnEtcd(t, 3, nil, site.NewEtcd(t, site.SystemEtcd(t), nil, 0))
}

// TestExternal: three replicas on an etcd cluster, old and new, suffer what they may, and so does the cluster.
func TestExternal(t *testing.T) {
	for name, program := range map[string]func(testing.TB) string{"system": site.SystemEtcd, "own": site.OwnEtcd} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			etcd := site.NewEtcd(t, program(t), nil, 0)
			s := site.OnEtcd(t, 3, nil, etcd)
			everywhere(s)
			stranger := s.Add()
			s.Members = s.Members[:3]
			out, err := stranger.Try(append([]string{"server", "--listen", stranger.Listen}, s.Members[0].Flags...)...)
			if err == nil || !strings.Contains(out, "copy the file") {
				t.Errorf("a replica with a key of its own: %v, %s", err, out)
			}
			out, err = s.Members[0].Try("server", "members", "list")
			if err == nil || !strings.Contains(out, "form no cluster of their own") {
				t.Errorf("members on an external etcd: %v, %s", err, out)
			}

			w := startWriters(s, "w")
			for _, f := range faults() {
				w.more(s, 10)
				suffer(s, f, s.Leader())
			}
			etcd.Members[0].Kill()
			for _, r := range s.Members {
				r.WaitReady()
				r.WaitWritable()
			}
			w.more(s, 10)
			w.check(s)
		})
	}
}
