// Package agentwire is a client that is to a server what the official ECS agent 1.105 is: it writes the agent's HTTP requests and websocket
// frames byte by byte, as they were captured, and holds what the server sends to the agent's rules. It shares no code with either end of
// Berth, so that what both of Berth's ends misread alike shows.
package agentwire

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Keys are what the agent signs with.
type Keys struct {
	AccessKeyID, SecretAccessKey, SessionToken, Region string
	Service                                            string // "ecs" where empty; the agent itself calls no other
}

// header is one header as it is written: name, casing and place matter to whoever reads bytes.
type header struct{ name, value string }

// signature makes the Authorization header of Signature Version 4. signed are the headers that are signed.
func (k Keys) signature(method, path, query string, signed []header, payload []byte, at time.Time) string {
	stamp := at.UTC().Format("20060102T150405Z")
	service := cmp.Or(k.Service, "ecs")
	scope := stamp[:8] + "/" + k.Region + "/" + service + "/aws4_request"
	var names, lines []string
	for _, h := range signed {
		names = append(names, strings.ToLower(h.name))
	}
	slices.Sort(names)
	for _, n := range names {
		for _, h := range signed {
			if strings.EqualFold(h.name, n) {
				lines = append(lines, n+":"+strings.TrimSpace(h.value)+"\n")
			}
		}
	}
	list := strings.Join(names, ";")
	canonical := method + "\n" + path + "\n" + query + "\n" + strings.Join(lines, "") + "\n" + list + "\n" + hash(payload)
	text := "AWS4-HMAC-SHA256\n" + stamp + "\n" + scope + "\n" + hash([]byte(canonical))
	key := []byte("AWS4" + k.SecretAccessKey)
	for _, part := range []string{stamp[:8], k.Region, service, "aws4_request"} {
		key = keyed(key, part)
	}
	return "AWS4-HMAC-SHA256 Credential=" + k.AccessKeyID + "/" + scope + ", SignedHeaders=" + list + ", Signature=" + hex.EncodeToString(keyed(key, text))
}

func keyed(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// query writes parameters as the agent does in the URL (a space is +), and as they are signed (a space is %20). Both are sorted by name.
func query(parameters []header) (sent, canonical string) {
	sorted := slices.Clone(parameters)
	slices.SortStableFunc(sorted, func(a, b header) int { return strings.Compare(a.name, b.name) })
	var parts []string
	for _, p := range sorted {
		parts = append(parts, url.QueryEscape(p.name)+"="+url.QueryEscape(p.value))
	}
	sent = strings.Join(parts, "&")
	return sent, strings.ReplaceAll(sent, "+", "%20")
}
