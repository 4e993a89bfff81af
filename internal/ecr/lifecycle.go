package ecr

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Lifecycle is a lifecycle policy: which images of a repository go. Its rules are in the order of their priorities.
type Lifecycle struct{ Rules []LifecycleRule }

// LifecycleRule expires some of the images that it selects.
type LifecycleRule struct {
	Priority    int `json:"rulePriority"`
	Description string
	Selection   LifecycleSelection
	Action      struct{ Type string }
}

// LifecycleSelection selects images, and of these the ones that are too many or too old.
type LifecycleSelection struct {
	TagStatus      string   // tagged, untagged or any
	TagPrefixList  []string // an image must have a tag for each
	TagPatternList []string // the same, with stars
	CountType      string   // imageCountMoreThan or sinceImagePushed
	CountUnit      string   // days, of sinceImagePushed
	CountNumber    int
}

// The values of a selection, as AWS writes them.
const (
	tagged   = "tagged"
	untagged = "untagged"
	anyImage = "any"

	moreThan    = "imageCountMoreThan"
	sincePushed = "sinceImagePushed"
	days        = "days"

	expire = "expire"
)

// LifecycleImage is what a lifecycle policy looks at of an image.
type LifecycleImage struct {
	Digest   string
	Tags     []string
	PushedAt time.Time
}

// Bounds of a lifecycle policy.
const (
	mostRules    = 50
	mostPatterns = 100
	mostStars    = 4
	mostPriority = 1_000_000
	mostDays     = 100_000 // that are told apart: more would not fit into a Duration
)

var lifecyclePattern = regexp.MustCompile(`^[A-Za-z0-9_.*-]{1,128}$`)

// ParseLifecycle reads a policy. Its error says what is wrong with which rule.
func ParseLifecycle(text string) (*Lifecycle, error) {
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.DisallowUnknownFields()
	var l Lifecycle
	if err := d.Decode(&l); err != nil {
		return nil, fmt.Errorf("read lifecycle policy: %w", err)
	}
	if d.More() {
		return nil, fmt.Errorf("read lifecycle policy: there is more behind it")
	}
	switch {
	case len(l.Rules) == 0:
		return nil, fmt.Errorf("rules: at least one rule is required")
	case len(l.Rules) > mostRules:
		return nil, fmt.Errorf("rules: there are %d, at most %d are allowed", len(l.Rules), mostRules)
	}
	for i, r := range l.Rules {
		if err := r.check(); err != nil {
			return nil, fmt.Errorf("rules[%d].%w", i, err)
		}
	}
	slices.SortStableFunc(l.Rules, func(a, b LifecycleRule) int { return cmp.Compare(a.Priority, b.Priority) })
	return &l, l.check()
}

// check looks at the rules together, which are in the order of their priorities.
func (l *Lifecycle) check() error {
	withoutTags := 0
	for i, r := range l.Rules {
		if i > 0 && r.Priority == l.Rules[i-1].Priority {
			return fmt.Errorf("rulePriority: %d is used by more than one rule", r.Priority)
		}
		if r.Selection.TagStatus == anyImage && i < len(l.Rules)-1 {
			return fmt.Errorf("rulePriority: the rule with tagStatus any must have the highest rulePriority, and there can be one such rule only")
		}
		if r.Selection.TagStatus == untagged {
			withoutTags++
		}
	}
	if withoutTags > 1 {
		return fmt.Errorf("selection.tagStatus: there can be one rule with untagged only")
	}
	return nil
}

func (r *LifecycleRule) check() error {
	s := r.Selection
	switch {
	case r.Priority < 1 || r.Priority > mostPriority:
		return fmt.Errorf("rulePriority: %d is not a number from 1 to %d", r.Priority, mostPriority)
	case r.Action.Type != expire:
		return fmt.Errorf("action.type: %q is not %q", r.Action.Type, expire)
	case s.CountNumber < 1:
		return fmt.Errorf("selection.countNumber: %d is not a number of at least 1", s.CountNumber)
	case !slices.Contains([]string{moreThan, sincePushed}, s.CountType):
		return fmt.Errorf("selection.countType: %q is neither %q nor %q", s.CountType, moreThan, sincePushed)
	case s.CountType == sincePushed && s.CountUnit != days:
		return fmt.Errorf("selection.countUnit: %q is not %q", s.CountUnit, days)
	case s.CountType == moreThan && s.CountUnit != "":
		return fmt.Errorf("selection.countUnit: it does not go with %q", moreThan)
	}
	return s.checkTags()
}

