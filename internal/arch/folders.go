package arch

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// The largest files, in lines. Over that, a file is more than one thing.
const (
	maxLines     = 400
	maxTestLines = 600
)

// Sizes finds files that are too long. tables are the paths of files that hold nothing but data.
func Sizes(t Tree, tables []string) (wrong []string) {
	for _, f := range t.Files {
		limit := maxLines
		if f.Test {
			limit = maxTestLines
		}
		if f.Lines > limit && !slices.Contains(tables, f.Path) {
			wrong = append(wrong, fmt.Sprintf("%s: has %d lines, over %d; is it one thing?", f.Path, f.Lines, limit))
		}
	}
	return wrong
}

// vague are names that say nothing of what a package is.
var vague = []string{"util", "utils", "common", "helper", "helpers", "base", "types", "manager", "misc", "shared"}

// Sentences finds packages that are not introduced exactly once, and packages with names that say nothing. The sentence stands in one
// file above the package clause: "Package arn ..." or, of a program, "Command berth ...". Only a package without other files may have
// it in a test file.
func Sentences(t Tree) (wrong []string) {
	names, files := t.Folders()
	for _, folder := range names {
		code := slices.DeleteFunc(slices.Clone(files[folder]), func(f File) bool { return f.Test })
		if len(code) == 0 {
			code = files[folder]
		}
		var with []string
		for _, f := range code {
			if f.Syntax.Doc != nil {
				with = append(with, f.Path)
				wrong = append(wrong, f.introduction()...)
			}
		}
		switch {
		case len(with) == 0:
			wrong = append(wrong, fmt.Sprintf("%s: no file has the package's sentence", folder))
		case len(with) > 1:
			wrong = append(wrong, fmt.Sprintf("%s: the package's sentence stands in %s", folder, strings.Join(with, " and ")))
		}
		if name := code[0].Syntax.Name.Name; slices.Contains(vague, name) {
			wrong = append(wrong, fmt.Sprintf("%s: package %s: name the idea", folder, name))
		}
	}
	return wrong
}

// introduction checks how a package's sentence begins and ends.
func (f File) introduction() []string {
	text, name := strings.TrimSpace(f.Syntax.Doc.Text()), f.Syntax.Name.Name
	begin := "Package " + strings.TrimSuffix(name, "_test") + " "
	if name == "main" {
		begin = "Command " + path.Base(f.Folder) + " "
	}
	if !strings.HasPrefix(text, begin) || !strings.Contains(text, ".") && !strings.Contains(text, ":") {
		return []string{fmt.Sprintf("%s: the package's sentence must begin with %q and be one", f.Path, begin)}
	}
	return nil
}
