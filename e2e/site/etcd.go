package site

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"berth/internal/pki"
)

// Etcd is a cluster of etcd programs of their own, which knows its clients by certificates.
type Etcd struct {
	Members []*EtcdMember

	t     testing.TB
	files [3]string // the authority's certificate, and one that it issued, with its key
}

// EtcdMember is one of them.
type EtcdMember struct {
	Machine int
	Data    string

	of      *Etcd
	on      *Network
	program string
	client  string // HOST:PORT for clients
	args    []string
	process *exec.Cmd
	ended   <-chan struct{} // closed when the process is
}

// NewEtcd starts a cluster of three on this machine or, with a network, on machines of it from a number on. Their data is in directories of
// their own, or in those that are given.
func NewEtcd(t testing.TB, program string, on *Network, from int, data ...string) *Etcd {
	t.Helper()
	e := &Etcd{t: t}
	var peers, names, hosts []string
	for i := range 3 {
		m := &EtcdMember{Machine: from + i, of: e, program: program}
		peer := ""
		if on == nil {
			m.client, peer = Ports(t)
		} else {
			m.client, peer = on.Address(m.Machine)+":2379", on.Address(m.Machine)+":2380"
			hosts = append(hosts, on.Address(m.Machine))
		}
		if len(data) > 0 {
			m.Data = filepath.Join(data[i], "etcd")
		} else {
			m.Data = t.TempDir()
		}
		peers, names = append(peers, "http://"+peer), append(names, fmt.Sprintf("e%d=http://%s", i, peer))
		e.Members = append(e.Members, m)
	}
	e.files = certificates(t, hosts)
	for i, m := range e.Members {
		m.args = []string{
			"--name", fmt.Sprintf("e%d", i), "--data-dir", m.Data, "--logger", "zap", "--log-level", "error",
			"--client-cert-auth", "--trusted-ca-file", e.files[0], "--cert-file", e.files[1], "--key-file", e.files[2],
			"--listen-client-urls", "https://" + m.client, "--advertise-client-urls", "https://" + m.client, "--listen-peer-urls", peers[i],
			"--initial-advertise-peer-urls", peers[i], "--initial-cluster", strings.Join(names, ","),
		}
		m.on = on
		m.Start()
		t.Cleanup(func() { m.Signal(syscall.SIGCONT); m.Kill() })
	}
	return e
}

// Flags are what a replica needs to use the cluster.
func (e *Etcd) Flags() []string {
	var endpoints []string
	for _, m := range e.Members {
		endpoints = append(endpoints, "https://"+m.client)
	}
	return []string{"--etcd", strings.Join(endpoints, ","), "--etcd-ca", e.files[0], "--etcd-cert", e.files[1], "--etcd-key", e.files[2]}
}

// certificates writes an authority's certificate, and one that it issued with its key: etcd and the replicas show it to each other.
func certificates(t testing.TB, hosts []string) (files [3]string) {
	t.Helper()
	a, err := pki.New()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := a.Issue(hosts...)
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

// Start runs the member's program.
func (m *EtcdMember) Start() {
	m.of.t.Helper()
	m.process = m.on.Command(m.Machine, m.program, m.args...)
	m.ended = begin(m.of.t, m.process)
}

// Signal sends the program a signal.
func (m *EtcdMember) Signal(s syscall.Signal) { _ = m.process.Process.Signal(s) } // it may have ended

// WaitEnded waits until the program has ended by itself.
func (m *EtcdMember) WaitEnded() {
	m.of.t.Helper()
	waitEnded(m.of.t, "etcd on "+m.client, m.ended)
}

// Kill ends the program without a word, and waits until it is gone.
func (m *EtcdMember) Kill() {
	m.Signal(syscall.SIGKILL)
	<-m.ended
}

// WaitReady waits until every member is healthy, which takes a majority and what a member missed.
func (e *Etcd) WaitReady() {
	e.t.Helper()
	client := e.client()
	for _, m := range e.Members {
		Eventually(e.t, fmt.Sprintf("etcd on %s is healthy", m.client), func() error {
			resp, err := client.Get("https://" + m.client + "/health")
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				return errors.New(resp.Status)
			}
			return nil
		})
	}
}

func (e *Etcd) client() *http.Client {
	e.t.Helper()
	own, err := tls.LoadX509KeyPair(e.files[1], e.files[2])
	if err != nil {
		e.t.Fatal(err)
	}
	b, err := os.ReadFile(e.files[0])
	if err != nil {
		e.t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(b)
	return &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{own}},
	}}
}
