package secret

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Whatever is moved, a label is on one version, AWSCURRENT stays where it is or goes where it was sent, and who lost it last has AWSPREVIOUS unless that
// was moved since.
func TestStages(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		label := rapid.SampledFrom([]string{Current, Previous, "AWSPENDING", "mine"})
		version := rapid.SampledFrom([]string{"v1", "v2", "v3"})
		s := Stages{Current: "v1"}
		for range rapid.IntRange(1, 20).Draw(t, "moves") {
			l, v, before := label.Draw(t, "label"), version.Draw(t, "version"), s[Current]
			s.Move(l, v)
			if s[l] != v {
				t.Fatalf("%s is on %s, not %s", l, s[l], v)
			}
			switch {
			case l != Current && s[Current] != before:
				t.Fatalf("moving %s moved AWSCURRENT from %s to %s", l, before, s[Current])
			case l == Current && before != v && s[Previous] != before:
				t.Fatalf("AWSPREVIOUS is on %s, not on %s", s[Previous], before)
			}
			holders := 0
			for _, v := range []string{"v1", "v2", "v3"} {
				if slices.Contains(s.Of(v), Current) {
					holders++
				}
			}
			if holders != 1 {
				t.Fatalf("%d versions are AWSCURRENT", holders)
			}
		}
	})
}

func TestSurplus(t *testing.T) {
	at := time.Unix(0, 0)
	var versions []*SecretVersion
	for n := range 6 {
		versions = append(versions, &SecretVersion{VersionID: fmt.Sprint("v", 5-n), CreatedDate: at.Add(time.Duration(n/2) * time.Second)})
	}
	stages := Stages{Current: "v0", "kept": "v5"}
	for most, want := range map[int][]string{7: nil, 6: nil, 5: {"v4"}, 4: {"v4", "v2"}, 2: {"v4", "v2", "v3", "v1"}, 0: {"v4", "v2", "v3", "v1"}} {
		var got []string
		for _, v := range Surplus(versions, stages, most) {
			got = append(got, v.VersionID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("at most %d: %v go, not %v", most, got, want)
		}
	}
	if got := StagesOf(slices.Values([]*SecretVersion{{VersionID: "a", Stages: []string{"x", "y"}}, {VersionID: "b"}})); got["x"] != "a" || got["y"] != "a" || len(got) != 2 {
		t.Errorf("%v", got)
	}
}
