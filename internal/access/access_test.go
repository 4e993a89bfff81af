package access

import (
	"errors"
	"testing"
	"time"

	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/policy"
	"berth/internal/seal"
	"berth/internal/state"
	"berth/internal/state/statetest"
)

var demo = arn.Scope{Region: "us-east-1", Account: "123456789012"}.Cluster("demo")

func may(p policy.Principal, action, resource string) bool {
	return policy.Decide(policy.Request{Principal: &p, Action: action, Resource: resource}).Decision == policy.Allowed
}

func keys(t *testing.T) *Keys { return benchKeys(t) }

func benchKeys(t testing.TB) *Keys {
	t.Helper()
	k, err := seal.ParseKey(seal.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	return &Keys{State: statetest.Open(t), Seal: k}
}

func TestAdministratorIsMadeOnce(t *testing.T) {
	k := keys(t)
	id, secret, err := k.EnsureAdministrator(t.Context(), "123456789012")
	if err != nil {
		t.Fatal(err)
	}
	again, same, err := k.EnsureAdministrator(t.Context(), "123456789012")
	if err != nil || again != id || same != secret {
		t.Errorf("%s %s, then %s %s, %v", id, secret, again, same, err)
	}
	h, ok := k.Find(id, "")
	if !ok || !may(h.Principal, "iam:CreateRole", "arn:aws:iam::123456789012:role/x") {
		t.Errorf("%+v", h.Principal)
	}
	if _, ok := k.Find("AKIANOBODY", ""); ok {
		t.Error("a key of nobody")
	}
}

func TestTokenWorksOnce(t *testing.T) {
	k := keys(t)
	token, _, err := k.NewJoinToken(t.Context(), demo, "")
	if err != nil {
		t.Fatal(err)
	}
	c, secret, err := k.Join(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := k.Find(c.AccessKeyID, ""); !ok || got.Secret != secret {
		t.Errorf("%q, %v", got.Secret, ok)
	}
	for _, bad := range []string{token, "bjt-guess", ""} {
		if _, _, err := k.Join(t.Context(), bad); !errors.Is(err, ErrToken) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// Keys that nobody asks for any more do not stay unsealed for ever.
func TestKeysThatAreGoneAreForgotten(t *testing.T) {
	k := keys(t)
	const kept = 10
	var last []*ecs.Credential
	for range 20 { // each time other machines
		var now []*ecs.Credential
		for range kept {
			token, _, err := k.NewJoinToken(t.Context(), demo, "")
			if err != nil {
				t.Fatal(err)
			}
			c, _, err := k.Join(t.Context(), token)
			if err != nil {
				t.Fatal(err)
			}
			if _, ok := k.Find(c.AccessKeyID, ""); !ok {
				t.Fatalf("%s is not found", c.AccessKeyID)
			}
			now = append(now, c)
		}
		err := k.State.Update(t.Context(), func(tx *state.Tx) error {
			for _, c := range last {
				tx.Delete(c)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		last = now
	}
	unsealed := 0
	k.opened.Range(func(any, any) bool { unsealed++; return true })
	if unsealed < kept || unsealed > 5*kept {
		t.Errorf("%d unsealed keys of %d", unsealed, kept)
	}
	for _, c := range last {
		if _, ok := k.opened.Load(c.AccessKeyID); !ok {
			t.Errorf("%s is forgotten", c.AccessKeyID)
		}
	}
}

func TestExpiredToken(t *testing.T) {
	k := keys(t)
	token, hash := seal.NewToken()
	err := k.State.Update(t.Context(), func(tx *state.Tx) error {
		tx.Put(&ecs.JoinToken{Hash: hash, Cluster: demo, ExpiresAt: time.Now().Add(-time.Second)})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := k.Join(t.Context(), token); !errors.Is(err, ErrToken) {
		t.Errorf("got %v", err)
	}
}

func TestInstanceMayDoItsOwnOnly(t *testing.T) {
	k := keys(t)
	own, other := string(demo.Instance("1")), string(demo.Instance("2"))
	c := &ecs.Credential{AccessKeyID: "AKIA1234567890123456", Account: "123456789012", Principal: ContainerInstance, Cluster: demo}
	for _, x := range []struct {
		action, resource string
		joined, is       bool
	}{
		{"ecs:RegisterContainerInstance", string(demo), false, true},
		{"ecs:RegisterContainerInstance", "arn:aws:ecs:us-east-1:123456789012:cluster/other", false, false},
		{"ecs:Poll", own, false, false},
		{"ecs:Poll", own, true, true},
		{"ecs:Poll", other, true, false},
		{"ecs:SubmitTaskStateChange", own, true, true},
		{"ecs:SubmitTaskStateChange", other, true, false},
		{"ecs:RunTask", own, true, false},
		{"ecs:DescribeTasks", "*", true, false},
		{"ecs:DeregisterContainerInstance", own, true, false},
		{"berth:CreateJoinToken", "*", true, false},
	} {
		now := *c
		if x.joined {
			now.Instance = arn.Instance(own)
		}
		if got := may(k.instancePrincipal(k.State.View().Tables, &now), x.action, x.resource); got != x.is {
			t.Errorf("%s on %s (joined %v): %v", x.action, x.resource, x.joined, got)
		}
	}
}
