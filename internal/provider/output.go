package provider

import (
	"bytes"
	"strings"
	"unicode"
)

// head keeps the beginning of what is written.
type head struct {
	most int
	kept []byte
	more bool // there was more
}

func (h *head) Write(p []byte) (int, error) {
	n := min(len(p), h.most-len(h.kept))
	h.kept = append(h.kept, p[:n]...)
	h.more = h.more || n < len(p)
	return len(p), nil
}

// The bounds of a reason: of its line as much is read, and as much told.
const (
	mostLine   = 4096 // bytes
	mostReason = 255  // characters
)

// lastLine keeps the last line of what is written that is not blank, or its beginning.
type lastLine struct {
	line, last []byte
}

func (w *lastLine) Write(p []byte) (int, error) {
	written := len(p)
	for len(p) > 0 {
		end := bytes.IndexAny(p, "\r\n")
		part := p
		if end >= 0 {
			part = p[:end]
		}
		w.line = append(w.line, part[:min(len(part), mostLine-len(w.line))]...)
		if end < 0 {
			break
		}
		w.end()
		p = p[end+1:]
	}
	return written, nil
}

func (w *lastLine) end() {
	if len(bytes.TrimSpace(w.line)) > 0 {
		w.last = append(w.last[:0], w.line...)
	}
	w.line = w.line[:0]
}

// text is the line without secret, control characters and what is too much.
func (w *lastLine) text(secret Secret) string {
	w.end()
	s := secret.hide(string(w.last))
	if secret != "" && len(w.last) == mostLine { // it may end within the secret
		s = s[:max(len(s)-len(secret)+1, 0)]
	}
	s = secret.hide(printable(s))
	if r := []rune(s); len(r) > mostReason {
		s = string(r[:mostReason])
	}
	return s
}

// hide puts something else where the secret is.
func (s Secret) hide(text string) string {
	if s == "" {
		return text
	}
	return strings.ReplaceAll(text, string(s), hidden)
}

// printable is text without control characters and what is no UTF-8.
func printable(text string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "?")))
}
