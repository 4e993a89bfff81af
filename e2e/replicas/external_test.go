package replicas

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"berth/internal/pki"
)

// external starts three replicas on a cluster of three etcd programs, as old as the system's package is.
func external(t testing.TB) *site {
	t.Helper()
	s, _ := onEtcd(t)
	return s
}

func onEtcd(t testing.TB) (*site, []*exec.Cmd) {
	t.Helper()
	files := certificates(t)
	endpoints, etcds := startEtcds(t, files)
	s := &site{t: t}
	for i := range 3 {
		r := s.add()
		r.flags = []string{"--etcd", strings.Join(endpoints, ","), "--etcd-ca", files[0], "--etcd-cert", files[1], "--etcd-key", files[2]}
		if i > 0 {
			key, err := os.ReadFile(filepath.Join(s.members[0].data, "key"))
			if err == nil {
				err = os.WriteFile(filepath.Join(r.data, "key"), key, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		r.start()
		r.waitReady()
	}
	s.credentials()
	return s, etcds
}

// certificates writes an authority's certificate, and one that it issued with its key: etcd and the replicas show it to each other.
func certificates(t testing.TB) (files [3]string) {
	t.Helper()
	a, err := pki.New()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := a.Issue()
	if err != nil {
		t.Fatal(err)
	}
	chain, key, err := pki.Files(cert)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for i, b := range [][]byte{a.PEM(), chain, key} {
		files[i] = filepath.Join(dir, []string{"ca.crt", "etcd.crt", "etcd.key"}[i])
		if err := os.WriteFile(files[i], b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

func startEtcds(t testing.TB, tls [3]string) (endpoints []string, etcds []*exec.Cmd) {
	t.Helper()
	program, err := exec.LookPath("etcd")
	if err != nil {
		t.Fatal("the etcd program is missing (make deps installs it)")
	}
	var clients, peers, cluster []string
	for i := range 3 {
		client, peer := ports(t)
		clients, peers = append(clients, "https://"+client), append(peers, "http://"+peer)
		cluster = append(cluster, fmt.Sprintf("e%d=http://%s", i, peer))
	}
	for i := range 3 {
		cmd := exec.Command(program, "--name", fmt.Sprintf("e%d", i), "--data-dir", t.TempDir(), "--logger", "zap", "--log-level", "error",
			"--client-cert-auth", "--trusted-ca-file", tls[0], "--cert-file", tls[1], "--key-file", tls[2],
			"--listen-client-urls", clients[i], "--advertise-client-urls", clients[i], "--listen-peer-urls", peers[i],
			"--initial-advertise-peer-urls", peers[i], "--initial-cluster", strings.Join(cluster, ","))
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = cmd.Process.Kill() // a test may have ended it
			_ = cmd.Wait()         // its error is that it was killed
		})
		etcds = append(etcds, cmd)
	}
	return clients, etcds
}

// TestExternal: three replicas on an etcd cluster suffer what they may, and so does the cluster.
func TestExternal(t *testing.T) {
	s, etcds := onEtcd(t)
	for i, r := range s.members {
		name := fmt.Sprintf("through-%d", i)
		if err := s.write(t.Context(), r, name); err != nil {
			t.Fatalf("write through %s: %v", r.listen, err)
		}
		for _, x := range s.members {
			if !s.clusters(x)[name] {
				t.Errorf("%s does not show at once what was written through %s", x.listen, r.listen)
			}
		}
	}
	stranger := &replica{t: t, data: t.TempDir()}
	listen, _ := ports(t)
	out, err := stranger.try(append([]string{"server", "--listen", listen}, s.members[0].flags...)...)
	if err == nil || !strings.Contains(out, "copy the file") {
		t.Errorf("a replica with a key of its own: %v, %s", err, out)
	}
	out, err = s.members[0].try("server", "members", "list")
	if err == nil || !strings.Contains(out, "form no cluster of their own") {
		t.Errorf("members on an external etcd: %v, %s", err, out)
	}

	w := s.startWriters("w")
	for _, f := range faults() {
		s.suffer(f, s.leader())
	}
	if err := etcds[0].Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for _, r := range s.members {
		r.waitReady()
	}
	for i, r := range s.members {
		eventually(t, "a write after an etcd member is gone", func() error { return s.write(t.Context(), r, fmt.Sprintf("one-etcd-less-%d", i)) })
	}
	w.check(s)
}
