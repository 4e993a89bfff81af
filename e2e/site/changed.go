package site

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Change is one in the source that a test's berth is built of.
type Change struct {
	File string // from the module's root on, or absolute
	Old  string // what stands there once; "" for a file that is not there
	New  string
}

// BuildChanged makes a berth of this tree with changes, of which nothing stays.
func BuildChanged(t testing.TB, name string, changes []Change) string {
	t.Helper()
	root := filepath.Dir(output(t, "go", "env", "GOMOD"))
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	dir := t.TempDir()
	for i, c := range changes {
		file := c.File
		if !filepath.IsAbs(file) {
			file = filepath.Join(root, file)
		}
		text := c.New
		if c.Old != "" {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Count(string(b), c.Old) != 1 {
				t.Fatalf("%s: does not have once what this test changes: %q", file, c.Old)
			}
			text = strings.Replace(string(b), c.Old, c.New, 1)
		}
		overlay.Replace[file] = filepath.Join(dir, strconv.Itoa(i)+".go")
		if err := os.WriteFile(overlay.Replace[file], []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b, err := json.Marshal(overlay)
	list := filepath.Join(dir, "overlay.json")
	if err == nil {
		err = os.WriteFile(list, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return must(t, func() (string, error) { return program(name, "berth/cmd/berth", "-overlay", list) })
}

func output(t testing.TB, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).Output()
	if err != nil {
		t.Fatalf("%s %s: %v", name, strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out))
}
