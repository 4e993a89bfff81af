package secret

import (
	"cmp"
	"slices"
	"strings"
)

// The staging labels that Secrets Manager moves by itself.
const (
	Current  = "AWSCURRENT"
	Previous = "AWSPREVIOUS"
)

// Stage is a staging label and the version that it is attached to.
type Stage struct {
	Label     string
	VersionID string `json:"versionId"`
}

// Stages are the staging labels of a secret, sorted. A label is on one version. Methods that change them return others.
type Stages []Stage

func (s Stages) find(label string) (int, bool) {
	return slices.BinarySearchFunc(s, label, func(one Stage, label string) int { return strings.Compare(one.Label, label) })
}

// Holder is the version that a label is attached to, "" where it is to none.
func (s Stages) Holder(label string) string {
	if i, ok := s.find(label); ok {
		return s[i].VersionID
	}
	return ""
}

// Of are a version's labels, sorted.
func (s Stages) Of(version string) (labels []string) {
	for _, one := range s {
		if one.VersionID == version {
			labels = append(labels, one.Label)
		}
	}
	return labels
}

// Moved attaches a label to a version, wherever it was. The version that loses AWSCURRENT gets AWSPREVIOUS.
func (s Stages) Moved(label, version string) Stages {
	was := s.Holder(label)
	moved := s.with(label, version)
	if label == Current && was != "" && was != version {
		return moved.with(Previous, was)
	}
	return moved
}

func (s Stages) with(label, version string) Stages {
	i, ok := s.find(label)
	if !ok {
		return slices.Insert(slices.Clone(s), i, Stage{label, version})
	}
	c := slices.Clone(s)
	c[i].VersionID = version
	return c
}

// Without takes a label off.
func (s Stages) Without(label string) Stages {
	return slices.DeleteFunc(slices.Clone(s), func(one Stage) bool { return one.Label == label })
}

// Surplus are the versions to remove so that there are at most so many: the oldest first, and none with a label.
func Surplus(versions []*SecretVersion, stages Stages, most int) []*SecretVersion {
	bare := slices.DeleteFunc(slices.Clone(versions), func(v *SecretVersion) bool { return len(stages.Of(v.VersionID)) > 0 })
	slices.SortFunc(bare, func(x, y *SecretVersion) int {
		return cmp.Or(x.CreatedDate.Compare(y.CreatedDate), cmp.Compare(x.VersionID, y.VersionID))
	})
	return bare[:min(len(bare), max(0, len(versions)-most))]
}
