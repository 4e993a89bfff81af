package pki

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
)

func (a *Authority) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

// Accept is for the serving end of a connection between replicas: it takes only those who have a replica's certificate of this authority.
func (a *Authority) Accept(own tls.Certificate, protocol string) *tls.Config {
	return &tls.Config{
		Certificates: []tls.Certificate{own}, NextProtos: []string{protocol}, MinVersion: tls.VersionTLS13,
		ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: a.pool(), VerifyConnection: isReplica(protocol),
	}
}

// Connect is for the other end: host is who must answer.
func (a *Authority) Connect(own tls.Certificate, host, protocol string) *tls.Config {
	return &tls.Config{
		Certificates: []tls.Certificate{own}, NextProtos: []string{protocol}, MinVersion: tls.VersionTLS13,
		RootCAs: a.pool(), ServerName: host, VerifyConnection: isReplica(protocol),
	}
}

// isReplica is asked after the chain was verified.
func isReplica(protocol string) func(tls.ConnectionState) error {
	return func(s tls.ConnectionState) error {
		if len(s.PeerCertificates) == 0 || s.PeerCertificates[0].Subject.CommonName != Replica {
			return errors.New("the other end has no replica's certificate")
		}
		if s.NegotiatedProtocol != protocol {
			return fmt.Errorf("the other end does not speak %s", protocol)
		}
		return nil
	}
}

// Pinned is for one who does not know the authority yet, but has its fingerprint from somebody trusted: only a replica of that authority
// is connected to.
func Pinned(fingerprint, host, protocol string) *tls.Config {
	return &tls.Config{
		NextProtos: []string{protocol}, MinVersion: tls.VersionTLS13, ServerName: host,
		InsecureSkipVerify: true, // verified below, by the fingerprint
		VerifyConnection: func(s tls.ConnectionState) error {
			if err := verifyPinned(s.PeerCertificates, fingerprint, host); err != nil {
				return err
			}
			return isReplica(protocol)(s)
		},
	}
}

// ErrPinned says that whoever answers is not of the installation that is meant.
var ErrPinned = errors.New("the server is not one of the installation that made the token")

func verifyPinned(chain []*x509.Certificate, want, host string) error {
	if len(chain) < 2 || !strings.EqualFold(fingerprint(chain[len(chain)-1]), want) {
		return ErrPinned
	}
	roots := x509.NewCertPool()
	roots.AddCert(chain[len(chain)-1])
	_, err := chain[0].Verify(x509.VerifyOptions{Roots: roots, DNSName: host})
	if err != nil {
		return fmt.Errorf("verify the server's certificate: %w", err)
	}
	return nil
}
