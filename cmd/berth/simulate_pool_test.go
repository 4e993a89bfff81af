package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"berth/internal/provider"
	"berth/internal/provider/providertest"
)

// The provider's command does what its environment says.
func TestAskPool(t *testing.T) {
	p, env := &providertest.Memory{}, map[string]string{
		"BERTH_MEMBER_ID": "m-1", "BERTH_ZONE": "a", "BERTH_ARCHITECTURE": "arm64", "BERTH_CPU": "1024", "BERTH_MEMORY": "2048", "BERTH_TOKEN": "secret",
	}
	do := func(verb string) (string, error) {
		var out strings.Builder
		err := askPool(t.Context(), p, verb, func(name string) string { return env[name] }, &out)
		return out.String(), err
	}
	if _, err := do("launch"); err != nil {
		t.Fatal(err)
	}
	want := provider.Order{ID: "m-1", Zone: "a", Architecture: "arm64", CPUUnits: 1024, MemoryMiB: 2048, Token: "secret"}
	if o, _ := p.Order("m-1"); o != want {
		t.Errorf("%+v", o)
	}
	if out, err := do("list"); err != nil || out != "m-1\n" {
		t.Errorf("%q %v", out, err)
	}
	if _, err := do("terminate"); err != nil {
		t.Error(err)
	}
	if out, err := do("list"); err != nil || out != "" {
		t.Errorf("%q %v", out, err)
	}
	if _, err := do("grow"); err == nil || !strings.Contains(err.Error(), `"grow" is none of`) {
		t.Error(err)
	}
	env["BERTH_CPU"] = "much"
	if _, err := do("launch"); err == nil || !strings.Contains(err.Error(), `BERTH_CPU is "much"`) {
		t.Error(err)
	}
}

// A socket that is left over is replaced; one that is served, and what is no socket, stay.
func TestListenOn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pool.sock")
	l, err := listenOn(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := listenOn(path); err == nil || !strings.Contains(err.Error(), "another process serves") {
		t.Error(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	l.Close() //nolint:errcheck // it is left over
	l, err = listenOn(path)
	if err != nil {
		t.Fatal(err)
	}
	if i, err := os.Stat(path); err != nil || i.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", i, err)
	}
	l.Close() //nolint:errcheck // it was listened on
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := listenOn(path); err == nil || !strings.Contains(err.Error(), "no socket") {
		t.Error(err)
	}
}
