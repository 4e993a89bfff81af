package golden

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRun(t *testing.T) {
	Run(t, "testdata/upper/*.txtar", func(t *testing.T, in map[string]string) string {
		if _, ok := in["want"]; ok {
			t.Error("the want is among the inputs")
		}
		return strings.ToUpper(in[""] + in["words"])
	})
}

func TestSettle(t *testing.T) {
	tests := []struct {
		name, file, got string
		rewrite         bool
		after           string // what the file must then hold
		err             string
	}{
		{name: "same", file: "-- want --\na\n", got: "a\n", after: "-- want --\na\n"},
		{name: "same without last newline", file: "-- want --\na\n", got: "a", after: "-- want --\na\n"},
		{name: "nothing wanted", file: "-- in --\n-- want --\n", got: "", after: "-- in --\n-- want --\n"},
		{name: "other", file: "-- want --\na\nb\n", got: "a\nc\n", after: "-- want --\na\nb\n", err: "  a\n- b\n+ c\n"},
		{name: "no want", file: "-- in --\nx\n", got: "y\n", after: "-- in --\nx\n", err: "+ y\n"},
		{name: "no want and nothing got", file: "-- in --\nx\n", got: "", after: "-- in --\nx\n", err: "differs"},
		{name: "rewritten", file: "why\n-- want --\na\n-- in --\nx\n", got: "b", rewrite: true, after: "why\n-- want --\nb\n-- in --\nx\n"},
		{name: "added", file: "-- in --\nx\n", got: "y", rewrite: true, after: "-- in --\nx\n-- want --\ny\n"},
		{name: "a section in the output", file: "-- want --\na\n", got: "-- b --\n", rewrite: true, after: "-- want --\na\n", err: "section"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "case.txtar")
			if err := os.WriteFile(file, []byte(test.file), 0o600); err != nil {
				t.Fatal(err)
			}
			g, err := read(file)
			if err != nil {
				t.Fatal(err)
			}
			err = g.settle(test.got, test.rewrite)
			if (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
				t.Errorf("error %v, want %q", err, test.err)
			}
			after, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.after, string(after)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestReadRefusesTwins(t *testing.T) {
	file := filepath.Join(t.TempDir(), "case.txtar")
	if err := os.WriteFile(file, []byte("-- a --\n-- a --\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := read(file); err == nil {
		t.Error("two sections of one name were accepted")
	}
}

func TestLines(t *testing.T) {
	got := lines("a\nb\nc\nd\n", "b\nx\nc\ne\n")
	if diff := cmp.Diff("- a\n  b\n+ x\n  c\n- d\n+ e\n", got); diff != "" {
		t.Error(diff)
	}
}
