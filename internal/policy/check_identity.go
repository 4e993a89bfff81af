package policy

import (
	"slices"
	"strings"
)

// checkIdentity looks at a policy of an identity as IAM does, in its order: version, the legacy parser, ids, actions, resources.
func (d *Document) checkIdentity(managed bool) *MalformedError {
	if managed && d.Version != Version2012 {
		return malformed(wantsVersion)
	}
	resource, ok := d.legacy()
	if !ok {
		return malformed(legacyParsing)
	}
	for _, check := range []func(*Document) *MalformedError{(*Document).checkSids, (*Document).checkNoPrincipals, (*Document).checkHasActions} {
		if wrong := check(d); wrong != nil {
			return wrong
		}
	}
	if resource != nil {
		return resource
	}
	for i := range d.Statements {
		s := &d.Statements[i]
		if wrong := checkActions(s.Actions); wrong != nil {
			return wrong
		}
		if wrong := checkActions(s.NotActions); wrong != nil {
			return wrong
		}
		if len(s.Resources) == 0 && len(s.NotResources) == 0 {
			return malformed(wantsResource)
		}
	}
	return nil
}

// legacy is IAM's older parser, which is not told what is wrong where. It also finds the last resource that is none: that error comes later,
// and once there is one, the form of ARNs is no matter to the parser.
func (d *Document) legacy() (resource *MalformedError, ok bool) {
	for i := range d.Statements {
		s := &d.Statements[i]
		if s.Effect != Allow && s.Effect != Deny || !readable(s.Conditions) {
			return nil, false
		}
	}
	for _, list := range []func(*Statement) []string{
		func(s *Statement) []string { return s.Resources }, func(s *Statement) []string { return s.NotResources },
	} {
		for i := range d.Statements {
			resources := slices.Sorted(slices.Values(list(&d.Statements[i])))
			slices.Reverse(resources)
			for _, r := range resources {
				if wrong := checkResource(r); wrong != nil {
					resource = wrong
				}
			}
			if resource == nil && slices.ContainsFunc(resources, unparsableARN) {
				return nil, false
			}
		}
	}
	return resource, true
}

// checkSids wants the ids of statements to be letters and digits, and no two alike.
func (d *Document) checkSids() *MalformedError {
	seen := map[string]bool{}
	for _, s := range d.Statements {
		if strings.ContainsFunc(s.Sid, func(r rune) bool { return !alphanumeric(r) }) {
			return malformed(plainSids)
		}
		if s.Sid != "" && seen[s.Sid] {
			return malformed(uniqueSids)
		}
		seen[s.Sid] = true
	}
	return nil
}

func alphanumeric(r rune) bool {
	return '0' <= r && r <= '9' || 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z'
}

func (d *Document) checkNoPrincipals() *MalformedError {
	for _, s := range d.Statements {
		if s.Principals != nil || s.NotPrincipals != nil {
			return malformed(noPrincipal)
		}
	}
	return nil
}

func (d *Document) checkHasActions() *MalformedError {
	for _, s := range d.Statements {
		if len(s.Actions) == 0 && len(s.NotActions) == 0 {
			return malformed(wantsActions)
		}
	}
	return nil
}

// checkActions wants "*" or vendor:name of each; which vendors and names there are is no matter.
func checkActions(actions []string) *MalformedError {
	for _, a := range actions {
		if a == "*" {
			continue
		}
		vendor, name, found := strings.Cut(a, ":")
		if !found {
			return malformed(wantsVendor)
		}
		if strings.Contains(name, ":") {
			return malformed(oneColon)
		}
		if vendor != "*" && strings.ContainsFunc(vendor, func(r rune) bool { return !alphanumeric(r) && r != '-' && r != '.' }) || vendor == "" {
			return malformed("Vendor %s is not valid", vendor)
		}
	}
	return nil
}

// partitions are AWS's.
var partitions = []string{"aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc"}

// checkResource says what is wrong with a resource.
func checkResource(r string) *MalformedError {
	if r == "*" {
		return nil
	}
	_, rest, found := strings.Cut(r, ":")
	if !found {
		return malformed(`Resource %s must be in ARN format or "*".`, r)
	}
	partition, rest, found := strings.Cut(rest, ":")
	if partition != "*" && !slices.Contains(partitions, partition) {
		return wrongPartition(partition, rest)
	}
	if !found {
		return malformed(plainVendor)
	}
	vendor, rest, _ := strings.Cut(rest, ":")
	region, rest, _ := strings.Cut(rest, ":")
	_, path, hasPath := strings.Cut(rest, ":")
	switch {
	case strings.ContainsAny(vendor, "*?"):
		return malformed(plainVendor)
	case vendor == "iam" && (region != "" || !hasPath):
		return malformed("IAM resource %s cannot contain region information.", r)
	case vendor == "s3" && region != "" && !strings.HasPrefix(path, "accesspoint/"):
		return malformed("Resource %s can not contain region information.", r)
	case vendor == "iam" && !isPathOfIAM(path):
		return malformed(pathOfIAM)
	}
	return nil
}

// wrongPartition shows the resource as IAM has read it: what is missing are wildcards.
func wrongPartition(partition, rest string) *MalformedError {
	parts := [4]string{"*", "*", "*", "*"}
	if rest != "" {
		copy(parts[:], strings.SplitN(rest, ":", 4))
	}
	return malformed(`Partition "%s" is not valid for resource "arn:%s:%s".`, partition, partition, strings.Join(parts[:], ":"))
}

// isPathOfIAM reports whether the last part of an ARN may be one of IAM's.
func isPathOfIAM(path string) bool {
	if path == "root" || strings.HasPrefix(path, "*") {
		return true
	}
	kind, _, found := strings.Cut(path, "/")
	return found && slices.Contains([]string{
		"user", "federated-user", "role", "group", "instance-profile", "mfa", "server-certificate", "policy", "sms-mfa", "saml-provider",
		"oidc-provider", "report", "access-report",
	}, kind)
}

// unparsableARN reports whether the legacy parser takes a resource for none: a part is missing in the middle, or region or account have
// what neither has; also a variable.
func unparsableARN(r string) bool {
	if r == "*" {
		return false
	}
	parts := splitPattern(r, false)
	if len(parts) < 3 || len(parts) < segments && strings.Contains(r, "::") || parts[2] == "" {
		return true
	}
	return strings.ContainsFunc(strings.Join(parts[2:len(parts)-1], ""), func(c rune) bool {
		return !alphanumeric(c) && !strings.ContainsRune("-*?.", c)
	})
}
