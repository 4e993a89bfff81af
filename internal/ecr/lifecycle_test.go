package ecr

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func rule(priority int, selection string) string {
	return fmt.Sprintf(`{"rulePriority":%d,"selection":{%s},"action":{"type":"expire"}}`, priority, selection)
}

func rules(list ...string) string { return `{"rules":[` + strings.Join(list, ",") + `]}` }

var noon = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

// shop are images a to f, a the oldest: each a day younger than the one before, f of today.
func shop() (list []LifecycleImage) {
	for n, tags := range []string{"prod-1", "", "prod-2 keep", "dev-1", "", "prod-3"} {
		list = append(list, LifecycleImage{Digest: string(rune('a' + n)), Tags: strings.Fields(tags), PushedAt: noon.AddDate(0, 0, n-5)})
	}
	return list
}

func TestExpire(t *testing.T) {
	for _, test := range []struct{ policy, gone string }{
		{rules(rule(1, `"tagStatus":"any","countType":"imageCountMoreThan","countNumber":4`)), "a b"},
		{rules(rule(1, `"tagStatus":"any","countType":"imageCountMoreThan","countNumber":6`)), ""},
		{rules(rule(1, `"tagStatus":"untagged","countType":"imageCountMoreThan","countNumber":1`)), "b"},
		{rules(rule(1, `"tagStatus":"untagged","countType":"sinceImagePushed","countUnit":"days","countNumber":1`)), "b"},
		{rules(rule(1, `"tagStatus":"any","countType":"sinceImagePushed","countUnit":"days","countNumber":4`)), "a"},
		{rules(rule(1, `"tagStatus":"any","countType":"sinceImagePushed","countUnit":"days","countNumber":5`)), ""},
		{rules(rule(1, `"tagStatus":"any","countType":"sinceImagePushed","countUnit":"days","countNumber":200000`)), ""},
		{rules(rule(1, `"tagStatus":"tagged","tagPrefixList":["prod"],"countType":"imageCountMoreThan","countNumber":1`)), "a c"},
		{rules(rule(1, `"tagStatus":"tagged","tagPrefixList":["prod","keep"],"countType":"sinceImagePushed","countUnit":"days","countNumber":1`)), "c"},
		{rules(rule(1, `"tagStatus":"tagged","tagPatternList":["*-1"],"countType":"sinceImagePushed","countUnit":"days","countNumber":1`)), "a d"},
		{rules(rule(1, `"tagStatus":"tagged","tagPatternList":["*"],"countType":"imageCountMoreThan","countNumber":2`)), "a c"},
		{rules(rule(1, `"tagStatus":"tagged","tagPatternList":["prod"],"countType":"imageCountMoreThan","countNumber":1`)), ""},
		// What an earlier rule selects stays, although the later one counts it. The order in the text does not matter.
		{rules(rule(2, `"tagStatus":"any","countType":"imageCountMoreThan","countNumber":1`),
			rule(1, `"tagStatus":"tagged","tagPrefixList":["prod"],"countType":"imageCountMoreThan","countNumber":9`)), "b d e"},
		{rules(rule(1, `"tagStatus":"tagged","tagPrefixList":["prod"],"countType":"imageCountMoreThan","countNumber":1`),
			rule(2, `"tagStatus":"any","countType":"imageCountMoreThan","countNumber":5`)), "a c"},
	} {
		l, err := ParseLifecycle(test.policy)
		if err != nil {
			t.Errorf("%s: %v", test.policy, err)
			continue
		}
		images := shop()
		slices.Reverse(images)
		if gone := strings.Join(l.Expire(images, noon), " "); gone != test.gone {
			t.Errorf("%s: %q instead of %q", test.policy, gone, test.gone)
		}
	}
}

