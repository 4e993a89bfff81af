package ecr

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/opencontainers/go-digest"
)

// A lifecycle policy does not take images out of an index that stays, and takes an index together with its images.
func TestLifecycleOfIndexes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAccount(t)
		a.must(t, "CreateRepository", `{"repositoryName":"app"}`)
		inside := a.push(t, "app", "i1", "one")
		time.Sleep(time.Second)
		index := a.index(t, "app", inside)
		time.Sleep(time.Second)
		newest := a.push(t, "app", "i2", "two")
		a.must(t, "PutLifecyclePolicy", `{"repositoryName":"app","lifecyclePolicyText":`+quote(strings.Replace(someLifecycle, `"any"`, `"tagged","tagPrefixList":["i"]`, 1))+`}`)
		a.sweepsTo(t, inside, index, newest)
		a.must(t, "PutLifecyclePolicy", `{"repositoryName":"app","lifecyclePolicyText":`+quote(someLifecycle)+`}`)
		a.sweepsTo(t, newest)
	})
}

// A lifecycle policy that was taken away or replaced after the sweep has looked at the repositories removes nothing.
func TestLifecycleThatIsGone(t *testing.T) {
	a := newAccount(t)
	arn := a.must(t, "CreateRepository", `{"repositoryName":"app"}`)["repository"].(map[string]any)["repositoryArn"].(string)
	one, two := a.push(t, "app", "one", "one"), a.push(t, "app", "two", "two")
	a.must(t, "PutLifecyclePolicy", `{"repositoryName":"app","lifecyclePolicyText":`+quote(someLifecycle)+`}`)
	seen := a.store.View().Repositories.Get(arn)
	a.must(t, "DeleteLifecyclePolicy", `{"repositoryName":"app"}`)
	if err := a.api.expire(t.Context(), seen); err != nil {
		t.Fatal(err)
	}
	a.sweepsTo(t, one, two)
}

// sweepsTo sweeps, and checks that these images of the repository app are left.
func (a *account) sweepsTo(t *testing.T, want ...digest.Digest) {
	t.Helper()
	if err := a.api.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	left := a.must(t, "DescribeImages", `{"repositoryName":"app"}`)["imageDetails"].([]any)
	if len(left) != len(want) {
		t.Errorf("%d images are left, not %d", len(left), len(want))
	}
	for _, d := range want {
		a.must(t, "DescribeImages", `{"repositoryName":"app","imageIds":[{"imageDigest":"`+d.String()+`"}]}`)
	}
}
