package faults

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"

	"berth/e2e/site"
)

// charter is what the next version writes into a member of the cluster's record that this version does not know.
const charter = "of the next version"

// nextVersion builds a berth of this tree with one member more in a record: written when a cluster is made, and shown among its statistics.
func nextVersion(t *testing.T) string {
	t.Helper()
	return site.BuildChanged(t, "next", []site.Change{
		{File: "internal/ecs/record.go", Old: "RecordVersion = 1", New: "RecordVersion = 2"},
		{File: "internal/ecs/cluster.go", Old: "LostInstances []time.Time\n", New: "LostInstances []time.Time\n\tCharter       string `since:\"2\"`\n"},
		{File: "internal/api/ecs/create_cluster.go", Old: "Tags: orNone(in.Tags),", New: "Tags: orNone(in.Tags), Charter: []string{\"\", \"\", \"" + charter + "\"}[tx.Version()],"},
		{
			File: "internal/api/ecs/cluster_view.go", Old: "p.fill(v, t, c)\n",
			New: "p.fill(v, t, c)\n\tif kept := \"charter\"; c.Charter != \"\" {\n\t\tv.Statistics = append(v.Statistics, types.KeyValuePair{Name: &kept, Value: &c.Charter})\n\t}\n",
		},
	})
}

// TestUpgrade takes three replicas to a version with newer records and one of them back: what is new is written only once all know it, and
// who does not know it does not lead from then on.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	next := nextVersion(t)
	s := site.Open(t, 3, site.NewNetwork(t, 3))
	last := s.Leader()
	others := s.Without(last)
	for _, r := range others {
		replace(r, next)
	}
	replace(last, site.Berth(t)) // so that one of the newer leads
	if got := made(s, s.Leader(), "early"); got != "" {
		t.Fatalf("with a replica of the older version, the charter %q is written", got)
	}
	replace(last, next)
	site.Eventually(t, "all replicas know the new records", func() error {
		if got := made(s, others[0], "chartered-"+strconv.FormatInt(time.Now().UnixNano(), 36)); got != charter {
			return fmt.Errorf("a new cluster's charter is %q", got)
		}
		return nil
	})

	leader := s.Leader()
	others = s.Without(leader)
	back, other := others[0], others[1]
	replace(back, site.Berth(t))
	if got := made(s, back, "from-the-older"); got != charter {
		t.Errorf("through the replica that went back, a cluster is made with the charter %q; the leader knows it", got)
	}
	leader.Drain()
	if got := s.Leader(); got != other {
		t.Errorf("%v leads, of the older version", got)
	}
	other.Drain()
	site.Eventually(t, "the older replica says why nobody leads", func() error {
		if got, err := back.Readiness(); err == nil || !strings.Contains(err.Error(), "a newer version of Berth has written the records") {
			return fmt.Errorf("it says %q, %v", got, err)
		}
		return nil
	})
	other.Start()
	other.WaitReady()
	if got := made(s, other, "again"); got != charter {
		t.Errorf("after that a cluster is made with the charter %q", got)
	}
	leader.Start()
}

// replace drains the replica and starts another program in its place.
func replace(r *site.Replica, program string) {
	r.Drain()
	r.Program = program
	r.Start()
	r.WaitReady()
}

// made makes a cluster through a replica, and is the new member that it has. A replica of the older version asks the leader for it.
func made(s *site.Site, r *site.Replica, cluster string) string {
	s.T.Helper()
	if err := r.Write(context.Background(), cluster); err != nil {
		s.T.Fatal(err)
	}
	out, err := s.Leader().Client().DescribeClusters(context.Background(), &awsecs.DescribeClustersInput{Clusters: []string{cluster}})
	if err != nil || len(out.Clusters) != 1 {
		s.T.Fatalf("%v: %+v, %v", r, out, err)
	}
	for _, x := range out.Clusters[0].Statistics { // where the overlay shows it
		if *x.Name == "charter" {
			return *x.Value
		}
	}
	return ""
}
