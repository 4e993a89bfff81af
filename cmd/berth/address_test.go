package main

import (
	"net"
	"strings"
	"testing"
)

func TestCheckAddress(t *testing.T) {
	for address, want := range map[string]string{
		"127.0.0.1:3270": "", ":3270": "", "[::1]:65535": "", "localhost:1": "",
		"foo": "not HOST:PORT", "127.0.0.1": "not HOST:PORT", "": "not HOST:PORT",
		"127.0.0.1:0": "1 to 65535", "127.0.0.1:99999": "1 to 65535", "127.0.0.1:http": "1 to 65535", "127.0.0.1:": "1 to 65535",
	} {
		err := checkAddress("listen", address)
		if (err == nil) != (want == "") || err != nil && (!strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "--listen")) {
			t.Errorf("%q: %v, want %q", address, err, want)
		}
	}
}

func TestCheckFree(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	held := l.Addr().String()
	if err := checkFree("listen", held); err == nil || !strings.Contains(err.Error(), held+" is in use by another process") || !strings.Contains(err.Error(), "--listen") {
		t.Errorf("%v", err)
	}
	l.Close()
	if err := checkFree("listen", held); err != nil {
		t.Errorf("after it was given up: %v", err)
	}
	if err := checkFree("peer-listen", "192.0.2.1:3271"); err == nil || !strings.Contains(err.Error(), "--peer-listen") {
		t.Errorf("%v", err)
	}
}

// Replicas are given addresses that can be listened on; the peers' is the next port unless said.
func TestAddressesOfAReplica(t *testing.T) {
	for _, c := range []struct {
		o    serverOptions
		want string
	}{
		{serverOptions{listen: "127.0.0.1:99999"}, "--listen"},
		{serverOptions{listen: "127.0.0.1:3270", advertise: "here"}, "--advertise"},
		{serverOptions{listen: "127.0.0.1:3270", peerListen: "127.0.0.1:0"}, "--peer-listen"},
		{serverOptions{listen: "0.0.0.0:3270"}, "--advertise"},
		{serverOptions{listen: "127.0.0.1:3270"}, ""},
	} {
		err := c.o.addresses(true)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.o, err, c.want)
		}
		if err == nil && c.o.peerListen != "127.0.0.1:3271" {
			t.Errorf("peers at %s", c.o.peerListen)
		}
	}
}
