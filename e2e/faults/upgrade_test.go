package faults

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// charter is what the next version writes into a member of the cluster's record that this version does not know.
const charter = "of the next version"

// nextVersion builds a berth of this tree with one member more in a record: written when a cluster is made, and shown among its statistics.
func nextVersion(t *testing.T) string {
	t.Helper()
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	dir := t.TempDir()
	for file, change := range map[string][2]string{
		"ecs/cluster.go":            {"LostInstances []time.Time\n", "LostInstances []time.Time\n\tCharter       string\n"},
		"api/ecs/create_cluster.go": {"Tags: in.Tags,", "Tags: in.Tags, Charter: \"" + charter + "\","},
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

// TestUpgrade has two versions side by side: what the newer one wrote into a record, the older one keeps when it writes the record again.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	next := nextVersion(t)
	s := open(t, 3)
	older := s.leader()
	for _, r := range s.without(older) {
		r.replace(next)
	}
	older.replace(program) // so that one of the newer leads
	newer := s.leader()
	if newer == older {
		t.Fatal("a replica that was drained leads again at once")
	}
	if _, err := newer.client().CreateCluster(t.Context(), &awsecs.CreateClusterInput{ClusterName: aws.String("chartered")}); err != nil {
		t.Fatal(err)
	}
	if got, _ := newer.charter(); got != charter {
		t.Fatalf("the newer version shows the charter %q", got)
	}
	for _, r := range s.without(newer) { // an upgrade that goes back half way
		if r != older {
			r.replace(program)
		}
		if got, _ := r.charter(); got != "" {
			t.Fatalf("%v, of the older version, shows the charter %q", r, got)
		}
	}
	newer.replace(next) // so that one of the older leads
	leader := s.leader()
	if leader == newer {
		t.Fatal("a replica that was drained leads again at once")
	}
	_, err := leader.client().TagResource(t.Context(), &awsecs.TagResourceInput{
		ResourceArn: aws.String("arn:aws:ecs:us-east-1:000000000000:cluster/chartered"),
		Tags:        []types.Tag{{Key: aws.String("by"), Value: aws.String("the older version")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, tags := newer.charter(); got != charter || tags != 1 {
		t.Errorf("after the older version wrote the record, its charter is %q, and it has %d tags", got, tags)
	}
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

// charter is the new member as the replica shows it, and how many tags the cluster has.
func (r *replica) charter() (text string, tags int) {
	r.t.Helper()
	out, err := r.client().DescribeClusters(r.t.Context(), &awsecs.DescribeClustersInput{
		Clusters: []string{"chartered"}, Include: []types.ClusterField{types.ClusterFieldTags},
	})
	if err != nil || len(out.Clusters) != 1 {
		r.t.Fatalf("%v: %+v, %v", r, out, err)
	}
	for _, s := range out.Clusters[0].Statistics {
		if *s.Name == "charter" {
			text = *s.Value
		}
	}
	return text, len(out.Clusters[0].Tags)
}
