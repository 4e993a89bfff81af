package provider

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// FuzzReason: a reason is one printable line of so many characters, has nothing of the secret, and does not depend on how the output was cut
// into writes.
func FuzzReason(f *testing.F) {
	f.Add([]byte("a\nb\r\n\n"), "", uint16(1))
	f.Add([]byte("the token is t0ken\x00\x1b[0m"), "t0ken", uint16(3))
	f.Add([]byte(strings.Repeat("t0ken", 1000)), "t0ken", uint16(100))
	f.Add([]byte(strings.Repeat("x", mostLine-3)+"0123456789"), "0123456789", uint16(4000))
	f.Add([]byte(strings.Repeat("long secret, a very long one indeed ", 200)), strings.Repeat("long secret, a very long one indeed ", 8), uint16(7))
	f.Fuzz(func(t *testing.T, out []byte, secret string, size uint16) {
		whole, cut := &lastLine{}, &lastLine{}
		write(t, whole, out)
		for rest := out; len(rest) > 0; {
			n := min(int(size)+1, len(rest))
			write(t, cut, rest[:n])
			rest = rest[n:]
		}
		got := whole.text(Secret(secret))
		if other := cut.text(Secret(secret)); other != got {
			t.Errorf("%q in one, %q in pieces", got, other)
		}
		if !utf8.ValidString(got) || utf8.RuneCountInString(got) > mostReason || strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%q", got)
		}
		if len(secret) > len(hidden) && strings.Contains(got, secret) {
			t.Errorf("%q shows %q", got, secret)
		}
	})
}

func write(t *testing.T, w *lastLine, p []byte) {
	if n, err := w.Write(p); n != len(p) || err != nil {
		t.Fatal(n, err)
	}
	if len(w.line) > mostLine || len(w.last) > mostLine {
		t.Fatalf("%d and %d bytes are kept", len(w.line), len(w.last))
	}
}

// TestSecretAtTheEnd: a long line may be cut within the secret; then nothing of it is shown.
func TestSecretAtTheEnd(t *testing.T) {
	secret := strings.Repeat("0123456789", 20)
	for n := range len(secret) + 3 {
		w := &lastLine{}
		times := (mostLine - n) / len(secret)
		write(t, w, []byte(strings.Repeat("x", mostLine-n-times*len(secret))+strings.Repeat(secret, times+2)+"\n"))
		if got := w.text(Secret(secret)); strings.Contains(got, "012") {
			t.Fatalf("%d bytes of it: %q", n, got)
		}
	}
}

// FuzzList: a list is refused or is ids, sorted and each once, which read back as they are.
func FuzzList(f *testing.F) {
	f.Add([]byte("m-2\nm-1\r\n\n m-2 "))
	f.Add([]byte("a b\n"))
	f.Fuzz(func(t *testing.T, out []byte) {
		ids, err := parseList(out)
		if err != nil {
			if len(ids) > 0 || strings.ContainsAny(err.Error(), "\r\n") {
				t.Errorf("%q, %v", ids, err)
			}
			return
		}
		for i, id := range ids {
			if CheckID(id) != nil || i > 0 && ids[i-1] >= id {
				t.Errorf("%q", ids)
			}
		}
		again, err := parseList([]byte(strings.Join(ids, "\n")))
		if err != nil || strings.Join(again, ",") != strings.Join(ids, ",") {
			t.Errorf("%q, then %q, %v", ids, again, err)
		}
	})
}
