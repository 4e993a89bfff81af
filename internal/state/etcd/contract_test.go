package etcd

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3client"

	"berth/internal/state/backendtest"
)

// TestMain lets more tests run at once than there are processors: they wait for disks, leases and members that start.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "6"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func TestContractEmbedded(t *testing.T) {
	backendtest.Run(t, func(t *testing.T) backendtest.Cluster {
		b := openTest(t, Config{Dir: t.TempDir(), Lease: Lease})
		return cluster(b, func(t *testing.T, name string, version int) *Backend {
			c := b.config
			c.Replica, c.Version = name, version
			again := newBackend(c, v3client.New(b.server.etcd.Server))
			if name == "" {
				again.server = b.server // so that it makes room
			}
			t.Cleanup(func() {
				again.server = nil // the first one stops it
				closeTest(t, again)
			})
			return again
		})
	})
}

// TestContractExternal runs a real etcd process, as old as Debian's, for each behaviour.
func TestContractExternal(t *testing.T) {
	backendtest.Run(t, func(t *testing.T) backendtest.Cluster {
		c := Config{Endpoints: []string{startProcess(t)}}
		first := c
		first.Version = 9 // it is no replica of the tests, so it holds none of them back
		return cluster(openTest(t, first), func(t *testing.T, name string, version int) *Backend {
			c := c
			c.Replica, c.Version = name, version
			return openTest(t, c)
		})
	})
}

func openTest(t *testing.T, c Config) *Backend {
	t.Helper()
	c.Log = testLog(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	b, err := Open(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeTest(t, b) })
	return b
}

func closeTest(t *testing.T, b *Backend) {
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}

// testLog shows in the test's output what went to the log.
func testLog(t *testing.T) *slog.Logger { return slog.New(slog.NewTextHandler(t.Output(), nil)) }

func cluster(b *Backend, open func(t *testing.T, name string, version int) *Backend) backendtest.Cluster {
	return backendtest.Cluster{
		Lease:   Lease,
		Replica: func(t *testing.T) backendtest.Replica { return replica(t, open(t, "", 0), b.client) },
		Version: func(t *testing.T, name string, version int) backendtest.Replica {
			again := open(t, name, version)
			if _, err := again.putVersion(t.Context(), name); err != nil {
				t.Fatal(err)
			}
			return replica(t, again, b.client)
		},
		Compact: func(t *testing.T) {
			now, err := b.revision(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if err := b.compact(t.Context(), now); err != nil {
				t.Fatal(err)
			}
		},
	}
}

// replica puts faults between b and etcd. admin is a way around them.
func replica(t *testing.T, b *Backend, admin *clientv3.Client) backendtest.Replica {
	f := &faults{silent: make(chan struct{})}
	b.client.KV = faultyKV{b.client.KV, f}
	b.client.Lease = faultyLease{b.client.Lease, f}
	return backendtest.Replica{
		Backend: b,
		Next: func(fault backendtest.Fault) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.next = append(f.next, fault)
			if fault == backendtest.NoSpace && b.server != nil {
				f.next = append(f.next, fault) // also after it has made room
			}
		},
		Arrive: f.arrive,
		Expire: func() {
			term := b.term.Load()
			if term == nil {
				t.Error("the replica does not lead")
			} else if _, err := admin.Revoke(context.Background(), term.lease); err != nil {
				t.Error(err)
			}
		},
		Silence: sync.OnceFunc(func() { close(f.silent) }),
	}
}

// startProcess runs the etcd program on a loopback port of its own.
func startProcess(t *testing.T) string {
	t.Helper()
	program, err := exec.LookPath("etcd")
	if err != nil {
		t.Skip("there is no etcd program on this machine")
	}
	endpoint, peer := "http://"+freePort(t), "http://"+freePort(t)
	cmd := exec.Command(program, "--data-dir", filepath.Join(t.TempDir(), "data"), "--name", "x", "--logger", "zap", "--log-level", "error",
		"--listen-client-urls", endpoint, "--advertise-client-urls", endpoint,
		"--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", "x="+peer)
	cmd.Stdout, cmd.Stderr = t.Output(), t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
		_ = cmd.Wait() // its error is that it was killed
	})
	return endpoint
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
