package ecr

import (
	"path"
	"regexp"
	"slices"

	"berth/internal/arn"
)

// NamePattern is what names of repositories look like, as AWS's error says it.
const NamePattern = `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*`

// The lengths of a repository's name, in characters.
const (
	LeastName = 2
	MostName  = 256
)

var (
	nameForm = regexp.MustCompile(`^` + NamePattern + `$`)
	tagForm  = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`)
)

// ValidName says whether a repository can have that name.
func ValidName(name string) bool {
	return len(name) >= LeastName && len(name) <= MostName && nameForm.MatchString(name)
}

// ValidTag says whether an image can have that tag.
func ValidTag(tag string) bool { return tagForm.MatchString(tag) }

// ARN is a repository's.
func ARN(s arn.Scope, name string) string {
	partition := s.Partition
	if partition == "" {
		partition = "aws"
	}
	return "arn:" + partition + ":ecr:" + s.Region + ":" + s.Account + ":repository/" + name
}

// Fixed says whether a tag, once it is there, must stay with its image.
func (r *Repository) Fixed(tag string) bool {
	excluded := slices.ContainsFunc(r.MutabilityExclusions, func(pattern string) bool { return matches(pattern, tag) })
	return r.Immutable != excluded
}

// matches says whether a tag matches a pattern, in which a star stands for any number of characters: tags have none that path.Match reads otherwise.
func matches(pattern, tag string) bool {
	ok, err := path.Match(pattern, tag)
	return ok && err == nil
}
