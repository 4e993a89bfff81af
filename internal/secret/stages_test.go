package secret

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Whatever is moved, a label is on one version, AWSCURRENT stays where it is or goes where it was sent, and who loses it has AWSPREVIOUS. What was is
// not changed.
func TestStages(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		label := rapid.SampledFrom([]string{Current, Previous, "AWSPENDING", "mine"})
		version := rapid.SampledFrom([]string{"v1", "v2", "v3"})
		s := Stages(nil).Moved(Current, "v1")
		for range rapid.IntRange(1, 20).Draw(t, "moves") {
			l, v, before, kept := label.Draw(t, "label"), version.Draw(t, "version"), s, slices.Clone(s)
			s = before.Moved(l, v)
			if !slices.Equal(before, kept) {
				t.Fatalf("moving %s changed what was: %v, now %v", l, kept, before)
			}
			was := before.Holder(Current)
			switch {
			case s.Holder(l) != v:
				t.Fatalf("%s is on %s, not %s", l, s.Holder(l), v)
			case l != Current && s.Holder(Current) != was:
				t.Fatalf("moving %s moved AWSCURRENT from %s to %s", l, was, s.Holder(Current))
			case l == Current && was != v && s.Holder(Previous) != was:
				t.Fatalf("AWSPREVIOUS is on %s, not on %s", s.Holder(Previous), was)
			}
			var all []string
			for _, v := range []string{"v1", "v2", "v3"} {
				all = append(all, s.Of(v)...)
			}
			slices.Sort(all)
			if len(all) != len(s) || len(slices.Compact(all)) != len(s) || !slices.Contains(all, Current) {
				t.Fatalf("labels of versions: %v, of the secret: %v", all, s)
			}
			if l != Current && rapid.Bool().Draw(t, "off") {
				if s = s.Without(l); s.Holder(l) != "" {
					t.Fatalf("%s is still on", l)
				}
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
	stages := Stages{{Current, "v0"}, {"kept", "v5"}}
	for most, want := range map[int][]string{7: nil, 6: nil, 5: {"v4"}, 4: {"v4", "v2"}, 2: {"v4", "v2", "v3", "v1"}, 0: {"v4", "v2", "v3", "v1"}} {
		var got []string
		for _, v := range Surplus(versions, stages, most) {
			got = append(got, v.VersionID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("at most %d: %v go, not %v", most, got, want)
		}
	}
}
