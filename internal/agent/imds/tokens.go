package imds

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"
)

// tokens makes tokens that are good at one instance until their time. Nothing is kept: a token seals when it ends.
type tokens struct{ key [32]byte }

// A token is its end in seconds, eight random bytes and the first bytes of a keyed hash: 56 characters, as EC2's.
const (
	sealedLength = 16
	tokenLength  = 40
)

func (t *tokens) make(instance string, end time.Time) string {
	b := make([]byte, sealedLength, tokenLength+sha256.Size)
	binary.BigEndian.PutUint64(b, uint64(end.Unix()))
	rand.Read(b[8:]) //nolint:errcheck // it never fails
	return base64.URLEncoding.EncodeToString(t.seal(b, instance)[:tokenLength])
}

// left is how long a token is good at an instance yet, nothing where it is not.
func (t *tokens) left(token, instance string, now time.Time) time.Duration {
	b, err := base64.URLEncoding.DecodeString(token)
	if err != nil || len(b) != tokenLength || !hmac.Equal(b, t.seal(b[:sealedLength:sealedLength], instance)[:tokenLength]) {
		return 0
	}
	return time.Unix(int64(binary.BigEndian.Uint64(b)), 0).Sub(now)
}

func (t *tokens) seal(b []byte, instance string) []byte {
	h := hmac.New(sha256.New, t.key[:])
	h.Write(b)
	h.Write([]byte(instance))
	return h.Sum(b)
}
