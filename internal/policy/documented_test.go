package policy

import (
	"fmt"
	"strings"
	"testing"

	"berth/internal/golden"
)

// TestDocumented decides requests by policies that are written as users write them, after the examples of the IAM User Guide. Section
// requests has one a line: an action, a resource, and condition keys with their values (a=1,2); - before the action is another caller: that of
// section other. A caller is a kind, an ARN, and tags.
func TestDocumented(t *testing.T) {
	golden.Run(t, "testdata/documented/*.txtar", func(t *testing.T, in map[string]string) string {
		read := func(section string, use Use) *Set {
			if in[section] == "" {
				return nil
			}
			d, err := Parse(in[section], use)
			if err != nil {
				t.Fatalf("%s: %v", section, err)
			}
			return Compile(Source{Name: section, Document: d})
		}
		g := &Grants{Identity: read("identity", Managed), Boundary: read("boundary", Managed)}
		if s := read("session", Session); s != nil {
			g.Session = []*Set{s}
		}
		r := Request{ResourcePolicy: read("resource", Resource)}
		if s := read("trust", Trust); s != nil {
			r.ResourcePolicy, r.Trust = s, true
		}
		var out strings.Builder
		for line := range strings.Lines(in["requests"]) {
			line, isOther := strings.CutPrefix(line, "- ")
			r.Principal = callerOf(in["caller"])
			if isOther {
				r.Principal = callerOf(in["other"])
			}
			r.Principal.Grants = g
			fields := strings.Fields(line)
			r.Action, r.Resource = fields[0], fields[1]
			keys := Keys{}
			for _, f := range fields[2:] {
				key, values, _ := strings.Cut(f, "=")
				keys = append(keys, Key{lowered(key), strings.Split(values, ",")})
			}
			r.Context = keys
			if isOther {
				out.WriteString("- ")
			}
			fmt.Fprintf(&out, "%s%s\n", line, answer(r))
		}
		return out.String()
	})
}

func callerOf(line string) *Principal {
	fields := append(strings.Fields(line), "", "")
	p := &Principal{ARN: fields[1], Account: splitARN(fields[1])[4], UserID: "ID"}
	switch fields[0] {
	case "", "user":
	case "session":
		name := strings.Split(fields[1], "/")[1]
		p.Kind, p.Role, p.UserID = RoleSession, "arn:aws:iam::"+p.Account+":role/"+name, "AROA:x"
	case "service":
		p.Kind = Service
	}
	for _, f := range fields[2:] {
		if key, value, ok := strings.Cut(f, "="); ok {
			if p.Tags == nil {
				p.Tags = map[string]string{}
			}
			p.Tags[key] = value
		}
	}
	return p
}

func answer(r Request) string {
	v := Decide(r)
	if v.Decision == Allowed {
		return strings.TrimRight(fmt.Sprintf("  allowed by %s: statement %d %s", v.By, v.Statement, v.Sid), " ")
	}
	sentence := v.Text("X", r.Action, r.Resource)
	return "  denied " + sentence[strings.LastIndex(sentence, r.Resource)+len(r.Resource)+1:]
}
