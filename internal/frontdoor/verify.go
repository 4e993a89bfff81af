package frontdoor

import (
	"crypto"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// checkTime refuses a signature made more than skew before or after now, and a presigned URL after its time.
func (c *claim) checkTime(now time.Time, skew time.Duration) *refusal {
	now = now.UTC().Truncate(time.Second)
	if latest := now.Add(skew); c.at.After(latest) {
		return refuse(faultMismatch, "Signature not yet current: %s is still later than %s (%s + %s)", c.stamp, stamp(latest), stamp(now), span(skew))
	}
	life, f := skew, faultMismatch
	if c.expires > 0 {
		life, f = c.expires, faultExpiredURL
	}
	if earliest := now.Add(-life); c.at.Before(earliest) {
		return refuse(f, "Signature expired: %s is now earlier than %s (%s - %s)", c.stamp, stamp(earliest), stamp(now), span(life))
	}
	return nil
}

func stamp(t time.Time) string { return t.Format(stampLayout) }

func span(d time.Duration) string {
	if d%time.Minute == 0 {
		return fmt.Sprintf("%d min.", d/time.Minute)
	}
	return fmt.Sprintf("%d sec.", d/time.Second)
}

// checkScope refuses a credential that was made for something else than service. All its faults are named at once.
func (c *claim) checkScope(service string) *refusal {
	var b strings.Builder
	if !validRegion(c.region) {
		fmt.Fprintf(&b, "Credential should be scoped to a valid region, not '%.64s'. ", c.region)
	}
	if c.service != service {
		fmt.Fprintf(&b, "Credential should be scoped to correct service: '%s'. ", service)
	}
	if c.terminator != terminator {
		fmt.Fprintf(&b, "Credential should be scoped with a valid terminator: '%s', not '%.64s'. ", terminator, c.terminator)
	}
	if day := c.stamp[:8]; c.date != day {
		fmt.Fprintf(&b, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "+
			"'%.64s' != '%s', from '%s'. ", c.date, day, c.stamp)
	}
	if b.Len() == 0 {
		return nil
	}
	return refuse(faultMismatch, "%s", b.String())
}

// validRegion takes any name that can stand in an ARN: letters of lower case, digits and hyphens, at most 32.
func validRegion(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return s != "" && len(s) <= 32
}

// checkHeaders refuses a signature that leaves out a header on which the request's meaning depends. content-type is not among them:
// some SDKs do not sign it.
func (c *claim) checkHeaders(r *http.Request) *refusal {
	if !slices.Contains(c.headers, "host") {
		return refuse(faultMismatch, "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
	}
	if c.dateHeader == "date" && !slices.Contains(c.headers, "date") {
		return refuse(faultMismatch, "'Date' must be a 'SignedHeader' in the AWS Authorization.")
	}
	for _, name := range [...]string{"X-Amz-Date", "X-Amz-Target", "X-Amz-Security-Token", "X-Amz-Content-Sha256"} {
		if name == "X-Amz-Content-Sha256" && strings.HasPrefix(c.accessKeyID, managedInstance) {
			continue // agents of Systems Manager add it once they have signed; it must be the body's all the same
		}
		if len(r.Header[name]) > 0 && !slices.Contains(c.headers, strings.ToLower(name)) {
			return refuse(faultMismatch, "'%s' must be a 'SignedHeader' in the AWS Authorization.", name)
		}
	}
	return nil
}

// checkToken compares the session token that a request has with the one that its key needs.
func (c *claim) checkToken(k Key) *refusal {
	if subtle.ConstantTimeCompare([]byte(c.token), []byte(k.SessionToken)) != 1 {
		return refuseKey()
	}
	return nil
}

// managedInstance begins the ids of those that sign with a key pair.
const managedInstance = "mi-"

// checkSignature computes the signature of the request with the key's secret and compares, or verifies it with the key's public half.
func (d *Door) checkSignature(c *claim, r *http.Request, query []pair, body []byte, key Key) *refusal {
	sum := sha256.Sum256(body)
	payload := hex.EncodeToString(sum[:])
	if declared, ok := r.Header["X-Amz-Content-Sha256"]; ok && (len(declared) != 1 || declared[0] != payload) {
		return refuseSignature() // also UNSIGNED-PAYLOAD, which only s3 takes
	}
	if !ascending(c.headers) {
		return refuseSignature()
	}
	canonical, ok := appendCanonical(make([]byte, 0, 1024), r, c, query, payload)
	if !ok {
		return refuseSignature()
	}
	if key.Public != nil {
		return c.checkPublic(key.Public, canonical)
	}
	want := hex.EncodeToString(mac(d.signing.key(key.Secret, c), stringToSign(c, canonical)))
	if subtle.ConstantTimeCompare([]byte(want), []byte(c.signature)) != 1 {
		return refuseSignature()
	}
	return nil
}

// checkPublic verifies a signature of the string to sign: RSA (PSS) with SHA-256, in base64.
func (c *claim) checkPublic(key *rsa.PublicKey, canonical []byte) *refusal {
	signature, err := base64.StdEncoding.DecodeString(c.signature)
	if err != nil {
		return refuseSignature()
	}
	sum := sha256.Sum256([]byte(stringToSign(c, canonical)))
	if rsa.VerifyPSS(key, crypto.SHA256, sum[:], signature, nil) != nil {
		return refuseSignature()
	}
	return nil
}

// stringToSign is what is signed of a canonical request.
func stringToSign(c *claim, canonical []byte) string {
	sum := sha256.Sum256(canonical)
	return algorithm + "\n" + c.stamp + "\n" + c.date + "/" + c.region + "/" + c.service + "/" + terminator + "\n" + hex.EncodeToString(sum[:])
}

func ascending(names []string) bool {
	for i := 1; i < len(names); i++ {
		if names[i-1] >= names[i] {
			return false
		}
	}
	return true
}

// signingKeys are the keys that secrets sign with on a day, for a region and a service: four of the five hashes of a signature make them, and a caller's calls of a day
// have the same.
type signingKeys struct {
	mu   sync.Mutex
	made map[signer][]byte
}

// signer is what a signing key is made from.
type signer struct{ secret, date, region, service string }

// mostSigning is how many signing keys are kept.
const mostSigning = 20_000

func (s *signingKeys) key(secret string, c *claim) []byte {
	of := signer{secret, c.date, c.region, c.service}
	s.mu.Lock()
	defer s.mu.Unlock()
	key, ok := s.made[of]
	if !ok {
		key = of.key()
		if s.made == nil || len(s.made) >= mostSigning {
			s.made = map[signer][]byte{}
		}
		s.made[of] = key
	}
	return key
}

func (s signer) key() []byte {
	key := mac([]byte("AWS4"+s.secret), s.date)
	for _, part := range [...]string{s.region, s.service, terminator} {
		key = mac(key, part)
	}
	return key
}

func mac(key []byte, s string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(s))
	return h.Sum(nil)
}
