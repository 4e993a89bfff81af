package faults

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
)

// charter is what the next version writes into a member of the cluster's record that this version does not know.
const charter = "of the next version"

// nextVersion builds a berth of this tree with one member more in a record: written when a cluster is made, and shown among its statistics.
func nextVersion(t *testing.T) string {
	t.Helper()
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	dir := t.TempDir()
	for file, change := range map[string][2]string{
		"ecs/record.go":             {"RecordVersion = 1", "RecordVersion = 2"},
		"ecs/cluster.go":            {"LostInstances []time.Time\n", "LostInstances []time.Time\n\tCharter       string `since:\"2\"`\n"},
		"api/ecs/create_cluster.go": {"Tags: in.Tags,", "Tags: in.Tags, Charter: []string{\"\", \"\", \"" + charter + "\"}[tx.Version()],"},
		"api/ecs/cluster_view.go": {
			"p.fill(v, c, n)\n",
			"p.fill(v, c, n)\n\tif kept := \"charter\"; c.Charter != \"\" {\n\t\tv.Statistics = append(v.Statistics, types.KeyValuePair{Name: &kept, Value: &c.Charter})\n\t}\n",
		},
	} {
		path, err := filepath.Abs(filepath.Join("../../internal", file))
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Count(string(text), change[0]) != 1 {
			t.Fatalf("%s: does not have once what this test changes: %q", file, change[0])
		}
		to := filepath.Join(dir, strings.ReplaceAll(file, "/", "_"))
		if err := os.WriteFile(to, []byte(strings.Replace(string(text), change[0], change[1], 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		overlay.Replace[path] = to
	}
	text, err := json.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(list, text, 0o600); err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(programs, "next")
	if err := build(to, "-overlay", list); err != nil {
		t.Fatal(err)
	}
	return to
}

// TestUpgrade takes three replicas to a version with newer records and one of them back: what is new is written only once all know it, and
// who does not know it does not lead from then on.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	next := nextVersion(t)
	s := open(t, 3)
	last := s.leader()
	others := s.without(last)
	for _, r := range others {
		r.replace(next)
	}
	last.replace(program) // so that one of the newer leads
	if got := s.leader().charter("early"); got != "" {
		t.Fatalf("with a replica of the older version, the charter %q is written", got)
	}
	last.replace(next)
	eventually(t, "all replicas know the new records", func() error {
		if got := others[0].charter("chartered-" + strconv.FormatInt(time.Now().UnixNano(), 36)); got != charter {
			return fmt.Errorf("a new cluster's charter is %q", got)
		}
		return nil
	})

	leader := s.leader()
	others = s.without(leader)
	back, other := others[0], others[1]
	back.replace(program)
	if got := back.charter("from-the-older"); got != charter {
		t.Errorf("through the replica that went back, a cluster is made with the charter %q; the leader knows it", got)
	}
	leader.run("server", "--drain")
	<-leader.ended
	if got := s.leader(); got != other {
		t.Errorf("%v leads, of the older version", got)
	}
	other.run("server", "--drain")
	<-other.ended
	eventually(t, "the older replica says why nobody leads", func() error {
		if got, err := back.readiness(); err == nil || !strings.Contains(err.Error(), "a newer version of Berth has written the records") {
			return fmt.Errorf("it says %q, %v", got, err)
		}
		return nil
	})
	other.start()
	other.waitReady()
	if got := other.charter("again"); got != charter {
		t.Errorf("after that a cluster is made with the charter %q", got)
	}
	leader.start()
}

// replace drains the replica and starts another program in its place.
func (r *replica) replace(program string) {
	r.t.Helper()
	r.run("server", "--drain")
	<-r.ended
	r.program = program
	r.start()
	r.waitReady()
}

// charter makes a cluster, and is the new member that it has. A replica of the older version asks the leader for it.
func (r *replica) charter(cluster string) string {
	r.t.Helper()
	if _, err := r.client().CreateCluster(r.t.Context(), &awsecs.CreateClusterInput{ClusterName: &cluster}); err != nil {
		r.t.Fatal(err)
	}
	out, err := r.site.leader().client().DescribeClusters(r.t.Context(), &awsecs.DescribeClustersInput{Clusters: []string{cluster}})
	if err != nil || len(out.Clusters) != 1 {
		r.t.Fatalf("%v: %+v, %v", r, out, err)
	}
	for _, s := range out.Clusters[0].Statistics { // where the overlay shows it
		if *s.Name == "charter" {
			return *s.Value
		}
	}
	return ""
}
