package capacity

import (
	"fmt"
	"testing"
	"time"
)

// fargate are sizes of tasks.
var fargate = []Size{
	{256, 512}, {256, 1024}, {256, 2048}, {512, 1024}, {512, 2048}, {512, 4096}, {1024, 2048}, {1024, 8192}, {2048, 4096}, {2048, 16384}, {4096, 8192}, {4096, 30720},
}

func poolRules() Rules {
	return Rules{
		Member: Size{16384, 65536}, Zones: []string{"a", "b", "c"}, Architectures: []string{"X86_64", "ARM64"},
		IdleFor: 5 * time.Minute, LaunchTimeout: 5 * time.Minute, FirstBackoff: 10 * time.Second, LastBackoff: 5 * time.Minute,
	}
}

// BenchmarkDecide: the pool grows from nothing; a large pool has some free room everywhere and tasks of all kinds wait; the same at its
// bound, where Spot tasks must go.
func BenchmarkDecide(b *testing.B) {
	grown := func(members, count int) View {
		v := View{Rules: poolRules()}
		for i := range members {
			v.Members = append(v.Members, Member{
				ID: fmt.Sprintf("m-%d", i), Zone: v.Rules.Zones[i%3], Architecture: v.Rules.Architectures[i/3%2], State: Ready, Tasks: 60 + i%3,
				Size: v.Rules.Member, Free: Size{i % 1000, i % 1500}, Spot: Size{2048, 4096}, LaunchedAt: noon.Add(time.Duration(i%997) * time.Second)})
		}
		for i := range 2 * 3 * 2 * len(fargate) {
			v.Needs = append(v.Needs, Need{Size: fargate[i/12], Zone: v.Rules.Zones[i%3], Architecture: v.Rules.Architectures[i/3%2], Spot: i/6%2 > 0, Since: noon, Count: count})
		}
		return v
	}
	nothing := View{Rules: poolRules(), Needs: []Need{{Size: fargate[0], Zone: "a", Architecture: "X86_64", Count: 10_000}}}
	full := grown(5000, 100)
	full.Rules.MostMembers = 5000
	for _, c := range []struct {
		name string
		v    View
	}{
		{"10000tasksOnNothing", nothing},
		{"144kindsOn100", grown(100, 10)},
		{"144kindsOn5000", grown(5000, 100)},
		{"144kindsOn5000Full", full},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if p := Decide(c.v, noon); p.Empty() {
					b.Fatal(p)
				}
			}
		})
	}
}
