package arch

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"
)

// quoted is a path that a page of documentation names in backquotes. Only those below the tree's own folders are paths.
var quoted = regexp.MustCompile("`((?:internal|cmd|e2e|docs|scripts)/[A-Za-z0-9_./-]+)`")

// link is a link from one page to another, or to a file.
var link = regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)

// Pages finds files that the documentation names or links to and that do not exist. A path that ends in a slash names a folder.
func Pages(root fs.FS) (wrong []string, err error) {
	err = fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && name != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "node_modules") {
			return fs.SkipDir
		}
		if !strings.HasSuffix(name, ".md") {
			return nil
		}
		text, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		for _, m := range quoted.FindAllStringSubmatch(string(text), -1) {
			wrong = append(wrong, missing(root, name, path.Clean(m[1]))...)
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			wrong = append(wrong, missing(root, name, path.Join(path.Dir(name), m[1]))...)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the documentation: %w", err)
	}
	return wrong, nil
}

func missing(root fs.FS, page, target string) []string {
	if _, err := fs.Stat(root, target); err != nil {
		return []string{fmt.Sprintf("%s: names %s, which does not exist", page, target)}
	}
	return nil
}
