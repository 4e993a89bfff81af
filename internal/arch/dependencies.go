package arch

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// requirement is a line of go.mod's require blocks; reason is a line of the page of dependencies: "- `module`: why".
var (
	requirement = regexp.MustCompile(`(?m)^(?:require)?\s+(\S+\.\S+/\S+|\S+\.\S+) v\S+`)
	toolLine    = regexp.MustCompile(`(?m)^tool\s+(\S+)`)
	reason      = regexp.MustCompile("(?m)^- `([^`]+)`: .{10,}")
)

// Dependencies compares what the code imports, and the tools of go.mod, with the page that gives each module's reason: both ways.
func Dependencies(t Tree, goMod, page string) (wrong []string) {
	var modules []string
	for _, m := range requirement.FindAllStringSubmatch(goMod, -1) {
		modules = append(modules, m[1])
	}
	used := map[string]string{} // module -> who uses it
	for _, f := range t.Files {
		for _, imp := range f.Imports() {
			if m := moduleOf(modules, imp); m != "" && used[m] == "" {
				used[m] = f.Path
			}
		}
	}
	for _, m := range toolLine.FindAllStringSubmatch(goMod, -1) {
		used[moduleOf(modules, m[1])] = "go.mod's tool line"
	}
	listed := map[string]bool{}
	for _, m := range reason.FindAllStringSubmatch(page, -1) {
		listed[m[1]] = true
		if used[m[1]] == "" {
			wrong = append(wrong, fmt.Sprintf("%s: has a reason but is not used", m[1]))
		}
	}
	for m, by := range used {
		if !listed[m] {
			wrong = append(wrong, fmt.Sprintf("%s: has no reason, and is used by %s", m, by))
		}
	}
	slices.Sort(wrong)
	return wrong
}

// moduleOf is the module, of those given, that a package belongs to: the longest that fits. "" is the standard library and ourselves.
func moduleOf(modules []string, imp string) (found string) {
	for _, m := range modules {
		if (imp == m || strings.HasPrefix(imp, m+"/")) && len(m) > len(found) {
			found = m
		}
	}
	return found
}