func TestWrongLifecycles(t *testing.T) {
	count := `"countType":"imageCountMoreThan","countNumber":1`
	for text, want := range map[string]string{
		``:                   "read lifecycle policy: EOF",
		`{}`:                 "rules: at least one rule is required",
		`{"rules":[],"x":1}`: `read lifecycle policy: json: unknown field "x"`,
		`{"rules":[]} {}`:    "read lifecycle policy: there is more behind it",
		rules(slices.Repeat([]string{rule(1, `"tagStatus":"any",`+count)}, 51)...):                                                               "rules: there are 51, at most 50 are allowed",
		rules(rule(0, `"tagStatus":"any",`+count)):                                                                                               "rules[0].rulePriority: 0 is not a number from 1 to 1000000",
		rules(rule(1, `"tagStatus":"any",`+count), rule(2, `"tagStatus":"any",`+count)):                                                          "rulePriority: the rule with tagStatus any must have the highest rulePriority, and there can be one such rule only",
		rules(rule(1, `"tagStatus":"untagged",`+count), rule(1, `"tagStatus":"any",`+count)):                                                     "rulePriority: 1 is used by more than one rule",
		rules(rule(1, `"tagStatus":"untagged",`+count), rule(2, `"tagStatus":"untagged",`+count)):                                                "selection.tagStatus: there can be one rule with untagged only",
		rules(rule(1, `"tagStatus":"all",`+count)):                                                                                               `rules[0].selection.tagStatus: "all" is neither "tagged", "untagged" nor "any"`,
		rules(rule(1, `"tagStatus":"tagged",`+count)):                                                                                            `rules[0].selection: "tagged" needs a tagPrefixList or a tagPatternList`,
		rules(rule(1, `"tagStatus":"any","tagPrefixList":["x"],`+count)):                                                                         `rules[0].selection.tagStatus: a list of tags does not go with "any"`,
		rules(rule(1, `"tagStatus":"tagged","tagPrefixList":["x"],"tagPatternList":["x"],`+count)):                                               "rules[0].selection: there can be a tagPrefixList or a tagPatternList, not both",
		rules(rule(1, `"tagStatus":"tagged","tagPrefixList":[""],`+count)):                                                                       "rules[0].selection.tagPrefixList: an empty prefix",
		rules(rule(1, `"tagStatus":"tagged","tagPatternList":["*a*b*c*d*"],`+count)):                                                             `rules[0].selection.tagPatternList: "*a*b*c*d*" is not a tag with up to 4 stars in it`,
		rules(rule(1, `"tagStatus":"tagged","tagPatternList":["[a]"],`+count)):                                                                   `rules[0].selection.tagPatternList: "[a]" is not a tag with up to 4 stars in it`,
		rules(rule(1, `"tagStatus":"any","countType":"imageCountMoreThan","countNumber":0`)):                                                     "rules[0].selection.countNumber: 0 is not a number of at least 1",
		rules(rule(1, `"tagStatus":"any","countType":"x","countNumber":1`)):                                                                      `rules[0].selection.countType: "x" is neither "imageCountMoreThan" nor "sinceImagePushed"`,
		rules(rule(1, `"tagStatus":"any","countType":"sinceImagePushed","countNumber":1`)):                                                       `rules[0].selection.countUnit: "" is not "days"`,
		rules(rule(1, `"tagStatus":"any","countUnit":"days",`+count)):                                                                            `rules[0].selection.countUnit: it does not go with "imageCountMoreThan"`,
		`{"rules":[{"rulePriority":1,"selection":{"tagStatus":"any",` + count + `},"action":{"type":"keep"}}]}`:                                  `rules[0].action.type: "keep" is not "expire"`,
		rules(rule(1, `"tagStatus":"tagged","tagPrefixList":["`+strings.Join(slices.Repeat([]string{"x"}, 101), `","`)+`"],`+count)):             "rules[0].selection: there are 101 tags, at most 100 are allowed",
		`{"rules":[{"rulePriority":1,"selection":{"tagStatus":"any",` + count + `},"action":{"type":"expire","targetStorageClass":"ARCHIVE"}}]}`: `read lifecycle policy: json: unknown field "targetStorageClass"`,
	} {
		if _, err := ParseLifecycle(text); err == nil || err.Error() != want {
			t.Errorf("%.200s:\n got %v\nwant %s", text, err, want)
		}
	}
}

func FuzzLifecycle(f *testing.F) {
	f.Add(rules(rule(1, `"tagStatus":"tagged","tagPatternList":["*-1"],"countType":"sinceImagePushed","countUnit":"days","countNumber":1`)))
	f.Fuzz(func(t *testing.T, text string) {
		l, err := ParseLifecycle(text)
		if err != nil {
			return
		}
		if gone := l.Expire(shop(), noon); len(slices.Compact(gone)) > len(shop()) {
			t.Errorf("%s: %v", text, gone)
		}
	})
}

func TestNamesAndTags(t *testing.T) {
	for name, want := range map[string]bool{"app": true, "a/b-c/d__e.f": true, "a": false, "": false, "A1": false, "a//b": false, "a-": false, "a..b": false, "/a": false,
		"a---b": true, "a___b": false, strings.Repeat("a", 256): true, strings.Repeat("a", 257): false, "a\n": false} {
		if got := ValidName(name); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
	for tag, want := range map[string]bool{"v1": true, "_x": true, "-x": false, "": false, "a/b": false, "sha256:00": false, strings.Repeat("a", 128): true, strings.Repeat("a", 129): false} {
		if got := ValidTag(tag); got != want {
			t.Errorf("%q: %v", tag, got)
		}
	}
}

func TestFixed(t *testing.T) {
	for _, test := range []struct {
		immutable  bool
		exclusions []string
		tag        string
		fixed      bool
	}{
		{false, nil, "v1", false}, {true, nil, "v1", true},
		{true, []string{"latest", "dev-*"}, "dev-1", false}, {true, []string{"latest", "dev-*"}, "prod", true},
		{false, []string{"release*"}, "release-1", true}, {false, []string{"release*"}, "dev", false},
	} {
		r := Repository{Immutable: test.immutable, MutabilityExclusions: test.exclusions}
		if got := r.Fixed(test.tag); got != test.fixed {
			t.Errorf("%+v: %v", test, got)
		}
	}
}
