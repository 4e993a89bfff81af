// Package seal keeps secrets at rest: it seals them with the installation's key, and makes access keys and one-time tokens.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// Key seals and opens. It is 32 random bytes and is kept in a file, never in the store.
type Key struct {
	aead cipher.AEAD
	mark []byte // the key of Mark: not the sealing key itself
}

// KeySize is the number of bytes of a key.
const KeySize = 32

// NewKey returns random bytes for ParseKey.
func NewKey() []byte {
	b := make([]byte, KeySize)
	rand.Read(b) //nolint:errcheck // it never fails
	return b
}

// ParseKey makes a Key of 32 bytes.
func ParseKey(b []byte) (Key, error) {
	if len(b) != KeySize {
		return Key{}, fmt.Errorf("a sealing key has %d bytes, not %d", KeySize, len(b))
	}
	block, err := aes.NewCipher(b)
	if err != nil {
		return Key{}, fmt.Errorf("sealing key: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return Key{}, fmt.Errorf("sealing key: %w", err)
	}
	h := hmac.New(sha256.New, b)
	h.Write([]byte("mark"))
	return Key{aead, h.Sum(nil)}, nil
}

// Mark is 32 bytes that follow from what they are for, and that nobody can guess who does not hold the key. Every holder gets the same.
func (k Key) Mark(purpose string) []byte {
	h := hmac.New(sha256.New, k.mark)
	h.Write([]byte(purpose))
	return h.Sum(nil)
}

// Seal encrypts secret for the holder of the key; what it is for is bound to it, so that a sealed secret cannot be moved to another record.
func (k Key) Seal(secret, purpose string) []byte {
	nonce := make([]byte, k.aead.NonceSize())
	rand.Read(nonce) //nolint:errcheck // it never fails
	return k.aead.Seal(nonce, nonce, []byte(secret), []byte(purpose))
}

// ErrSealed says that a sealed secret cannot be opened: another key, another purpose, or damage.
var ErrSealed = errors.New("the sealed secret does not open with this installation's key")

// Open is the reverse of Seal.
func (k Key) Open(sealed []byte, purpose string) (string, error) {
	n := k.aead.NonceSize()
	if len(sealed) < n {
		return "", ErrSealed
	}
	secret, err := k.aead.Open(nil, sealed[:n], sealed[n:], []byte(purpose))
	if err != nil {
		return "", ErrSealed
	}
	return string(secret), nil
}

// NewAccessKey makes an access key in AWS's form: an id of 20 characters that begins with AKIA, and a secret of 40.
func NewAccessKey() (id, secret string) { return newKey("AKIA") }

// NewSessionKey makes a temporary access key in AWS's form: its id begins with ASIA.
func NewSessionKey() (id, secret string) { return newKey("ASIA") }

func newKey(prefix string) (id, secret string) {
	var b [10]byte
	rand.Read(b[:]) //nolint:errcheck // it never fails
	var s [30]byte
	rand.Read(s[:]) //nolint:errcheck // it never fails
	return prefix + base32.StdEncoding.EncodeToString(b[:]), base64.StdEncoding.EncodeToString(s[:])
}

// NewID makes a unique id in IAM's form: a prefix that says of what it is (AROA), and 17 characters.
func NewID(prefix string) string { return prefix + rand.Text()[:17] }

// NewToken makes a one-time token, and the hash under which it is kept.
func NewToken() (token, hash string) {
	token = "bjt-" + strings.ToLower(rand.Text())
	return token, HashToken(token)
}

// HashToken is the hash under which a token is kept.
func HashToken(token string) string {
	h := sha256.Sum256([]byte(token))
	return hex.EncodeToString(h[:])
}
