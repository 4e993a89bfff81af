package constraint

import (
	"regexp"
	"strings"
	"testing"

	"berth/internal/apierr"
)

func p[T any](v T) *T { return &v }

func TestCheck(t *testing.T) {
	const failed = " failed to satisfy constraint: Member must "
	for name, test := range map[string]struct {
		check func(c *Check)
		want  string
	}{
		"nothing": {func(c *Check) {
			c.Text("m", nil, 1, 2)
			Number[int32](c, "m", nil, 1, 2)
			Enum(c, "m", "", []string{"a"})
		}, ""},
		"right": {func(c *Check) {
			c.Needed("m", p("äö"), 2, 2)
			Number(c, "m", p(int64(2)), 1, 2)
			Enum(c, "m", "a", []string{"a"})
		}, ""},
		"null":     {func(c *Check) { c.Needed("m", nil, 1, 2) }, "1 validation error detected: Value null at 'm'" + failed + "not be null"},
		"short":    {func(c *Check) { c.Text("m", p(""), 1, 2) }, "1 validation error detected: Value '' at 'm'" + failed + "have length greater than or equal to 1"},
		"long":     {func(c *Check) { c.Text("m", p("abc"), 1, 2) }, "1 validation error detected: Value 'abc' at 'm'" + failed + "have length less than or equal to 2"},
		"hidden":   {func(c *Check) { c.Hidden("m", 3, 1, 2) }, "1 validation error detected: Value at 'm'" + failed + "have length less than or equal to 2"},
		"few":      {func(c *Check) { c.Count("m", []string{"a", "b"}, 3, 4) }, "1 validation error detected: Value '[a, b]' at 'm'" + failed + "have length greater than or equal to 3"},
		"low":      {func(c *Check) { Number(c, "m", p(int32(0)), 1, 2) }, "1 validation error detected: Value '0' at 'm'" + failed + "have value greater than or equal to 1"},
		"high":     {func(c *Check) { Number(c, "m", p(int64(3)), 1, 2) }, "1 validation error detected: Value '3' at 'm'" + failed + "have value less than or equal to 2"},
		"enum":     {func(c *Check) { Enum(c, "m", "c", []string{"b", "a"}) }, "1 validation error detected: Value 'c' at 'm'" + failed + "satisfy enum value set: [a, b]"},
		"pattern":  {func(c *Check) { c.Pattern("m", p("1"), regexp.MustCompile(`^[a-z]$`)) }, "1 validation error detected: Value '1' at 'm'" + failed + "satisfy regular expression pattern: ^[a-z]$"},
		"two":      {func(c *Check) { c.Present("a", false); c.Hidden("b", 0, 1, 2) }, "2 validation errors detected: Value null at 'a'" + failed + "not be null; Value at 'b'" + failed + "have length greater than or equal to 1"},
		"per cent": {func(c *Check) { c.Text("m", p("%d"), 3, 4) }, "1 validation error detected: Value '%d' at 'm'" + failed + "have length greater than or equal to 3"},
		"endless":  {func(c *Check) { c.Text("m", p(strings.Repeat("ä", 500)), 1, 2) }, "1 validation error detected: Value '" + strings.Repeat("ä", 128) + "' at 'm'" + failed + "have length less than or equal to 2"},
	} {
		t.Run(name, func(t *testing.T) {
			var c Check
			test.check(&c)
			err := c.Err()
			if test.want == "" {
				if err != nil {
					t.Errorf("refused: %v", err)
				}
				return
			}
			if e := apierr.As(err); err == nil || e.Code != "ValidationException" || e.Message != test.want {
				t.Errorf("got  %s: %s\nwant %s", e.Code, e.Message, test.want)
			}
		})
	}
}
