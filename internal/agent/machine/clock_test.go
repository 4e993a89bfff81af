package machine

import (
	"testing"
	"time"
)

func TestClock(t *testing.T) {
	c, err := Clock()
	if err != nil || time.Since(c.At).Abs() > time.Minute || c.ErrorBound < 0 {
		t.Errorf("%+v, %v", c, err)
	}
}
