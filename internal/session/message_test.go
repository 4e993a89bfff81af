package session

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// written is a message as the plugin of version 1.3 writes it, field by field.
func written() []byte {
	var b []byte
	b = binary.BigEndian.AppendUint32(b, 116)
	b = append(b, "input_stream_data"+strings.Repeat(" ", 14)+"\x00"...)
	b = binary.BigEndian.AppendUint32(b, 1)
	b = binary.BigEndian.AppendUint64(b, 1795404234876)
	b = binary.BigEndian.AppendUint64(b, 7)
	b = binary.BigEndian.AppendUint64(b, 0)
	b = append(b, "\x88\x99\xaa\xbb\xcc\xdd\xee\xff\x00\x11\x22\x33\x44\x55\x66\x77"...)
	sum := sha256.Sum256([]byte("ls\r"))
	b = append(b, sum[:]...)
	b = binary.BigEndian.AppendUint32(b, 1)
	b = binary.BigEndian.AppendUint32(b, 3)
	return append(b, "ls\r"...)
}

func TestDecode(t *testing.T) {
	m, err := Decode(written())
	if err != nil {
		t.Fatal(err)
	}
	want := Message{Kind: Input, Schema: 1, Created: 1795404234876, Sequence: 7, ID: [16]byte{0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff},
		Payload: Data, Content: []byte("ls\r")}
	if diff := cmp.Diff(want, m); diff != "" {
		t.Error(diff)
	}
	if got := m.Text(); got != "00112233-4455-6677-8899-aabbccddeeff" {
		t.Errorf("id %s", got)
	}
	again := m.Encode()
	again[35] = 0 // the plugin leaves the last byte of the type alone
	if !bytes.Equal(again, written()) {
		t.Errorf("encoded\n%s, want\n%s", hex.Dump(again), hex.Dump(written()))
	}
}

func TestDecodeRefuses(t *testing.T) {
	change := func(at int, b byte) []byte { f := written(); f[at] ^= b; return f }
	for name, frame := range map[string][]byte{
		"nothing": nil, "half a header": written()[:60], "no payload": written()[:120], "payload too long": append(written(), 'x'), "another header": change(3, 100),
		"another digest": change(90, 1), "another payload": change(121, 'x'), "no type": slices.Concat(written()[:4], make([]byte, 32), written()[36:]),
		"a mebibyte": slices.Concat(written(), make([]byte, 1<<20)),
	} {
		if m, err := Decode(frame); err == nil {
			t.Errorf("%s decodes to %v", name, m)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(written())
	f.Add(Message{Kind: Acknowledge, Content: []byte("{}")}.Encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Decode(b)
		if err != nil {
			return
		}
		again, err := Decode(m.Encode())
		if err != nil && len(m.Kind) <= 32 {
			t.Fatalf("%#v does not come back: %v", m, err)
		}
		if diff := cmp.Diff(m, again); diff != "" {
			t.Fatal(diff)
		}
	})
}

// FuzzReceive gives a channel whatever there is: it never panics, and what it keeps is bounded.
func FuzzReceive(f *testing.F) {
	f.Add(uint32(Data), int64(0), "input_stream_data", []byte("x"))
	f.Add(uint32(Size), int64(0), "input_stream_data", []byte(`{"cols":80,"rows":24}`))
	f.Add(uint32(Flag), int64(0), "input_stream_data", []byte{0, 0, 0, 2})
	f.Add(uint32(HandshakeResponse), int64(0), "input_stream_data", []byte(`{"ClientVersion":"1.3.0.0"}`))
	f.Add(uint32(0), int64(0), "acknowledge", []byte(`{"AcknowledgedMessageSequenceNumber":0}`))
	f.Fuzz(func(t *testing.T, payload uint32, sequence int64, kind string, content []byte) {
		c := channel(t, Shell)
		for i := range int64(3) {
			m := Message{Kind: Kind(kind), Sequence: sequence + i, Payload: Payload(payload), Content: content}
			c.Receive(m.Encode(), start) //nolint:errcheck // whatever it says
		}
		c.Next(start) //nolint:errcheck // whatever it says
		if len(c.early) > mostEarly || len(c.inputs) > mostInputs || len(c.kept) > 2 {
			t.Fatalf("it keeps %d, %d, %d", len(c.early), len(c.inputs), len(c.kept))
		}
	})
}

func TestWords(t *testing.T) {
	for command, want := range map[string][]string{
		"": nil, "  ": nil, "/bin/sh": {"/bin/sh"}, " ls  -l\t/ ": {"ls", "-l", "/"}, `sh -c 'echo "a b"; exit 3'`: {"sh", "-c", `echo "a b"; exit 3`},
		`echo "a \"b\" \n"`: {"echo", `a "b" \n`}, `a\ b ''`: {"a b", ""}, `a"b"'c'`: {"abc"}, `'\'`: {`\`}, `ü "ß"`: {"ü", "ß"},
	} {
		got, err := Words(command)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %q, %v, want %q", command, got, err, want)
		}
	}
	for _, command := range []string{`'`, `"a`, `a\`, `"\"`} {
		if got, err := Words(command); !errors.Is(err, ErrQuote) {
			t.Errorf("%q: %q, %v", command, got, err)
		}
	}
}

func TestSeveral(t *testing.T) {
	for version, want := range map[string]bool{"1.1.70.0": true, "1.1.69.9": false, "1.3.0.0": true, "2.0.0": true, "1.1": false, "": false, "0": false, "1.x.3": false, "1.0.999.0": false} {
		if got := Several(version); got != want {
			t.Errorf("%q: %t", version, got)
		}
	}
}

// What is quoted is one word again, in what begins with any command.
func FuzzQuote(f *testing.F) {
	f.Add("ls -l")
	f.Add(`it's "a" \ $b`)
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			return
		}
		words, err := Words("sh -c " + Quote(text))
		if err != nil || len(words) != 3 || words[2] != text {
			t.Fatalf("%q: %q, %v", text, words, err)
		}
	})
}
