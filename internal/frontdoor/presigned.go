package frontdoor

import (
	"strconv"
	"strings"
	"time"
)

// maxExpires is how long a presigned URL may be good for: seven days.
const maxExpires = 604800

// readPresigned reads a signature from the query of a presigned URL.
func readPresigned(query []pair) (*claim, *refusal) {
	c := &claim{presigned: true}
	values := map[string]string{}
	var absent strings.Builder
	for _, name := range []string{"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date"} {
		found := lookup(query, name)
		if found.n > 1 {
			return c, refuse(faultIncomplete, "AWS query-string parameter '%s' must be given once. Re-examine the query-string parameters.", name)
		}
		if found.value == "" {
			absent.WriteString("AWS query-string parameters must include '" + name + "'. ")
		}
		values[name] = found.value
	}
	parts := c.readCredential(values["X-Amz-Credential"])
	if absent.Len() > 0 {
		return c, refuse(faultIncomplete, "%sRe-examine the query-string parameters.", absent.String())
	}
	c.signature = values["X-Amz-Signature"]
	c.headers = strings.Split(values["X-Amz-SignedHeaders"], ";")
	c.token = lookup(query, "X-Amz-Security-Token").value
	if at, err := time.Parse(stampLayout, values["X-Amz-Date"]); err == nil {
		c.at, c.stamp = at, values["X-Amz-Date"]
	}
	if f := c.check(values["X-Amz-Algorithm"], values["X-Amz-Credential"], parts); f != nil {
		return c, f
	}
	return c, c.readExpires(lookup(query, "X-Amz-Expires"))
}

func (c *claim) readExpires(f found) *refusal {
	if f.n == 0 {
		return nil
	}
	n, err := strconv.Atoi(f.value)
	switch {
	case f.n > 1 || err != nil:
		return refuse(faultIncomplete, "X-Amz-Expires should be a number")
	case n < 1:
		return refuse(faultIncomplete, "X-Amz-Expires must be positive")
	case n > maxExpires:
		return refuse(faultIncomplete, "X-Amz-Expires must be less than a week (in seconds); "+
			"that is, the given X-Amz-Expires must be less than %d seconds", maxExpires)
	}
	c.expires = time.Duration(n) * time.Second
	return nil
}
