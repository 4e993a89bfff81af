package docker

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"berth/internal/agent"
)

// frames writes an engine's stream: "1 text" is a frame of standard output.
func frames(texts ...string) []byte {
	var b bytes.Buffer
	for i, text := range texts {
		piece := fmt.Sprintf("2026-11-29T21:00:%02d.5Z %s", i, text[2:])
		b.Write(binary.BigEndian.AppendUint32([]byte{text[0] - '0', 0, 0, 0}, uint32(len(piece))))
		b.WriteString(piece)
	}
	return b.Bytes()
}

func readLines(t *testing.T, stream []byte, terminal bool) (lines []string, err error) {
	t.Helper()
	r := &logReader{from: bufio.NewReader(bytes.NewReader(stream)), terminal: terminal, whole: true, each: func(l agent.LogLine) error {
		text := string(l.Text)
		if len(text) > 100 {
			text = fmt.Sprintf("%d bytes", len(text))
		}
		lines = append(lines, fmt.Sprintf("%02d %s", l.At.Second(), text))
		return nil
	}}
	return lines, r.read()
}

func TestLogStream(t *testing.T) {
	piece := strings.Repeat("x", 16<<10)
	long := []string{}
	for range 17 {
		long = append(long, "1 "+piece)
	}
	for name, test := range map[string]struct {
		stream   []byte
		terminal bool
		want     []string
	}{
		"lines":                    {frames("1 one\n", "2 two\n", "1 \n"), false, []string{"00 one", "01 two", "02 "}},
		"pieces of two streams":    {frames("1 a", "2 x", "1 b\n", "2 y\n"), false, []string{"00 ab", "01 xy"}},
		"an end without a newline": {frames("1 one\n", "1 two"), false, []string{"00 one", "01 two"}},
		"cut off":                  {frames("1 one\n", "1 two\n")[:50], false, []string{"00 one"}},
		"a long line":              {frames(append(long, "1 y\n")...), false, []string{"00 262118 bytes", "00 16411 bytes"}},
		"a terminal":               {[]byte("2026-11-29T21:00:01Z one\r\n2026-11-29T21:00:02Z two"), true, []string{"01 one", "02 two"}},
	} {
		lines, err := readLines(t, test.stream, test.terminal)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(test.want, lines); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	for name, stream := range map[string][]byte{"another stream": {9, 0, 0, 0, 0, 0, 0, 1, 'x'}, "a huge frame": {1, 0, 0, 0, 255, 0, 0, 0}, "no time": {1, 0, 0, 0, 0, 0, 0, 2, 'x', '\n'}} {
		if _, err := readLines(t, stream, false); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func FuzzLogStream(f *testing.F) {
	f.Add(frames("1 one\n", "2 two"), false)
	f.Add([]byte("2026-11-29T21:00:01Z one\r\n"), true)
	f.Fuzz(func(_ *testing.T, stream []byte, terminal bool) {
		r := &logReader{from: bufio.NewReader(bytes.NewReader(stream)), terminal: terminal, whole: true, each: func(agent.LogLine) error { return nil }}
		r.read() //nolint:errcheck // it may be wrong
	})
}
