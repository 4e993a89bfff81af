// Package constraint says what AWS's JSON services say of requests that are not as their model wants them: "1 validation error detected: Value 'x' at
// 'name' failed to satisfy constraint: ...". All that is wrong is said at once.
package constraint

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"berth/internal/apierr"
)

// Check collects what is wrong with a request. Its zero value is ready. Members are named as AWS's texts name them, in lower camel case.
type Check struct{ failed []string }

// mostShown is how many bytes of a wrong value are shown.
const mostShown = 256

func (c *Check) fail(value, member, must string, args ...any) {
	c.failed = append(c.failed, "Value "+value+"at '"+member+"' failed to satisfy constraint: Member must "+fmt.Sprintf(must, args...))
}

func quoted(value string) string {
	if len(value) > mostShown {
		value = strings.ToValidUTF8(value[:mostShown], "")
	}
	return "'" + value + "' "
}

// Present wants a member to be there.
func (c *Check) Present(member string, there bool) {
	if !there {
		c.fail("null ", member, "not be null")
	}
}

// Text wants a text that is there to have so many characters.
func (c *Check) Text(member string, value *string, least, most int) {
	if value != nil {
		c.length(quoted(*value), member, utf8.RuneCountInString(*value), least, most)
	}
}

// Needed wants a text to be there and to have so many characters.
func (c *Check) Needed(member string, value *string, least, most int) {
	c.Present(member, value != nil)
	c.Text(member, value, least, most)
}

// Hidden wants a length of a value that is not to be shown.
func (c *Check) Hidden(member string, length, least, most int) {
	c.length("", member, length, least, most)
}

// Count wants a list to have so many items.
func (c *Check) Count(member string, list []string, least, most int) {
	c.length(quoted("["+strings.Join(list, ", ")+"]"), member, len(list), least, most)
}

func (c *Check) length(shown, member string, length, least, most int) {
	switch {
	case length < least:
		c.fail(shown, member, "have length greater than or equal to %d", least)
	case length > most:
		c.fail(shown, member, "have length less than or equal to %d", most)
	}
}

// Number wants a number that is there to be from least to most.
func Number[N int32 | int64](c *Check, member string, value *N, least, most N) {
	switch {
	case value == nil:
	case *value < least:
		c.fail(quoted(fmt.Sprint(*value)), member, "have value greater than or equal to %d", least)
	case *value > most:
		c.fail(quoted(fmt.Sprint(*value)), member, "have value less than or equal to %d", most)
	}
}

// Enum wants a value, if it is not empty, to be one of those of its type.
func Enum[E ~string](c *Check, member string, value E, all []E) {
	if value == "" || slices.Contains(all, value) {
		return
	}
	names := make([]string, len(all))
	for i, one := range all {
		names[i] = string(one)
	}
	slices.Sort(names)
	c.fail(quoted(string(value)), member, "satisfy enum value set: [%s]", strings.Join(names, ", "))
}

// Pattern wants a text that is there to match; the pattern matches whole texts.
func (c *Check) Pattern(member string, value *string, pattern *regexp.Regexp) {
	if value != nil && !pattern.MatchString(*value) {
		c.fail(quoted(*value), member, "satisfy regular expression pattern: %s", pattern)
	}
}

// Err is a ValidationException with all that is wrong, nil where nothing is.
func (c *Check) Err() error {
	switch n := len(c.failed); n {
	case 0:
		return nil
	case 1:
		return apierr.New("ValidationException", "%s", "1 validation error detected: "+c.failed[0])
	default:
		return apierr.New("ValidationException", "%s", fmt.Sprintf("%d validation errors detected: ", n)+strings.Join(c.failed, "; "))
	}
}
