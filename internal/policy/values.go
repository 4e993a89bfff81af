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

// layouts are the forms of ISO 8601 that W3C's note on dates and times has, to which IAM's documentation refers.
//
// time.Parse takes a fraction of a second by itself; without a zone it is UTC.
var layouts = [...]string{
	"2006", "2006-01", "2006-01-02", "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05Z07:00", "2006-01-02T15:04", "2006-01-02T15:04:05",
}

// parseMoment reads a date: ISO 8601, or whole seconds since 1970.
func parseMoment(s string) (moment, bool) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && len(s) != 4 {
		return moment{seconds: n}, true
	}
	upper := strings.ToUpper(s)
	for _, layout := range layouts {
		if t, err := time.Parse(layout, upper); err == nil {
			return moment{t.Unix(), int64(t.Nanosecond())}, true
		}
	}
	return moment{}, false
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
