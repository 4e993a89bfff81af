package secret

import (
	"cmp"
	"iter"
	"maps"
	"slices"
)

// The staging labels that Secrets Manager moves by itself.
const (
	Current  = "AWSCURRENT"
	Previous = "AWSPREVIOUS"
)

// Stages says to which version each staging label of a secret is attached: label -> version id. A label is on one version at most.
type Stages map[string]string

// StagesOf reads them from a secret's versions.
func StagesOf(versions iter.Seq[*SecretVersion]) Stages {
	s := Stages{}
	for v := range versions {
		for _, label := range v.Stages {
			s[label] = v.VersionID
		}
	}
	return s
}

// Move attaches a label to a version, wherever it was. The version that loses AWSCURRENT gets AWSPREVIOUS.
func (s Stages) Move(label, version string) {
	was, attached := s[label]
	s[label] = version
	if label == Current && attached && was != version {
		s[Previous] = was
	}
}

// Of are a version's labels, sorted.
func (s Stages) Of(version string) []string {
	var labels []string
	for _, label := range slices.Sorted(maps.Keys(s)) {
		if s[label] == version {
			labels = append(labels, label)
		}
	}
	return labels
}

// Surplus are the versions to remove so that there are at most so many: the oldest first, and none with a label.
func Surplus(versions []*SecretVersion, stages Stages, most int) []*SecretVersion {
	bare := slices.DeleteFunc(slices.Clone(versions), func(v *SecretVersion) bool { return len(stages.Of(v.VersionID)) > 0 })
	slices.SortFunc(bare, func(x, y *SecretVersion) int {
		return cmp.Or(x.CreatedDate.Compare(y.CreatedDate), cmp.Compare(x.VersionID, y.VersionID))
	})
	return bare[:min(len(bare), max(0, len(versions)-most))]
}
