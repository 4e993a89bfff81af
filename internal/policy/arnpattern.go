package policy

import "strings"

// segments is how many parts an ARN has: arn, partition, service, region, account, and the resource, which may have colons.
const segments = 6

// arnPattern compares ARNs part by part: a wildcard does not reach over the colons before the resource. Parts that are left out at the end
// are wildcards, as IAM takes them.
type arnPattern struct {
	shape arnShape
	text  string // of exact and prefix
	parts *[segments]pattern
}

type arnShape int

const (
	byParts   arnShape = iota
	every              // "*"
	exactly            // no wildcard, no variable
	beginning          // a wildcard at its end only
)

func compileARN(text string, variables bool) arnPattern {
	if text == "*" {
		return arnPattern{shape: every}
	}
	text = strings.ToValidUTF8(text, "\uFFFD")
	parts := splitPattern(text, variables)
	whole := compilePattern(text, true, variables)
	if len(parts) == segments && whole.parts == nil {
		if !whole.wild {
			return arnPattern{shape: exactly, text: whole.text}
		}
		if i := strings.IndexAny(text, "*?"); i == len(text)-1 && text[i] == '*' && !strings.Contains(text, "${") {
			return arnPattern{shape: beginning, text: text[:i]}
		}
	}
	p := arnPattern{parts: new([segments]pattern)}
	for i := range p.parts {
		part := "*"
		if i < len(parts) {
			part = parts[i]
		}
		p.parts[i] = compilePattern(part, true, variables)
	}
	return p
}

// splitPattern cuts a pattern at its first five colons, but not in variables.
func splitPattern(text string, variables bool) []string {
	parts := make([]string, 0, segments)
	start := 0
	for i := 0; i < len(text) && len(parts) < segments-1; i++ {
		if variables && strings.HasPrefix(text[i:], "${") {
			if end := strings.IndexByte(text[i:], '}'); end >= 0 {
				i += end
				continue
			}
		}
		if text[i] == ':' {
			parts = append(parts, text[start:i])
			start = i + 1
		}
	}
	return append(parts, text[start:])
}

// splitARN cuts an ARN into its parts; those that are missing are empty.
func splitARN(arn string) (parts [segments]string) {
	for i := range segments - 1 {
		part, rest, found := strings.Cut(arn, ":")
		parts[i], arn = part, rest
		if !found {
			return parts
		}
	}
	parts[segments-1] = arn
	return parts
}

// arnValue is an ARN that is compared, and its parts once they were asked for.
type arnValue struct {
	whole string
	parts [segments]string
	split bool
}

func (p *arnPattern) matches(e *evaluation, v *arnValue) bool {
	switch p.shape {
	case every:
		return true
	case exactly:
		return p.text == v.whole
	case beginning:
		return strings.HasPrefix(v.whole, p.text)
	case byParts:
	}
	if v.whole == "*" { // no resource, or all: only "*" speaks of it
		return false
	}
	if !v.split {
		v.parts, v.split = splitARN(v.whole), true
	}
	for i := segments - 1; i >= 0; i-- { // the last tells most
		if !p.parts[i].matches(e, v.parts[i], false) {
			return false
		}
	}
	return true
}
