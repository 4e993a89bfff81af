package machine

import (
	"net"
	"os"
	"strings"
	"testing"
)

func TestNeighboursFindsAListener(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	got, err := Neighbours("/proc", port)
	if err != nil || len(got) != 1 || got[0].PID != os.Getpid() || !strings.Contains(got[0].Name, ".test") {
		t.Fatalf("found %v, %v; want this process", got, err)
	}
	l.Close()
	if got, err := Neighbours("/proc", port); err != nil || len(got) != 0 {
		t.Errorf("found %v, %v after it closed", got, err)
	}
}
