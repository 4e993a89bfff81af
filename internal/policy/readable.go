package policy

import (
	"slices"
	"strconv"
	"strings"
)

// wellFormed reports whether the grammar takes a condition: its operator exists, and binary values are base64.
func (c *Condition) wellFormed() bool {
	kind := parseOperator(c.Operator).kind
	return kind != unknown && !(kind == ofBytes && slices.ContainsFunc(c.Values, func(v string) bool {
		_, ok := parseBytes(v)
		return !ok
	}))
}

// readable reports whether the legacy parser can read the values of conditions as what their operators compare.
func readable(conditions []Condition) bool {
	for _, c := range conditions {
		kind := parseOperator(c.Operator).kind
		for _, v := range c.Values {
			if !kind.reads(v) {
				return false
			}
		}
	}
	return true
}

// reads reports whether a text can be a value of a kind. Any is a string, a truth value (which then is like none) or a presence.
func (k kind) reads(v string) (ok bool) {
	switch k {
	case ofNumbers:
		_, ok = parseNumber(v)
	case ofAddresses:
		_, ok = parseNetwork(v)
	case ofDates:
		ok = readableDate(strings.ToLower(v))
	case ofARNs:
		ok = v == "*" || strings.HasPrefix(v, "${") || strings.HasPrefix(v, "arn:") && len(splitPattern(v, true)) == segments
	case ofStrings, ofBools, ofBytes, ofPresence, unknown:
		ok = true
	}
	return ok
}

// readableDate takes more for a date than can be compared: the parts of ISO 8601 are only looked at one by one.
func readableDate(s string) bool {
	if !strings.ContainsAny(s, "t-") {
		return between(s, 0, 1<<63-1)
	}
	date, clock, _ := strings.Cut(s, "t")
	return readableDay(date) && readableClock(clock)
}

// readableDay reads a year, or a year and month, or all three.
func readableDay(s string) bool {
	negative := strings.HasPrefix(s, "-")
	parts := strings.Split(strings.TrimPrefix(s, "-"), "-")
	if negative {
		parts[0] = "-" + parts[0]
	}
	switch {
	case len(parts) > 3 || !between(parts[0], -292275054, 292278993):
		return false
	case len(parts) > 1 && !between(parts[1], 1, 12):
		return false
	}
	return len(parts) < 3 || between(parts[2], 1, 31)
}

// readableClock reads hours, minutes, and seconds with a fraction and a zone.
func readableClock(s string) bool {
	parts := strings.SplitN(s, ":", 3)
	switch {
	case parts[0] != "" && !between(parts[0], 0, 23):
		return false
	case len(parts) > 1 && !between(parts[1], 0, 59):
		return false
	}
	return len(parts) < 3 || readableSeconds(parts[2])
}

func readableSeconds(s string) bool {
	if before, after, found := strings.Cut(s, "z"); found {
		if after != "" {
			return false
		}
		s = before
	} else if i := strings.IndexAny(s, "+-"); i >= 0 {
		hours, minutes, more := strings.Cut(s[i+1:], ":")
		if len(hours) != 2 || !between(hours, 0, 23) || more && (len(minutes) != 2 || !between(minutes, 0, 59)) {
			return false
		}
		s = s[:i]
	}
	whole, fraction, found := strings.Cut(s, ".")
	return between(whole, 0, 59) && (!found || between(fraction, 0, 999_999_999))
}

// between reports whether s is a whole number in a range.
func between(s string, lowest, highest int64) bool {
	n, err := strconv.ParseInt(s, 10, 64)
	return err == nil && lowest <= n && n <= highest
}
