package iam

import (
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"berth/internal/seal"
)

// The secret that is shown is the one that is kept, sealed and bound to its key.
func TestAccessKeySecret(t *testing.T) {
	a := newAccount(t)
	a.must(t, "CreateUser UserName=alice")
	shown := regexp.MustCompile(`<SecretAccessKey>(.*?)</SecretAccessKey>`).FindStringSubmatch(a.must(t, "CreateAccessKey UserName=alice"))[1]
	k := a.store.View().AccessKeys.Get(a.known(t, "AKIA#1"))
	if secret, err := a.api.seal.Open(k.SealedSecret, k.AccessKeyID); err != nil || secret != shown {
		t.Errorf("opened %q, %v; shown %q", secret, err, shown)
	}
	if _, err := a.api.seal.Open(k.SealedSecret, "AKIA0000000000000000"); err != seal.ErrSealed {
		t.Errorf("the secret opens for another key: %v", err)
	}
	if list := a.must(t, "ListAccessKeys UserName=alice"); strings.Contains(list, shown) {
		t.Error("the secret is shown again")
	}
}

// A use of a key or a role is written down at most once an hour, many at a time.
func TestKeyUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAccount(t)
		a.must(t, "CreateUser UserName=alice")
		a.must(t, "CreateAccessKey UserName=alice")
		a.must(t, "CreateRole RoleName=r AssumeRolePolicyDocument=$trust")
		role := ""
		for r := range a.store.View().Roles.All() {
			role = r.ARN()
		}
		use := func(id, service string) {
			t.Helper()
			var u Uses
			u.Note(Use{AccessKeyID: id, Role: role, Service: service, Region: "eu-central-1", At: time.Now()})
			if err := a.api.WriteUses(t.Context(), &u); err != nil {
				t.Fatal(err)
			}
		}
		id := a.known(t, "AKIA#1")
		start := a.store.View().N
		use(id, "ecs")
		before := a.store.View().N
		if before != start+1 {
			t.Errorf("%d writes of two uses", before-start)
		}
		if got := a.must(t, "GetRole RoleName=r"); !strings.Contains(got, "<LastUsedDate>2000-01-01T00:00:00Z</LastUsedDate>") || !strings.Contains(got, "<Region>eu-central-1</Region>") {
			t.Error(got)
		}
		time.Sleep(usedAgain - time.Second)
		use(id, "iam")
		use("AKIA0000000000000000", "iam")
		if n := a.store.View().N; n != before {
			t.Errorf("a use not long after another is written: commit %d after %d", n, before)
		}
		last := func() string { return a.must(t, "GetAccessKeyLastUsed AccessKeyId="+id) }
		if got := last(); !strings.Contains(got, "<ServiceName>ecs</ServiceName>") || !strings.Contains(got, "<Region>eu-central-1</Region>") ||
			!strings.Contains(got, "<LastUsedDate>2000-01-01T00:00:00Z</LastUsedDate>") {
			t.Error(got)
		}
		time.Sleep(time.Second)
		use(id, "iam")
		if got := last(); !strings.Contains(got, "<ServiceName>iam</ServiceName>") {
			t.Error(got)
		}
	})
}
