package pki

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"berth/internal/seal"
)

func authority(t *testing.T) *Authority {
	t.Helper()
	a, err := New()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func sealer(t *testing.T) seal.Key {
	t.Helper()
	k, err := seal.ParseKey(seal.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func issue(t *testing.T, a *Authority, hosts ...string) tls.Certificate {
	t.Helper()
	c, err := a.Issue(hosts...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestEncodedAuthorityOpensWithItsKeyOnly(t *testing.T) {
	a, k := authority(t), sealer(t)
	b, err := a.Encode(k)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Decode(b, k)
	if err != nil {
		t.Fatal(err)
	}
	if again.Fingerprint() != a.Fingerprint() || !again.key.Equal(a.key) {
		t.Error("it is another authority")
	}
	if _, err := Decode(b, sealer(t)); !errors.Is(err, seal.ErrSealed) {
		t.Errorf("with another key: %v", err)
	}
	other, err := authority(t).Encode(k)
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]string{
		"no JSON":        "x",
		"no certificate": `{"sealedKey":"eA=="}`,
		"another's key": strings.Replace(string(other), string(other[strings.Index(string(other), `"sealedKey"`):]),
			string(b[strings.Index(string(b), `"sealedKey"`):]), 1),
	} {
		if _, err := Decode([]byte(bad), k); err == nil {
			t.Errorf("%s decodes", name)
		}
	}
}

func TestIssuedCertificate(t *testing.T) {
	a := authority(t)
	c := issue(t, a, "10.1.2.3", "berth-1.example.com", "localhost")
	leaf, err := x509.ParseCertificate(c.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"10.1.2.3", "berth-1.example.com", "localhost", "127.0.0.1", "::1"} {
		for _, use := range []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth} {
			if _, err := leaf.Verify(x509.VerifyOptions{Roots: a.pool(), DNSName: host, KeyUsages: []x509.ExtKeyUsage{use}}); err != nil {
				t.Errorf("%s: %v", host, err)
			}
		}
	}
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: a.pool(), DNSName: "10.1.2.4"}); err == nil {
		t.Error("good for a host that it was not made for")
	}
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: authority(t).pool()}); err == nil {
		t.Error("another authority vouches for it")
	}
	chain, key, err := Files(c)
	if err != nil {
		t.Fatal(err)
	}
	if pair, err := tls.X509KeyPair(chain, key); err != nil || len(pair.Certificate) != 2 {
		t.Errorf("files: %v", err)
	}
}

// shake runs a TLS handshake, and one byte from the server on, because TLS 1.3 tells a client of its refusal only after the handshake.
func shake(t *testing.T, server, client *tls.Config) error {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	served := make(chan error, 1)
	go func() {
		c, err := l.Accept()
		if err == nil {
			s := tls.Server(c, server)
			if err = s.Handshake(); err == nil {
				_, err = s.Write([]byte("x"))
			}
			s.Close()
		}
		served <- err
	}()
	c, err := tls.Dial("tcp", l.Addr().String(), client)
	if err == nil {
		_, err = io.ReadFull(c, make([]byte, 1))
		c.Close()
	}
	return errors.Join(err, <-served)
}

func TestReplicasTrustEachOtherOnly(t *testing.T) {
	a, foreign := authority(t), authority(t)
	own, other := issue(t, a), issue(t, a)
	accept := a.Accept(own, "p")
	if err := shake(t, accept, a.Connect(other, "127.0.0.1", "p")); err != nil {
		t.Errorf("two replicas: %v", err)
	}
	nameless := a.Connect(other, "127.0.0.1", "p")
	nameless.Certificates = nil
	for name, pair := range map[string][2]*tls.Config{
		"a client without a certificate":      {accept, nameless},
		"a client of another authority":       {accept, a.Connect(issue(t, foreign), "127.0.0.1", "p")},
		"a server of another authority":       {foreign.Accept(issue(t, foreign), "p"), a.Connect(other, "127.0.0.1", "p")},
		"a server of another name":            {accept, a.Connect(other, "10.9.9.9", "p")},
		"a server that speaks something else": {a.Accept(own, "q"), a.Connect(other, "127.0.0.1", "p")},
	} {
		if err := shake(t, pair[0], pair[1]); err == nil {
			t.Errorf("%s is trusted", name)
		}
	}
}

func TestPinned(t *testing.T) {
	a, foreign := authority(t), authority(t)
	server := &tls.Config{Certificates: []tls.Certificate{issue(t, a)}, NextProtos: []string{"join"}}
	if err := shake(t, server, Pinned(a.Fingerprint(), "127.0.0.1", "join")); err != nil {
		t.Error(err)
	}
	if err := shake(t, server, Pinned(foreign.Fingerprint(), "127.0.0.1", "join")); !errors.Is(err, ErrPinned) {
		t.Errorf("another installation's fingerprint: %v", err)
	}
	if err := shake(t, server, Pinned(a.Fingerprint(), "10.9.9.9", "join")); err == nil {
		t.Error("a host that the certificate does not name")
	}
	// A chain that only ends in the right authority, and was not issued by it.
	forged := issue(t, foreign)
	forged.Certificate[1] = a.cert.Raw
	server = &tls.Config{Certificates: []tls.Certificate{forged}, NextProtos: []string{"join"}}
	if err := shake(t, server, Pinned(a.Fingerprint(), "127.0.0.1", "join")); err == nil {
		t.Error("a forged chain")
	}
}
