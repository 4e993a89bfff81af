package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"berth/internal/pki"
	"berth/internal/seal"
	"berth/internal/state/etcd"
)

const (
	replicaFile   = "replica.json"
	authorityFile = "authority.json"
)

// replica is what a replica remembers of itself, so that a member of a cluster starts again without flags.
type replica struct {
	Name      string
	Clustered bool              `json:",omitempty"`
	Flags     map[string]string `json:",omitempty"` // a member's, as they were last given
	Join      []etcd.Member     `json:",omitempty"` // the members at the time it joined
	Removed   bool              `json:",omitempty"`
}

// identify finds out what this replica is: what it was before, or what the flags make of it.
func (s *server) identify() (known bool, err error) {
	r, o := &s.replica, &s.options
	if err := s.data.read(replicaFile, r); errors.Is(err, fs.ErrNotExist) {
		r.Name = "replica-" + strings.ToLower(rand.Text()[:10])
	} else if err != nil {
		return false, fmt.Errorf("read %s: %w", replicaFile, err)
	}
	if len(o.etcd) > 0 && (o.clusterInit || o.join != "" || r.Clustered) {
		return false, errors.New("replicas on an external etcd form no cluster of their own: give --etcd alone, in a data directory that is no cluster member's")
	}
	if r.Clustered {
		if err := recall(o.kept(), r.Flags, o.said); err != nil {
			return false, fmt.Errorf("read %s: %w", replicaFile, err)
		}
	}
	return r.Clustered, nil
}

// kept are the flags that a member remembers, over the options themselves.
func (o *serverOptions) kept() *pflag.FlagSet {
	f := pflag.NewFlagSet("member", pflag.ContinueOnError)
	for name, to := range map[string]*string{
		"listen": &o.listen, "advertise": &o.advertise, "peer-listen": &o.peerListen, "account": &o.account, "region": &o.region, "auth": &o.auth,
		"tls-cert": &o.tlsCert, "tls-key": &o.tlsKey,
	} {
		f.StringVar(to, name, *to, "")
	}
	f.DurationVar(&o.lostAfter, "instance-lost-after", o.lostAfter, "")
	f.DurationVar(&o.keepStopped, "keep-stopped", o.keepStopped, "")
	o.limitFlags(f)
	return f
}

// remember writes down what this replica is.
func (s *server) remember() error {
	s.replica.Flags = nil
	if s.replica.Clustered {
		for _, file := range []*string{&s.options.tlsCert, &s.options.tlsKey} {
			if *file == "" {
				continue
			}
			abs, err := filepath.Abs(*file)
			if err != nil {
				return fmt.Errorf("remember %s: %w", *file, err)
			}
			*file = abs
		}
		s.replica.Flags = asText(s.options.kept())
	}
	return s.data.save(replicaFile, s.replica)
}

// addresses completes what is said of where this replica listens and is reached.
func (o *serverOptions) addresses(shared bool) error {
	if err := checkAddress("listen", o.listen); err != nil {
		return err
	}
	host, port, _ := net.SplitHostPort(o.listen) // checked
	if o.advertise == "" {
		o.advertise = o.listen
		if shared && unspecified(host) {
			return fmt.Errorf("--listen %s says not where other replicas reach this one; say it with --advertise HOST:PORT", o.listen)
		}
	}
	if err := checkAddress("advertise", o.advertise); err != nil {
		return err
	}
	if o.peerListen != "" {
		return checkAddress("peer-listen", o.peerListen)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		return fmt.Errorf("--listen %q: %w", o.listen, err)
	}
	o.peerListen = net.JoinHostPort(host, strconv.Itoa(n+1))
	return nil
}

func unspecified(host string) bool {
	ip := net.ParseIP(host)
	return host == "" || ip != nil && ip.IsUnspecified()
}

// peerURL is where other members reach this one: at the host of --peer-listen or, where that is every address, of --advertise.
func (o *serverOptions) peerURL() string {
	host, port, _ := net.SplitHostPort(o.peerListen) // checked by addresses
	if unspecified(host) {
		host, _, _ = net.SplitHostPort(o.advertise)
	}
	return (&url.URL{Scheme: "https", Host: net.JoinHostPort(host, port)}).String()
}

// url is where other replicas reach this one.
func (s *server) url() string { return s.scheme() + "://" + s.options.advertise }

// cluster is the configuration of the embedded member; it writes the files that etcd reads.
func (s *server) cluster() (*etcd.Cluster, error) {
	t := s.trust.Load()
	chain, key, err := pki.Files(t.own)
	if err != nil {
		return nil, err
	}
	for name, b := range map[string][]byte{"peer.crt": chain, "peer.key": key, "ca.crt": t.authority.PEM()} {
		if err := s.data.write(name, b); err != nil {
			return nil, err
		}
	}
	host, port, err := net.SplitHostPort(s.options.peerListen)
	if err != nil {
		return nil, fmt.Errorf("--peer-listen: %w", err)
	}
	if host == "" {
		host = "0.0.0.0"
	}
	return &etcd.Cluster{
		Name: s.replica.Name, Listen: net.JoinHostPort(host, port), URL: s.options.peerURL(), Address: s.url(), CommonName: pki.Replica,
		CertFile: s.data.path("peer.crt"), KeyFile: s.data.path("peer.key"), CAFile: s.data.path("ca.crt"), Join: s.replica.Join,
	}, nil
}

// ownAuthority is the authority of an installation whose store is its own: a file, made at the first start and handed on to members.
func (s *server) ownAuthority(key seal.Key) error {
	b, err := os.ReadFile(s.data.path(authorityFile))
	if errors.Is(err, fs.ErrNotExist) {
		if b, err = newAuthority(key); err == nil {
			err = s.data.write(authorityFile, b)
		}
	}
	if err != nil {
		return fmt.Errorf("certificate authority: %w", err)
	}
	return s.trustIn(b, key, fmt.Sprintf("%s was made with another %s than the one beside it; put the right one back or, where this server is the only one, delete %s",
		s.data.path(authorityFile), "key", authorityFile))
}

func newAuthority(key seal.Key) ([]byte, error) {
	a, err := pki.New()
	if err != nil {
		return nil, err
	}
	return a.Encode(key)
}

// trustIn opens the authority and issues this replica's certificate.
func (s *server) trustIn(b []byte, key seal.Key, otherwise string) error {
	a, err := pki.Decode(b, key)
	if errors.Is(err, seal.ErrSealed) {
		return errors.New(otherwise)
	}
	if err != nil {
		return err
	}
	var hosts []string
	for _, at := range []string{s.options.advertise, s.options.listen, strings.TrimPrefix(s.options.peerURL(), "https://")} {
		if host, _, err := net.SplitHostPort(at); err == nil && !unspecified(host) {
			hosts = append(hosts, host)
		}
	}
	own, err := a.Issue(hosts...)
	if err != nil {
		return err
	}
	s.trust.Store(&trust{a, own})
	return nil
}

// forgetCluster makes a restored data directory a single replica's.
func (d dataDir) forgetCluster() error {
	var r replica
	err := d.read(replicaFile, &r)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", replicaFile, err)
	}
	return d.save(replicaFile, replica{Name: r.Name})
}
