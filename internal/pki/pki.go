// Package pki is an installation's own certificate authority. It is made at the first start and issues the certificates by which the
// replicas of the control plane know each other; its key is sealed wherever it is kept.
package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"slices"
	"time"
)

// Replica is the common name of every replica's certificate. Nobody else gets one of this authority.
const Replica = "berth-replica"

// How long certificates are good. A replica issues itself a new one at each start.
const (
	authorityLife = 30 * 365 * 24 * time.Hour
	replicaLife   = 5 * 365 * 24 * time.Hour
	skew          = time.Hour // how far the clocks of two machines may be apart
)

// Sealer seals secrets with the installation's key.
type Sealer interface {
	Seal(secret, purpose string) []byte
	Open(sealed []byte, purpose string) (string, error)
}

// purpose is what the authority's key is sealed for.
const purpose = "certificate-authority"

// Authority issues certificates.
type Authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// New makes an authority.
func New() (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a certificate authority: %w", err)
	}
	t := template("Berth installation", authorityLife)
	t.IsCA, t.BasicConstraintsValid, t.MaxPathLenZero = true, true, true
	t.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	der, err := x509.CreateCertificate(rand.Reader, t, t, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("make a certificate authority: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("make a certificate authority: %w", err)
	}
	return &Authority{cert, key}, nil
}

func template(name string, life time.Duration) *x509.Certificate {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil { // the system's source of chance never fails
		panic(err)
	}
	now := time.Now()
	return &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: name}, NotBefore: now.Add(-skew), NotAfter: now.Add(life)}
}

// stored is an authority as it is kept.
type stored struct {
	Certificate string `json:"certificate"` // PEM
	SealedKey   []byte `json:"sealedKey"`
}

// Encode returns the authority as it is kept, with its key sealed.
func (a *Authority) Encode(s Sealer) ([]byte, error) {
	key, err := x509.MarshalECPrivateKey(a.key)
	if err != nil {
		return nil, fmt.Errorf("encode the certificate authority: %w", err)
	}
	return json.Marshal(stored{string(a.PEM()), s.Seal(string(key), purpose)})
}

// Decode is the reverse of Encode. The sealer's error says that the key is another installation's.
func Decode(b []byte, s Sealer) (*Authority, error) {
	var in stored
	if err := json.Unmarshal(b, &in); err != nil {
		return nil, fmt.Errorf("read the certificate authority: %w", err)
	}
	block, _ := pem.Decode([]byte(in.Certificate))
	if block == nil {
		return nil, errors.New("read the certificate authority: it has no certificate")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read the certificate authority: %w", err)
	}
	der, err := s.Open(in.SealedKey, purpose)
	if err != nil {
		return nil, fmt.Errorf("open the certificate authority's key: %w", err)
	}
	key, err := x509.ParseECPrivateKey([]byte(der))
	if err != nil {
		return nil, fmt.Errorf("read the certificate authority's key: %w", err)
	}
	if !key.PublicKey.Equal(cert.PublicKey) {
		return nil, errors.New("read the certificate authority: its key is not its certificate's")
	}
	return &Authority{cert, key}, nil
}

// PEM is the authority's certificate.
func (a *Authority) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})
}

// Fingerprint tells this authority from every other: it is the SHA-256 of its certificate, in hexadecimal.
func (a *Authority) Fingerprint() string { return fingerprint(a.cert) }

func fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return hex.EncodeToString(sum[:])
}

// Issue makes a replica's certificate, good for serving and for connecting, with a new key. hosts are the names and addresses that others
// reach it at; this machine's own are always among them.
func (a *Authority) Issue(hosts ...string) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("issue a certificate: %w", err)
	}
	t := template(Replica, replicaLife)
	t.KeyUsage = x509.KeyUsageDigitalSignature
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	for _, h := range append([]string{"localhost", "127.0.0.1", "::1"}, hosts...) {
		if ip := net.ParseIP(h); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else if h != "" && !slices.Contains(t.DNSNames, h) {
			t.DNSNames = append(t.DNSNames, h)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, t, a.cert, &key.PublicKey, a.key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("issue a certificate for %v: %w", hosts, err)
	}
	return tls.Certificate{Certificate: [][]byte{der, a.cert.Raw}, PrivateKey: key}, nil
}

// Files are a certificate with its chain and its key in the form that files have.
func Files(c tls.Certificate) (chain, key []byte, err error) {
	for _, der := range c.Certificate {
		chain = append(chain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		return nil, nil, fmt.Errorf("encode a key: %w", err)
	}
	return chain, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}
