package uuid

import (
	"bytes"
	"testing"
)

func TestOf(t *testing.T) {
	from := bytes.Repeat([]byte{0xff}, 20)
	if got := Of(from); got != "ffffffff-ffff-4fff-bfff-ffffffffffff" || from[6] != 0xff {
		t.Error(got)
	}
	if got := Of(make([]byte, 16)); got != "00000000-0000-4000-8000-000000000000" {
		t.Error(got)
	}
}
