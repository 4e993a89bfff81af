package policy

import (
	"cmp"
	"encoding/base64"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// number is an integer that fits 64 bits, or else a decimal number.
type number struct {
	whole   int64
	decimal float64
	isWhole bool
}

func parseNumber(s string) (number, bool) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return number{whole: n, decimal: float64(n), isWhole: true}, true
	}
	for i := range len(s) { // no Inf, NaN, hexadecimal or underscores
		if !strings.ContainsRune("0123456789+-.eE", rune(s[i])) {
			return number{}, false
		}
	}
	f, err := strconv.ParseFloat(s, 64)
	return number{decimal: f}, err == nil
}

func (n number) compare(o number) int {
	if n.isWhole && o.isWhole {
		return cmp.Compare(n.whole, o.whole)
	}
	return cmp.Compare(n.decimal, o.decimal)
}

// moment is a point in time: seconds since 1970 and nanoseconds.
type moment struct{ seconds, nanos int64 }

func (m moment) compare(o moment) int {
	return cmp.Or(cmp.Compare(m.seconds, o.seconds), cmp.Compare(m.nanos, o.nanos))
}

// parseMoment reads a date: whole seconds since 1970, or ISO 8601 in the forms that W3C's note on dates and times has, to which IAM's
// documentation refers: a year, a month, a day, a minute or a second of a day. Without a zone it is UTC.
func parseMoment(s string) (moment, bool) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && len(s) != 4 {
		return moment{seconds: n}, true
	}
	t, err := time.Parse(layoutOf(s), strings.ToUpper(s))
	return moment{t.Unix(), int64(t.Nanosecond())}, err == nil
}

// layoutOf is the form that a date would have to have. time.Parse takes a fraction of a second by itself.
func layoutOf(s string) string {
	date, clock, hasClock := strings.Cut(s, "T")
	if !hasClock {
		date, clock, hasClock = strings.Cut(s, "t")
	}
	if !hasClock {
		return "2006-01-02"[:min(10, max(4, len(date)))]
	}
	zone := strings.IndexAny(clock, "Zz+-")
	layout := "2006-01-02T15:04"
	if strings.Count(clock[:max(0, zone)], ":") == 2 || zone < 0 && strings.Count(clock, ":") == 2 {
		layout += ":05"
	}
	if zone >= 0 {
		layout += "Z07:00"
	}
	return layout
}

// network is addresses in CIDR notation; one address is a network of one.
type network struct{ netip.Prefix }

func parseNetwork(s string) (network, bool) {
	if a, ok := parseAddress(s); ok {
		return network{netip.PrefixFrom(a, a.BitLen())}, true
	}
	p, err := netip.ParsePrefix(s)
	return network{p}, err == nil
}

func parseAddress(s string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(s)
	return a.WithZone("").Unmap(), err == nil
}

// parseBytes decodes base64, in which binary values are written.
func parseBytes(s string) (string, bool) {
	b, err := base64.StdEncoding.DecodeString(s)
	return string(b), err == nil
}

func parseBool(s string) (value, ok bool) {
	switch {
	case equalFold(s, "true"):
		return true, true
	case equalFold(s, "false"):
		return false, true
	}
	return false, false
}
