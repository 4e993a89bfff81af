package arch

import (
	"fmt"
	"go/ast"
	"slices"
	"strings"
)

// impure are the packages, with all below them, that reach a clock's wait, a disk, a network, a log or chance.
var impure = []string{"context", "crypto/rand", "io/ioutil", "log", "math/rand", "net", "os", "sync", "syscall", "unsafe"}

// harmless are packages below impure ones that only know forms.
var harmless = []string{"net/netip", "net/url", "net/textproto"}

// clock is what package time has besides values.
var clock = []string{"Now", "Since", "Until", "After", "AfterFunc", "NewTimer", "NewTicker", "Sleep", "Tick"}

// Purity finds what the pure floors must not do: read a clock, wait, start goroutines, reach the outside world or chance.
func (b Building) Purity(t Tree) (wrong []string) {
	for _, f := range t.Files {
		name, inside := strings.CutPrefix(f.Folder, "internal/")
		if n := b.floor(name); f.Test || !inside || n < 0 || n >= b.Pure {
			continue
		}
		for _, imp := range f.Imports() {
			if isImpure(imp) {
				wrong = append(wrong, fmt.Sprintf("%s: imports %s, but the package is pure", f.Path, imp))
			}
		}
		wrong = append(wrong, f.impurities()...)
	}
	return wrong
}

func isImpure(imp string) bool {
	return !slices.Contains(harmless, imp) && slices.ContainsFunc(impure, func(p string) bool {
		return imp == p || strings.HasPrefix(imp, p+"/")
	})
}

func (f File) impurities() (wrong []string) {
	ast.Inspect(f.Syntax, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			wrong = append(wrong, fmt.Sprintf("%s: starts a goroutine, but the package is pure", f.at(n)))
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && x.Name == "time" && slices.Contains(clock, n.Sel.Name) {
				wrong = append(wrong, fmt.Sprintf("%s: calls time.%s, but the package is pure; pass the time in", f.at(n), n.Sel.Name))
			}
		}
		return true
	})
	return wrong
}
