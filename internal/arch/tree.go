// Package arch holds the rules of the house that a machine can check: which package may import which, what is pure, what may be global,
// how large a file may be, and that every dependency has a reason. Its tests hold the whole tree to them.
package arch

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// module is the module's path: a package's import path is this, a slash, and its folder.
const module = "berth"

// Tree is the module's Go code, parsed.
type Tree struct {
	Files []File // sorted by Path
}

// File is one Go file.
type File struct {
	Path   string // from the module's root, with slashes: "internal/arn/arn.go"
	Folder string // "internal/arn"
	Test   bool   // its name ends in _test.go
	Lines  int
	Syntax *ast.File
	fset   *token.FileSet
}

// Read parses every Go file below root, which is the module's. It walks instead of asking `go list`: so the test cache sees what was read.
// Folders named testdata and hidden ones are left out.
func Read(root fs.FS) (Tree, error) {
	var t Tree
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".")):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go"):
			return nil
		}
		f, err := parse(root, name)
		if err != nil {
			return err
		}
		t.Files = append(t.Files, f)
		return nil
	})
	if err != nil {
		return Tree{}, fmt.Errorf("read the tree: %w", err)
	}
	return t, nil
}

func parse(root fs.FS, name string) (File, error) {
	text, err := fs.ReadFile(root, name)
	if err != nil {
		return File{}, err
	}
	fset := token.NewFileSet()
	syntax, err := parser.ParseFile(fset, name, text, parser.ParseComments)
	if err != nil {
		return File{}, err
	}
	return File{
		Path: name, Folder: path.Dir(name), Test: strings.HasSuffix(name, "_test.go"),
		Lines: bytes.Count(text, []byte("\n")), Syntax: syntax, fset: fset,
	}, nil
}

// Folders are the packages' folders, sorted, with their files.
func (t Tree) Folders() (names []string, files map[string][]File) {
	files = map[string][]File{}
	for _, f := range t.Files {
		if files[f.Folder] == nil {
			names = append(names, f.Folder)
		}
		files[f.Folder] = append(files[f.Folder], f)
	}
	slices.Sort(names)
	return names, files
}

// Imports are the import paths of a file.
func (f File) Imports() []string {
	var out []string
	for _, i := range f.Syntax.Imports {
		if p, err := strconv.Unquote(i.Path.Value); err == nil {
			out = append(out, p)
		}
	}
	return out
}

// at is where a node stands: "internal/arn/arn.go:12".
func (f File) at(n ast.Node) string {
	return fmt.Sprintf("%s:%d", f.Path, f.fset.Position(n.Pos()).Line)
}
