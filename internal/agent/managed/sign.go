package managed

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"time"
)

// sign signs a POST of "/" as agents of Systems Manager do: the string to sign is Signature Version 4's, and the signature RSA's (PSS, SHA-256, a salt of 32 bytes), in
// base64; the key's id is the managed instance's.
func sign(r *http.Request, body []byte, id, region string, key *rsa.PrivateKey, at time.Time) error {
	stamp := at.UTC().Format("20060102T150405Z")
	r.Header.Set("X-Amz-Date", stamp)
	const signed = "content-type;host;x-amz-date;x-amz-target"
	canonical := "POST\n/\n\n" +
		"content-type:" + r.Header.Get("Content-Type") + "\nhost:" + r.URL.Host + "\nx-amz-date:" + stamp + "\nx-amz-target:" + r.Header.Get("X-Amz-Target") + "\n\n" +
		signed + "\n" + hash(body)
	scope := stamp[:8] + "/" + region + "/ssm/aws4_request"
	sum := sha256.Sum256([]byte("AWS4-HMAC-SHA256\n" + stamp + "\n" + scope + "\n" + hash([]byte(canonical))))
	signature, err := rsa.SignPSS(rand.Reader, key, crypto.SHA256, sum[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
	if err != nil {
		return fmt.Errorf("sign: %w", err)
	}
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+id+"/"+scope+", SignedHeaders="+signed+", Signature="+base64.StdEncoding.EncodeToString(signature))
	return nil
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
