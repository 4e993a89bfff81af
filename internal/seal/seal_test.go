package seal

import (
	"bytes"
	"strings"
	"testing"
)

func key(t *testing.T) Key {
	t.Helper()
	k, err := ParseKey(NewKey())
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestSealAndOpen(t *testing.T) {
	k := key(t)
	sealed := k.Seal("secret", "AKIA1")
	if strings.Contains(string(sealed), "secret") {
		t.Fatal("the secret is readable")
	}
	if got, err := k.Open(sealed, "AKIA1"); err != nil || got != "secret" {
		t.Fatalf("%q, %v", got, err)
	}
	for name, open := range map[string]func() (string, error){
		"another purpose": func() (string, error) { return k.Open(sealed, "AKIA2") },
		"another key":     func() (string, error) { return key(t).Open(sealed, "AKIA1") },
		"damage":          func() (string, error) { return k.Open(append([]byte{sealed[0] ^ 1}, sealed[1:]...), "AKIA1") },
		"half":            func() (string, error) { return k.Open(sealed[:5], "AKIA1") },
	} {
		if got, err := open(); err == nil {
			t.Errorf("%s opens it: %q", name, got)
		}
	}
}

func TestAccessKeyHasAWSForm(t *testing.T) {
	id, secret := NewAccessKey()
	if len(id) != 20 || !strings.HasPrefix(id, "AKIA") || len(secret) != 40 {
		t.Errorf("%q %q", id, secret)
	}
	token, hash := NewToken()
	if HashToken(token) != hash || len(token) < 20 {
		t.Errorf("%q %q", token, hash)
	}
}

func TestMark(t *testing.T) {
	raw := NewKey()
	k, err := ParseKey(raw)
	if err != nil {
		t.Fatal(err)
	}
	again, _ := ParseKey(raw)
	if !bytes.Equal(k.Mark("a"), again.Mark("a")) {
		t.Error("two holders of a key differ")
	}
	if bytes.Equal(k.Mark("a"), k.Mark("b")) || bytes.Equal(k.Mark("a"), key(t).Mark("a")) || bytes.Equal(k.Mark("a"), raw) {
		t.Error("a mark is not its purpose's or its key's own")
	}
	if id, secret := NewSessionKey(); len(id) != 20 || id[:4] != "ASIA" || len(secret) != 40 {
		t.Errorf("%s %s", id, secret)
	}
}
