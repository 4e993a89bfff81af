package docker

import (
	"fmt"
	"strings"
	"testing"
)

func TestReadInterfaces(t *testing.T) {
	const head = "Inter-|   Receive                                                |  Transmit\n face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n"
	for _, c := range []struct{ name, text, want string }{
		{"loopback only", head + "    lo:  840 10 0 0 0 0 0 0 840 10 0 0 0 0 0 0\n", "map[] <nil>"},
		{"one", head + "    lo:  840 10 0 0 0 0 0 0 840 10 0 0 0 0 0 0\n  eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n",
			"map[eth0:{RxBytes:1 RxPackets:2 RxErrors:3 RxDropped:4 TxBytes:9 TxPackets:10 TxErrors:11 TxDropped:12 EndpointID: InstanceID:}] <nil>"},
		{"cut off", head + "  eth0: 1 2 3\n", "map[] read the statistics of interface eth0: 3 fields"},
		{"no number", head + "  eth0: x 2 3 4 5 6 7 8 9 10 11 12\n", `map[] read the statistics of interface eth0: strconv.ParseUint: parsing "x": invalid syntax`},
	} {
		got, err := readInterfaces(strings.NewReader(c.text))
		if text := fmt.Sprintf("%+v %v", got, err); text != c.want {
			t.Errorf("%s: %s, want %s", c.name, text, c.want)
		}
	}
}
