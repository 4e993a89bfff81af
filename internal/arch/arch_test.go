package arch

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"berth/internal/golden"
)

// root is the module's root, seen from this package.
const root = "../.."

// tables are files of nothing but data, which may be long.
func tables() []string { return nil }

// TestTree holds the whole module to the rules.
func TestTree(t *testing.T) {
	tree, err := Read(os.DirFS(root))
	if err != nil {
		t.Fatal(err)
	}
	pages, err := Pages(os.DirFS(root))
	if err != nil {
		t.Fatal(err)
	}
	b := Berth()
	rules := []struct {
		name  string
		wrong []string
	}{
		{"floors", b.Imports(tree)},
		{"purity", b.Purity(tree)},
		{"globals", Globals(tree)},
		{"sentences", Sentences(tree)},
		{"sizes", Sizes(tree, tables())},
		{"dependencies", Dependencies(tree, read(t, "go.mod"), read(t, "docs/dependencies.md"))},
		{"pages", pages},
	}
	for _, rule := range rules {
		t.Run(rule.name, func(t *testing.T) {
			for _, w := range rule.wrong {
				t.Error(w)
			}
		})
	}
}

// TestRules shows for small trees what each rule finds in them. The comment above a tree names its rule.
func TestRules(t *testing.T) {
	golden.Run(t, "testdata/*.txtar", func(t *testing.T, in map[string]string) string {
		files := fstest.MapFS{}
		for name, text := range in {
			if name != "" {
				files[name] = &fstest.MapFile{Data: []byte(text)}
			}
		}
		tree, err := Read(files)
		if err != nil {
			t.Fatal(err)
		}
		b := Building{Floors: [][]string{{"ground"}, {"first", "beside"}, {"top"}}, Tools: []string{"golden"}, Pure: 2}
		rule, _, _ := strings.Cut(in[""], ":")
		wrong, err := map[string]func() ([]string, error){
			"floors":       func() ([]string, error) { return b.Imports(tree), nil },
			"purity":       func() ([]string, error) { return b.Purity(tree), nil },
			"globals":      func() ([]string, error) { return Globals(tree), nil },
			"sentences":    func() ([]string, error) { return Sentences(tree), nil },
			"dependencies": func() ([]string, error) { return Dependencies(tree, in["go.mod"], in["docs/dependencies.md"]), nil },
			"pages":        func() ([]string, error) { return Pages(files) },
		}[rule]()
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(wrong, "\n")
	})
}

func TestSizes(t *testing.T) {
	long := "package a\n" + strings.Repeat("\n", maxLines)
	tree, err := Read(fstest.MapFS{
		"a/long.go":      {Data: []byte(long)},
		"a/table.go":     {Data: []byte(long)},
		"a/just.go":      {Data: []byte(long[:len(long)-1])},
		"a/long_test.go": {Data: []byte(long)},
	})
	if err != nil {
		t.Fatal(err)
	}
	wrong := Sizes(tree, []string{"a/table.go"})
	if len(wrong) != 1 || !strings.HasPrefix(wrong[0], "a/long.go: has 401 lines") {
		t.Errorf("found %q", wrong)
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(root + "/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
