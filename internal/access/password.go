package access

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// PasswordLife is how long the password of an authorization token is good. One that was made with temporary credentials ends with them.
const PasswordLife = 12 * time.Hour

// What is wrong with a password.
var (
	// ErrPassword says that a password is none, or that its key or session is good no longer.
	ErrPassword = errors.New("the authorization token is not valid")
	// ErrPasswordExpired says that it was one.
	ErrPasswordExpired = errors.New("the authorization token has expired")
)

// passwordPurpose is what a password is sealed for, so that nothing else that is sealed is one.
const passwordPurpose = "registry password"

// password is what the password of an authorization token seals: whose it is. Nothing is stored.
type password struct {
	AccessKeyID  string    `json:"k"`
	SessionToken string    `json:"s,omitempty"`
	Expires      time.Time `json:"e"`
}

// Password makes a password by which the holder of a key is known until it expires, the key is deleted, or its session ends.
func (k *Keys) Password(accessKeyID, sessionToken string) (text string, expires time.Time, err error) {
	expires = now().Add(PasswordLife)
	if h, ok := k.Find(accessKeyID, sessionToken); ok && !h.Expires.IsZero() && h.Expires.Before(expires) {
		expires = h.Expires
	}
	body, err := json.Marshal(password{accessKeyID, sessionToken, expires})
	if err != nil {
		return "", expires, fmt.Errorf("authorization token: %w", err)
	}
	return base64.StdEncoding.EncodeToString(k.Seal.Seal(string(body), passwordPurpose)), expires, nil
}

// PasswordHolder is who a password belongs to, and the access key that it was got with. ErrPasswordExpired: it was right, too long ago. ErrPassword: it is nobody's.
func (k *Keys) PasswordHolder(text string) (accessKeyID string, h Holder, err error) {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return "", Holder{}, ErrPassword
	}
	body, err := k.Seal.Open(raw, passwordPurpose)
	if err != nil {
		return "", Holder{}, ErrPassword
	}
	var p password
	if err := json.Unmarshal([]byte(body), &p); err != nil {
		return "", Holder{}, ErrPassword
	}
	if !now().Before(p.Expires) {
		return "", Holder{}, ErrPasswordExpired
	}
	h, ok := k.Find(p.AccessKeyID, p.SessionToken)
	switch {
	case !ok || h.Secret == "":
		return "", Holder{}, ErrPassword
	case !h.Expires.IsZero() && !now().Before(h.Expires):
		return "", Holder{}, ErrPasswordExpired
	}
	return p.AccessKeyID, h, nil
}
