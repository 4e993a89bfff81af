package registry

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"strconv"
	"time"

	"github.com/opencontainers/go-digest"

	"berth/internal/arn"
)

// signedFor is how long a signed address serves.
const signedFor = time.Hour

// LayerPath is a path that serves a layer to everybody who knows it, for an hour.
func (g *Registry) LayerPath(s arn.Scope, name string, d digest.Digest, now time.Time) string {
	path := "/v2/" + Path(s, name) + "/blobs/" + d.String()
	expires := strconv.FormatInt(now.Add(signedFor).Unix(), 10)
	return path + "?" + url.Values{"Expires": {expires}, "Signature": {g.signature(path, expires)}}.Encode()
}

// signed says whether an address has a signature that still holds.
func (g *Registry) signed(u *url.URL, now time.Time) bool {
	query := u.Query()
	expires, err := strconv.ParseInt(query.Get("Expires"), 10, 64)
	if err != nil || now.Unix() >= expires {
		return false
	}
	return hmac.Equal([]byte(query.Get("Signature")), []byte(g.signature(u.Path, query.Get("Expires"))))
}

func (g *Registry) signature(path, expires string) string {
	m := hmac.New(sha256.New, g.Key)
	m.Write([]byte("layer\n" + path + "\n" + expires))
	return hex.EncodeToString(m.Sum(nil))
}
