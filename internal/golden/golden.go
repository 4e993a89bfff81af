// Package golden runs tests that are written as text: a txtar file holds a case's inputs as named sections and what is wanted of them in
// the section "want". Running a package's tests with -update rewrites the wants, so that a review reads changed behaviour as a diff.
package golden

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// want is the name of the section that holds the expected output.
const want = "want"

var update = flag.Bool("update", false, "rewrite the want sections of golden files")

// Run calls f once for every file that matches glob, as a subtest with the file's name, and compares what f returns with the section
// "want". in holds every other section by its name, and the text above the first section by the name "". An output is compared with its
// last newline added where it has none, as txtar cannot hold a section without. A glob that matches no file fails the test.
func Run(t *testing.T, glob string, f func(t *testing.T, in map[string]string) string) {
	t.Helper()
	files, err := filepath.Glob(glob)
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files match %s (%v)", glob, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			c, err := read(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.settle(f(t, c.inputs()), *update); err != nil {
				t.Error(err)
			}
		})
	}
}

// golden is one file of a test.
type golden struct {
	file    string
	archive *txtar.Archive
}

func read(file string) (*golden, error) {
	a, err := txtar.ParseFile(file)
	if err != nil {
		return nil, fmt.Errorf("read golden file: %w", err)
	}
	seen := map[string]bool{}
	for _, s := range a.Files {
		if seen[s.Name] {
			return nil, fmt.Errorf("read golden file %s: section %q stands there twice", file, s.Name)
		}
		seen[s.Name] = true
	}
	return &golden{file: file, archive: a}, nil
}

// inputs are all sections but the want.
func (g *golden) inputs() map[string]string {
	in := map[string]string{"": string(g.archive.Comment)}
	for _, s := range g.archive.Files {
		if s.Name != want {
			in[s.Name] = string(s.Data)
		}
	}
	return in
}

// settle compares got with the want, or makes it the want. A file that is right is not touched.
func (g *golden) settle(got string, rewrite bool) error {
	if got != "" && !strings.HasSuffix(got, "\n") {
		got += "\n"
	}
	section := g.want()
	if section != nil && string(section.Data) == got {
		return nil
	}
	if !rewrite {
		var wanted []byte
		if section != nil {
			wanted = section.Data
		}
		return fmt.Errorf("%s differs (-want +got; rewrite with -update):\n%s", g.file, lines(string(wanted), got))
	}
	if section == nil {
		g.archive.Files = append(g.archive.Files, txtar.File{Name: want})
		section = g.want()
	}
	section.Data = []byte(got)
	return g.write()
}

func (g *golden) want() *txtar.File {
	for i := range g.archive.Files {
		if g.archive.Files[i].Name == want {
			return &g.archive.Files[i]
		}
	}
	return nil
}

// write stores the archive, unless it would read back as something else: an output that looks like a section's head does.
func (g *golden) write() error {
	text := txtar.Format(g.archive)
	if back := txtar.Format(txtar.Parse(text)); !bytes.Equal(text, back) || len(txtar.Parse(text).Files) != len(g.archive.Files) {
		return fmt.Errorf("write golden file %s: the output contains a line that txtar takes for a section", g.file)
	}
	if err := os.WriteFile(g.file, text, 0o644); err != nil {
		return fmt.Errorf("write golden file: %w", err)
	}
	return nil
}
