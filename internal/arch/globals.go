package arch

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
)

// Globals finds package-level state: variables that anything assigns, increments, takes the address of or writes into, variables without
// a value, variables that are made to be changed (mutexes, channels, maps from make), and functions named init. Tables, sentinel errors,
// compiled expressions and interface guards remain: they are set once. Test files are free.
func Globals(t Tree) (wrong []string) {
	names, files := t.Folders()
	for _, folder := range names {
		globals := map[string]*ast.ValueSpec{}
		code := slices.DeleteFunc(files[folder], func(f File) bool { return f.Test })
		for _, f := range code {
			wrong = append(wrong, f.declared(globals)...)
		}
		for _, f := range code {
			wrong = append(wrong, f.changes(globals)...)
		}
	}
	return wrong
}

// declared collects a file's package-level variables, and complains of those that can only be state.
func (f File) declared(globals map[string]*ast.ValueSpec) (wrong []string) {
	for _, d := range f.Syntax.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil && d.Name.Name == "init" {
				wrong = append(wrong, fmt.Sprintf("%s: func init: construct it where it is used", f.at(d)))
			}
		case *ast.GenDecl:
			if d.Tok != token.VAR {
				continue
			}
			for _, s := range d.Specs {
				spec := s.(*ast.ValueSpec)
				if why := stateful(spec, isEmbed(spec.Doc) || isEmbed(d.Doc)); why != "" {
					wrong = append(wrong, fmt.Sprintf("%s: package-level variable %s %s", f.at(spec), spec.Names[0].Name, why))
				}
				for _, n := range spec.Names {
					if n.Name != "_" {
						globals[n.Name] = spec
					}
				}
			}
		}
	}
	return wrong
}

// stateful says why a declaration can only be meant to change, or "".
func stateful(spec *ast.ValueSpec, embedded bool) string {
	if spec.Names[0].Name == "_" || embedded {
		return ""
	}
	if len(spec.Values) == 0 {
		return "has no value, so something sets it later"
	}
	for _, v := range spec.Values {
		if lit, ok := v.(*ast.CompositeLit); ok && isLock(lit.Type) {
			return "is made to be changed"
		}
		call, ok := v.(*ast.CallExpr)
		if !ok {
			continue
		}
		if fun, ok := call.Fun.(*ast.Ident); ok && (fun.Name == "make" || fun.Name == "new") {
			return "is made to be changed"
		}
	}
	return ""
}

// isLock tells types of sync and sync/atomic. A sync.Pool holds nothing that can be seen.
func isLock(typ ast.Expr) bool {
	sel, ok := typ.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	x, ok := sel.X.(*ast.Ident)
	return ok && (x.Name == "sync" && sel.Sel.Name != "Pool" || x.Name == "atomic")
}

func isEmbed(doc *ast.CommentGroup) bool {
	return doc != nil && slices.ContainsFunc(doc.List, func(c *ast.Comment) bool {
		return len(c.Text) > 10 && c.Text[:10] == "//go:embed"
	})
}

// changes finds where a file's functions change the globals.
func (f File) changes(globals map[string]*ast.ValueSpec) (wrong []string) {
	global := func(e ast.Expr) *ast.Ident {
		id := base(e)
		if id == nil || globals[id.Name] == nil || id.Obj != nil && id.Obj.Decl != globals[id.Name] {
			return nil // nothing of ours, or a local variable of the same name
		}
		return id
	}
	found := func(e ast.Expr, how string) {
		if id := global(e); id != nil {
			wrong = append(wrong, fmt.Sprintf("%s: package-level variable %s is %s", f.at(e), id.Name, how))
		}
	}
	ast.Inspect(f.Syntax, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for _, e := range n.Lhs {
				if n.Tok != token.DEFINE {
					found(e, "assigned")
				}
			}
		case *ast.RangeStmt:
			if n.Tok == token.ASSIGN {
				found(n.Key, "assigned")
				found(n.Value, "assigned")
			}
		case *ast.IncDecStmt:
			found(n.X, "assigned")
		case *ast.UnaryExpr:
			if n.Op == token.AND {
				found(n.X, "reached by its address")
			}
		case *ast.CallExpr:
			fun, ok := n.Fun.(*ast.Ident)
			if ok && len(n.Args) > 0 && slices.Contains([]string{"delete", "clear", "copy"}, fun.Name) {
				found(n.Args[0], "written into")
			}
		}
		return true
	})
	return wrong
}

// base is the variable that an expression such as v, v.f, v[i], *v or (v) begins with.
func base(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.SliceExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return nil
		}
	}
}
