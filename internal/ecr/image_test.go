package ecr

import (
	"strings"
	"testing"
)

func TestParseImage(t *testing.T) {
	const digest = "@sha256:0123456789012345678901234567890123456789012345678901234567890123"
	for text, want := range map[string]string{
		"127.0.0.1:3270/123456789012/us-east-1/app":                    "127.0.0.1:3270 123456789012 us-east-1 app",
		"127.0.0.1:3270/123456789012/us-east-1/team/app:v1":            "127.0.0.1:3270 123456789012 us-east-1 team/app",
		"localhost/123456789012/eu-central-1/team/app:v1" + digest:     "localhost 123456789012 eu-central-1 team/app",
		"berth.example/123456789012/us-gov-west-1/team/a/b" + digest:   "berth.example 123456789012 us-gov-west-1 team/a/b",
		"[::1]:3270/123456789012/us-east-1/app":                        "[::1]:3270 123456789012 us-east-1 app",
		"":                                                             "",
		"app":                                                          "",
		"team/123456789012/us-east-1/app":                              "", // of Docker's own registry
		"127.0.0.1:3270/us-east-1/app":                                 "",
		"127.0.0.1:3270/12345678901/us-east-1/app":                     "",
		"127.0.0.1:3270/123456789012/stable/app":                       "",
		"127.0.0.1:3270/123456789012/us-east-1/App":                    "",
		"127.0.0.1:3270/123456789012/us-east-1/":                       "",
		"123456789012.dkr.ecr.us-east-1.amazonaws.com/team/app:latest": "",
	} {
		got := ""
		if i, ok := ParseImage(text); ok {
			got = strings.Join([]string{i.Host, i.Scope.Account, i.Scope.Region, i.Name}, " ")
		}
		if got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

// FuzzParseImage: what is read is what is written.
func FuzzParseImage(f *testing.F) {
	for _, s := range []string{"127.0.0.1:3270/123456789012/us-east-1/team/app:v1", "a.b/123456789012/us-east-1/a@sha256:0", "/", "///", ":/:/:/:"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if i, ok := ParseImage(s); ok && !strings.HasPrefix(s, i.Host+"/"+i.Scope.Account+"/"+i.Scope.Region+"/"+i.Name) {
			t.Errorf("%q is %+v", s, i)
		}
	})
}
