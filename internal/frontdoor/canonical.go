package frontdoor

import (
	"cmp"
	"fmt"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// pair is a parameter of the query, decoded.
type pair struct{ name, value string }

// readQuery takes a raw query apart. + is a space, as in forms; a pair without = has an empty value. It fails on a bad escape.
func readQuery(raw string) ([]pair, error) {
	if raw == "" {
		return nil, nil
	}
	out := make([]pair, 0, 1+strings.Count(raw, "&"))
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		n, err := url.QueryUnescape(name)
		if err != nil {
			return nil, fmt.Errorf("read query: %w", err)
		}
		v, err := url.QueryUnescape(value)
		if err != nil {
			return nil, fmt.Errorf("read query: %w", err)
		}
		out = append(out, pair{n, v})
	}
	return out, nil
}

// found is the first value of a parameter and how often the parameter is there.
type found struct {
	value string
	n     int
}

func lookup(query []pair, name string) found {
	var f found
	for _, p := range query {
		if p.name != name {
			continue
		}
		if f.n++; f.n == 1 {
			f.value = p.value
		}
	}
	return f
}

// appendCanonical writes the canonical request of Signature Version 4, whose hash is signed. ok is false when a header that should be
// signed is absent.
func appendCanonical(b []byte, r *http.Request, c *claim, query []pair, payloadHash string) (_ []byte, ok bool) {
	b = append(append(b, r.Method...), '\n')
	b = append(appendCanonicalPath(b, r.URL.EscapedPath()), '\n')
	b = append(appendCanonicalQuery(b, query), '\n')
	for _, name := range c.headers {
		b = append(append(b, name...), ':')
		if b, ok = appendCanonicalHeader(b, r, name); !ok {
			return nil, false
		}
		b = append(b, '\n')
	}
	b = append(b, '\n')
	for i, name := range c.headers {
		if i > 0 {
			b = append(b, ';')
		}
		b = append(b, name...)
	}
	return append(append(b, '\n'), payloadHash...), true
}

// appendCanonicalPath writes the path without empty and dot segments, escaped once more than it came: every service but s3 wants that.
func appendCanonicalPath(b []byte, escaped string) []byte {
	if escaped == "" || escaped == "/" {
		return append(b, '/')
	}
	var kept []string
	for segment := range strings.SplitSeq(escaped, "/") {
		switch segment {
		case "", ".":
		case "..":
			kept = kept[:max(0, len(kept)-1)]
		default:
			kept = append(kept, segment)
		}
	}
	for _, segment := range kept {
		b = appendEscaped(append(b, '/'), segment)
	}
	if len(kept) == 0 || strings.HasSuffix(escaped, "/") || strings.HasSuffix(escaped, "/.") || strings.HasSuffix(escaped, "/..") {
		b = append(b, '/')
	}
	return b
}

// appendCanonicalQuery writes the parameters escaped, ordered by escaped name and then value, without the signature itself.
func appendCanonicalQuery(b []byte, query []pair) []byte {
	sorted := make([]pair, 0, len(query))
	for _, p := range query {
		if p.name != "X-Amz-Signature" {
			sorted = append(sorted, pair{string(appendEscaped(nil, p.name)), string(appendEscaped(nil, p.value))})
		}
	}
	slices.SortFunc(sorted, func(x, y pair) int {
		return cmp.Or(cmp.Compare(x.name, y.name), cmp.Compare(x.value, y.value))
	})
	for i, p := range sorted {
		if i > 0 {
			b = append(b, '&')
		}
		b = append(append(append(b, p.name...), '='), p.value...)
	}
	return b
}

// appendCanonicalHeader writes a header's values joined by commas, trimmed and with runs of spaces made one.
func appendCanonicalHeader(b []byte, r *http.Request, name string) (_ []byte, ok bool) {
	switch name {
	case "host":
		return appendFolded(b, r.Host), true
	case "content-length":
		if r.ContentLength < 0 {
			return b, false
		}
		return strconv.AppendInt(b, r.ContentLength, 10), true
	case "transfer-encoding":
		return append(b, strings.Join(r.TransferEncoding, ",")...), len(r.TransferEncoding) > 0
	}
	values := r.Header[textproto.CanonicalMIMEHeaderKey(name)]
	for i, v := range values {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendFolded(b, v)
	}
	return b, len(values) > 0
}

func appendFolded(b []byte, s string) []byte {
	s = strings.TrimSpace(s)
	for i := range len(s) {
		if s[i] == ' ' && s[i-1] == ' ' { // i > 0: s is trimmed
			continue
		}
		b = append(b, s[i])
	}
	return b
}

// appendEscaped escapes every byte but the unreserved characters of RFC 3986, with upper-case hexadecimal digits.
func appendEscaped(b []byte, s string) []byte {
	const hex = "0123456789ABCDEF"
	for i := range len(s) {
		if c := s[i]; unreserved(c) {
			b = append(b, c)
		} else {
			b = append(b, '%', hex[c>>4], hex[c&15])
		}
	}
	return b
}

func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '.' || c == '_' || c == '~'
}
