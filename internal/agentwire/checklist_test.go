package agentwire

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestChecklist keeps the page and the tests in step: each line of it has a test or is open, each test that it names exists, and it names all.
func TestChecklist(t *testing.T) {
	page, err := os.ReadFile("../../docs/checklists/agent-protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	missing := tests(t)
	known := map[string]bool{}
	for name := range missing {
		known[name] = true
	}
	row, quoted := regexp.MustCompile(`^\| (\d+\.\d+) \| (.*) \| (.*) \|$`), regexp.MustCompile("`([A-Z][A-Za-z0-9]+)`")
	numbers := map[string]bool{}
	for line := range strings.Lines(string(page)) {
		m := row.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil {
			continue
		}
		if numbers[m[1]] {
			t.Errorf("%s is there twice", m[1])
		}
		numbers[m[1]] = true
		names := quoted.FindAllStringSubmatch(m[3], -1)
		if len(names) == 0 && !strings.Contains(m[3], "open") && !strings.Contains(m[3], "every ") {
			t.Errorf("%s: held by nothing, and not open: %s", m[1], m[3])
		}
		for _, n := range names {
			if !known[n[1]] {
				t.Errorf("%s: there is no test %s", m[1], n[1])
			}
			delete(missing, n[1])
		}
	}
	for name := range missing {
		t.Errorf("the page does not name %s", name)
	}
}

// tests are the names of the suite and of the tests that stand alone.
func tests(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	for _, x := range suite() {
		if names[x.name] {
			t.Errorf("%s is in the suite twice", x.name)
		}
		names[x.name] = true
	}
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		syntax, err := parser.ParseFile(token.NewFileSet(), f, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range syntax.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && strings.HasPrefix(f.Name.Name, "Test") {
				names[f.Name.Name] = true
			}
		}
	}
	for _, frame := range []string{"TestPlane", "TestProcess", "TestChecklist"} { // they hold the suite
		delete(names, frame)
	}
	return names
}
