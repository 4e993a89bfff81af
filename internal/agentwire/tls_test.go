package agentwire

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"testing"
	"time"
)

// The agent verifies the sessions' certificates against the host with its port. A certificate that has this as a DNS name serves calls and
// sessions on one port, and the endpoints that the agent is told are https.
func TestTLS(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	certificate, roots := selfSigned(t, address)
	p := newPlane(t, tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{certificate}}), 0)
	name := "127.0.0.1"
	w := &world{host: address, admin: p.admin, join: p.join, dial: func() (net.Conn, error) {
		return tls.Dial("tcp", address, &tls.Config{RootCAs: roots, ServerName: name})
	}}
	s := w.stage(t)
	a := s.agent()
	s.is("endpoint", a.Endpoint, "https://"+address+"/acs/")
	s.is("telemetryEndpoint", a.TelemetryEndpoint, "https://"+address+"/tcs/")
	name = address // as the agent's websockets have it
	s.connect(a)
	telemetry, err := a.OpenTCS()
	s.ok(err)
	s.published(telemetry, "PublishMetricsRequest", a.Metrics(time.Now()), "AckPublishMetric")
	s.running(a, s.task(a))
}

func selfSigned(t *testing.T, address string) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		DNSNames: []string{"localhost", address}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(certificate)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}
