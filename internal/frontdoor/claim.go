package frontdoor

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"time"
)

const (
	algorithm   = "AWS4-HMAC-SHA256"
	terminator  = "aws4_request"
	stampLayout = "20060102T150405Z"
)

// claim is what a request says about its own signature: nothing in it has been verified.
type claim struct {
	accessKeyID                       string
	date, region, service, terminator string   // the credential scope
	headers                           []string // SignedHeaders as given, lower-case names in ascending order if it is a good one
	signature                         string
	at                                time.Time
	stamp                             string // at as the string to sign has it, 20261124T101500Z
	dateHeader                        string // the header that at is from, "" in a presigned URL
	token                             string // X-Amz-Security-Token
	presigned                         bool
	expires                           time.Duration // of a presigned URL, 0 if it does not say
}

// readClaim finds the signature of a request in its Authorization header or in its query. With a refusal the claim holds what could be read.
func readClaim(r *http.Request, query []pair) (*claim, *refusal) {
	switch values := r.Header["Authorization"]; {
	case len(values) == 1 && strings.HasPrefix(values[0], "AWS"):
		return readAuthorization(r.Header, values[0])
	case len(values) > 1:
		return &claim{}, refuse(faultIncomplete, "Authorization header must be given once.")
	}
	if lookup(query, "X-Amz-Algorithm").n+lookup(query, "X-Amz-Signature").n > 0 {
		return readPresigned(query)
	}
	return &claim{}, refuseMissing()
}

// readAuthorization reads "AWS4-HMAC-SHA256 Credential=..., SignedHeaders=..., Signature=...". Commas, spaces or both part the parameters.
func readAuthorization(h http.Header, authorization string) (*claim, *refusal) {
	c := &claim{token: h.Get("X-Amz-Security-Token")}
	name, rest, _ := strings.Cut(authorization, " ")
	var credential, signedHeaders string
	for part := range strings.FieldsFuncSeq(rest, func(r rune) bool { return r == ',' || r == ' ' }) {
		key, value, ok := strings.Cut(part, "=")
		if !ok {
			return c, refuse(faultIncomplete, "Invalid key=value pair (missing equal-sign) in Authorization header "+
				"(hashed with SHA-256 and encoded with Base64): '%s'.", hashed(authorization))
		}
		switch key {
		case "Credential":
			credential = value
		case "SignedHeaders":
			signedHeaders = value
		case "Signature":
			c.signature = value
		}
	}
	c.readDate(h)
	parts := c.readCredential(credential)
	if text := missingParts(credential, c.signature, signedHeaders, c.stamp+c.dateHeader); text != "" {
		return c, refuse(faultIncomplete, "%sAuthorization=%.64s", text, name)
	}
	c.headers = strings.Split(signedHeaders, ";")
	return c, c.check(name, credential, parts)
}

func missingParts(credential, signature, signedHeaders, date string) string {
	var b strings.Builder
	for _, p := range []struct{ value, name string }{{credential, "Credential"}, {signature, "Signature"}, {signedHeaders, "SignedHeaders"}} {
		if p.value == "" {
			b.WriteString("Authorization header requires '" + p.name + "' parameter. ")
		}
	}
	if date == "" {
		b.WriteString("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ")
	}
	return b.String()
}

// readDate takes the time of signing from X-Amz-Date, or from Date where that is absent. If it cannot be read, stamp stays empty.
func (c *claim) readDate(h http.Header) {
	text := h.Get("X-Amz-Date")
	c.dateHeader = "x-amz-date"
	if text == "" {
		text, c.dateHeader = h.Get("Date"), "date"
	}
	if text == "" {
		c.dateHeader = ""
		return
	}
	at, err := time.Parse(stampLayout, text)
	if err != nil && c.dateHeader == "date" {
		at, err = http.ParseTime(text)
	}
	if err == nil {
		c.at = at.UTC()
		c.stamp = c.at.Format(stampLayout)
	}
}

// readCredential takes keyid/date/region/service/term apart and returns how many parts there were.
func (c *claim) readCredential(credential string) int {
	parts := strings.Split(credential, "/")
	if len(parts) == 5 {
		c.accessKeyID, c.date, c.region, c.service, c.terminator = parts[0], parts[1], parts[2], parts[3], parts[4]
	}
	return len(parts)
}

// check refuses a claim whose parts are there but cannot be right.
func (c *claim) check(name, credential string, parts int) *refusal {
	switch {
	case name != algorithm:
		return refuse(faultIncomplete, "Unsupported AWS 'algorithm': '%.64s' (only %s for now). ", name, algorithm)
	case parts != 5:
		return refuse(faultIncomplete, "Credential must have exactly 5 slash-delimited elements, "+
			"e.g. keyid/date/region/service/term, got '%.256s'", credential)
	case c.stamp == "":
		return refuse(faultIncomplete, "Date must be in ISO-8601 'basic format'. See http://en.wikipedia.org/wiki/ISO_8601")
	}
	return nil
}

func hashed(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.StdEncoding.EncodeToString(sum[:])
}
