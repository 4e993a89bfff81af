package secret

import (
	"strings"
	"testing"

	"berth/internal/arn"
)

var here = arn.Scope{Region: "eu-west-1", Account: "123456789012"}

func TestSecretName(t *testing.T) {
	const mine = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:"
	for id, want := range map[string]string{
		"db": "db", "a/b-AbCdEf": "a/b-AbCdEf", mine + "db": "db", mine + "db-AbCdEf": "db-AbCdEf", mine: "", "": "",
		"arn:aws:secretsmanager:eu-west-1:210987654321:secret:db": "", "arn:aws:secretsmanager:eu-west-2:123456789012:secret:db": "",
		"arn:aws:ssm:eu-west-1:123456789012:secret:db": "", "arn:": "",
	} {
		if got, ok := SecretName(here, id); ok != (want != "") || ok && got != want {
			t.Errorf("%s: %q %v, not %q", id, got, ok, want)
		}
	}
}

func TestParseParameter(t *testing.T) {
	const mine = "arn:aws:ssm:eu-west-1:123456789012:parameter/"
	for text, want := range map[string]ParameterRef{
		"a": {Name: "a", ARN: mine + "a"}, "/a/b": {Name: "/a/b", ARN: mine + "a/b"}, "/a:3": {Name: "/a", ARN: mine + "a", Selector: ":3"},
		"a:live": {Name: "a", ARN: mine + "a", Selector: ":live"}, mine + "a/b": {ARN: mine + "a/b"}, mine + "a:3": {ARN: mine + "a", Selector: ":3"},
		"": {}, "/": {}, ":3": {}, "a:": {}, mine: {}, mine + ":3": {}, mine + "a:": {}, "arn:aws:ssm:eu-west-1:210987654321:parameter/a": {},
		"arn:aws:ssm:eu-west-1:123456789012:document/a": {},
	} {
		if got, ok := ParseParameter(here, text); ok != (want != ParameterRef{}) || ok && got != want {
			t.Errorf("%q: %+v %v, not %+v", text, got, ok, want)
		}
	}
	p := &Parameter{Name: "/a", Arn: mine + "a"}
	for text, want := range map[string]bool{"/a": true, "a": false, mine + "a": true, "/a:1": true, "/b": false} {
		if ref, _ := ParseParameter(here, text); ref.Is(p) != want {
			t.Errorf("%s is /a: %v", text, !want)
		}
	}
	for text, want := range map[string]struct {
		version int64
		label   string
	}{"a": {}, "a:0": {}, "a:7": {version: 7}, "a:x7": {label: "x7"}, "a:-1": {label: "-1"}, "a:1:2": {label: "1:2"}, "a:99999999999999999999": {}} {
		if ref, _ := ParseParameter(here, text); ref.Version() != want.version || ref.Label() != want.label {
			t.Errorf("%s: version %d, label %q", text, ref.Version(), ref.Label())
		}
	}
}

func TestIsKey(t *testing.T) {
	const id = "1234abcd-12ab-34cd-56ef-1234567890ab"
	for text, want := range map[string]bool{
		"alias/aws/ssm": true, "alias/aws/secretsmanager": false, "alias/mine": false, id: false, "": false,
		"arn:aws:kms:us-east-1:123456789012:key/" + id: true, "arn:aws-cn:kms:cn-north-1:123456789012:key/" + id: true,
		"arn:aws:kms:us-east-1:123456789012:key/mrk-" + strings.Repeat("0", 32): true, "arn:aws:kms:us-east-1:123456789012:alias/mine": false,
		"arn:aws:kms:us-east-1:1:key/" + id: false, "arn:aws:kms:us-east-1:123456789012:key/" + id + "\n": false,
	} {
		if IsKey("ssm", text) != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
}

// What is read is found again by what was read of it, and a name in an ARN is never another resource's.
func FuzzNames(f *testing.F) {
	for _, seed := range []string{"a", "/a/b:3", "arn:aws:ssm:eu-west-1:123456789012:parameter/a:x", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf", "arn:", ":", "a:b:c"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if ref, ok := ParseParameter(here, text); ok {
			again, ok := ParseParameter(here, ref.ARN+ref.Selector)
			if !ok || again.ARN != ref.ARN || again.Selector != ref.Selector || !strings.HasPrefix(ref.ARN, ParametersIn(here)) {
				t.Errorf("%q: %+v, then %+v %v", text, ref, again, ok)
			}
			if ref.Version() != 0 && ref.Label() != "" {
				t.Errorf("%q is a version and a label", text)
			}
		}
		if name, ok := SecretName(here, text); ok && !arn.Is(name) {
			if again, ok := SecretName(here, SecretsIn(here)+name); !ok || again != name {
				t.Errorf("%q: %q, then %q %v", text, name, again, ok)
			}
		}
	})
}