func (s LifecycleSelection) checkTags() error {
	lists := len(s.TagPrefixList) + len(s.TagPatternList)
	switch {
	case !slices.Contains([]string{tagged, untagged, anyImage}, s.TagStatus):
		return fmt.Errorf("selection.tagStatus: %q is neither %q, %q nor %q", s.TagStatus, tagged, untagged, anyImage)
	case s.TagStatus != tagged && lists > 0:
		return fmt.Errorf("selection.tagStatus: a list of tags does not go with %q", s.TagStatus)
	case s.TagStatus == tagged && lists == 0:
		return fmt.Errorf("selection: %q needs a tagPrefixList or a tagPatternList", tagged)
	case len(s.TagPrefixList) > 0 && len(s.TagPatternList) > 0:
		return fmt.Errorf("selection: there can be a tagPrefixList or a tagPatternList, not both")
	case lists > mostPatterns:
		return fmt.Errorf("selection: there are %d tags, at most %d are allowed", lists, mostPatterns)
	}
	for _, prefix := range s.TagPrefixList {
		if prefix == "" {
			return fmt.Errorf("selection.tagPrefixList: an empty prefix")
		}
	}
	for _, pattern := range s.TagPatternList {
		if !lifecyclePattern.MatchString(pattern) || strings.Count(pattern, "*") > mostStars {
			return fmt.Errorf("selection.tagPatternList: %q is not a tag with up to %d stars in it", pattern, mostStars)
		}
	}
	return nil
}

// Expire decides which images go: each is expired by one rule at most. What a rule selects, no later rule expires; but each counts all images that it
// selects, also those that have gone by then. In the order of their digests.
func (l *Lifecycle) Expire(images []LifecycleImage, now time.Time) (gone []string) {
	taken := map[string]bool{}
	for _, r := range l.Rules {
		var selected []LifecycleImage
		for _, i := range images {
			if r.Selection.selects(i) {
				selected = append(selected, i)
			}
		}
		slices.SortFunc(selected, newestFirst)
		for n, i := range selected {
			if !taken[i.Digest] && r.Selection.exceeded(n, i, now) {
				gone = append(gone, i.Digest)
			}
		}
		for _, i := range selected {
			taken[i.Digest] = true
		}
	}
	slices.Sort(gone)
	return gone
}

func newestFirst(a, b LifecycleImage) int {
	return cmp.Or(b.PushedAt.Compare(a.PushedAt), cmp.Compare(a.Digest, b.Digest))
}

// exceeded says whether the n-th newest of the selected images is too many or too old.
func (s LifecycleSelection) exceeded(n int, i LifecycleImage, now time.Time) bool {
	if s.CountType == moreThan {
		return n >= s.CountNumber
	}
	return now.Sub(i.PushedAt) > time.Duration(min(s.CountNumber, mostDays))*24*time.Hour
}

// selects says whether an image has the tags that are asked for.
func (s LifecycleSelection) selects(i LifecycleImage) bool {
	switch s.TagStatus {
	case anyImage:
		return true
	case untagged:
		return len(i.Tags) == 0
	}
	has := func(fits func(tag string) bool) bool { return slices.ContainsFunc(i.Tags, fits) }
	for _, prefix := range s.TagPrefixList {
		if !has(func(tag string) bool { return strings.HasPrefix(tag, prefix) }) {
			return false
		}
	}
	for _, pattern := range s.TagPatternList {
		if !has(func(tag string) bool { return matches(pattern, tag) }) {
			return false
		}
	}
	return len(i.Tags) > 0
}
