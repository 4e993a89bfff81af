package secret

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"

	"berth/internal/arn"
)

// SuffixLength is how many random characters follow a secret's name and a hyphen in its ARN.
const SuffixLength = 6

// ARN is the ARN of a service's resource.
func ARN(s arn.Scope, service, resource string) string {
	return "arn:" + cmp.Or(s.Partition, "aws") + ":" + service + ":" + s.Region + ":" + s.Account + ":" + resource
}

// SecretsIn is what the ARNs of all secrets of an account and region begin with.
func SecretsIn(s arn.Scope) string { return ARN(s, "secretsmanager", "secret:") }

// ParametersIn is what the ARNs of all parameters of an account and region begin with.
func ParametersIn(s arn.Scope) string { return ARN(s, "ssm", "parameter/") }

// ParameterARN is the ARN of a parameter: a name that is no path has its slash there.
func ParameterARN(s arn.Scope, name string) string {
	return ParametersIn(s) + strings.TrimPrefix(name, "/")
}

// SecretName is the secret that a SecretId names in a scope. Of an ARN it is what follows "secret:", the suffix included where there is one. false says
// that the id is an ARN of something else, or of another account or region.
func SecretName(s arn.Scope, id string) (name string, ok bool) {
	if !arn.Is(id) {
		return id, id != ""
	}
	name, ok = strings.CutPrefix(id, SecretsIn(s))
	return name, ok && name != ""
}

// ParameterRef is a parameter as a request names it, and which version.
type ParameterRef struct {
	Name     string // "" where ARN is
	ARN      string // without a selector
	Selector string // ":3" or ":label", as it was written; "" for the newest
}

// ParseParameter reads a parameter's name or ARN, with a version or a label behind a colon. Of an ARN it fails unless it is one of a parameter in the scope.
func ParseParameter(s arn.Scope, text string) (ref ParameterRef, ok bool) {
	if arn.Is(text) {
		name, in := strings.CutPrefix(text, ParametersIn(s))
		if !in {
			return ref, false
		}
		name, ref.Selector = cutSelector(name)
		ref.ARN = ParametersIn(s) + name
		return ref, name != "" && ref.Selector != ":"
	}
	ref.Name, ref.Selector = cutSelector(text)
	ref.ARN = ParameterARN(s, ref.Name)
	return ref, ref.Name != "" && ref.Name != "/" && ref.Selector != ":"
}

func cutSelector(text string) (name, selector string) {
	if i := strings.IndexByte(text, ':'); i >= 0 {
		return text[:i], text[i:]
	}
	return text, ""
}

// Is says whether a reference is to this parameter: by name it is the very name.
func (r ParameterRef) Is(p *Parameter) bool {
	return p.Arn == r.ARN && (r.Name == "" || r.Name == p.Name)
}

// Version is the selector's, 0 where it is a label or there is none.
func (r ParameterRef) Version() int64 {
	n, err := strconv.ParseInt(strings.TrimPrefix(r.Selector, ":"), 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// Label is the selector's, "" where it is a version or there is none.
func (r ParameterRef) Label() string {
	if label := strings.TrimPrefix(r.Selector, ":"); !digits.MatchString(label) {
		return label
	}
	return ""
}

var (
	digits = regexp.MustCompile(`^[0-9]+$`)
	keyARN = regexp.MustCompile(`^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/(mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$`)
)

// IsKey says whether text names a key that a value may be said to be sealed with: AWS's own key of the service ("alias/aws/ssm") or the ARN of a KMS key.
func IsKey(service, text string) bool {
	return text == "alias/aws/"+service || keyARN.MatchString(text)
}
