package machine

import (
	"os"
	"strings"
	"testing"

	"berth/internal/agent"
)

var _ agent.Routers = Routers{}

func TestRouters(t *testing.T) {
	r := Routers{Dir: t.TempDir()}
	for _, config := range []string{"one", "two"} { // again after an attempt that was cut off
		if err := r.Prepare("t", []byte(config)); err != nil {
			t.Fatal(err)
		}
		f := r.Files("t")
		if got, err := os.ReadFile(f.Config); err != nil || string(got) != config {
			t.Errorf("configuration %q, %v", got, err)
		}
		if st, err := os.Stat(f.Socket); err != nil || st.Mode().Perm() != 0o777 {
			t.Errorf("directory of the socket: %v, %v", st, err)
		}
	}
	for range 2 { // none is no error
		if err := r.Remove("t"); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(r.Files("t").Config); err == nil {
		t.Error("the files are still there")
	}
	if err := (Routers{Dir: r.Dir + "/" + strings.Repeat("x", 100)}).Prepare("t", nil); err == nil || !strings.Contains(err.Error(), "at most 107") {
		t.Errorf("a path that no socket can have: %v", err)
	}
}
