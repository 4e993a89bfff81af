package controller

import (
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"berth/internal/access"
	"berth/internal/acs"
	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/state"
	"berth/internal/state/statetest"
)

func inactive(id string, at *time.Time) *ecs.Instance {
	i := instance(id, false, nil)
	i.Status, i.DeregisteredAt = ecs.Inactive, at
	return i
}

func key(id, instance string, made time.Time) *ecs.Credential {
	k := &ecs.Credential{AccessKeyID: "AKIA" + id, Principal: access.ContainerInstance, Cluster: demo, CreatedAt: made}
	if instance != "" {
		k.Instance = demo.Instance(instance)
	}
	return k
}

func TestSweepInstances(t *testing.T) {
	now := stamp()
	ago := func(d time.Duration) *time.Time { x := now.Add(-d); return &x }
	old, young := *ago(90 * 24 * time.Hour), *ago(time.Hour)
	unbound := func(id string, d time.Duration) *ecs.Credential {
		k := key(id, "nobody", old)
		k.UnboundSince = ago(d)
		return k
	}
	s := statetest.Open(t, cluster(),
		instance("active", true, nil), inactive("old", ago(61*time.Minute)), inactive("young", ago(59*time.Minute)), inactive("unstamped", nil),
		inactive("holds", ago(2*time.Hour)), running("t", "holds", now),
		key("active", "active", old), key("young", "young", old), key("joined", "", young), key("never", "", old), key("timeless", "", time.Time{}),
		unbound("away", 29*24*time.Hour), unbound("gone", 31*24*time.Hour),
		&ecs.Credential{AccessKeyID: "AKIAADMIN", Principal: access.Administrator, CreatedAt: old},
	)
	c := &Sweep{State: s, Log: slog.New(slog.DiscardHandler)}
	if err := c.sweepInstances(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	v := s.View()
	for id, there := range map[string]bool{"active": true, "old": false, "young": true, "unstamped": true, "holds": true} {
		if got := v.Instances.Get(demo.Instance(id)) != nil; got != there {
			t.Errorf("instance %s: there %v, want %v", id, got, there)
		}
	}
	for id, there := range map[string]bool{"active": true, "young": true, "joined": true, "never": false, "timeless": true, "away": true, "gone": false, "ADMIN": true} {
		if got := v.Credentials.Get("AKIA"+id) != nil; got != there {
			t.Errorf("key %s: there %v, want %v", id, got, there)
		}
	}
	if i := v.Instances.Get(demo.Instance("unstamped")); i.DeregisteredAt == nil || !i.DeregisteredAt.Equal(now) {
		t.Errorf("a record of an older version counts from %v, want now", i.DeregisteredAt)
	}
	if n := v.N; c.sweepInstances(t.Context(), now.Add(time.Second)) != nil || s.View().N != n {
		t.Error("a second sweep writes although nothing is due")
	}
}

// TestSweepSparesWhoRegistersMeanwhile: what the sweep has seen may have changed until it writes.
func TestSweepSparesWhoRegistersMeanwhile(t *testing.T) {
	now := stamp()
	was := key("1", "gone", now)
	s := statetest.Open(t, was)
	again := *was
	again.Instance = demo.Instance("new")
	err := s.Update(t.Context(), func(tx *state.Tx) error {
		tx.Put(&again)
		tx.ReplaceUnchanged(was, nil)
		marked := *was
		marked.UnboundSince = &now
		tx.ReplaceUnchanged(was, &marked)
		return nil
	})
	if k := s.View().Credentials.Get("AKIA1"); err != nil || k == nil || k.Instance != demo.Instance("new") {
		t.Errorf("%v: %+v", err, k)
	}
}

// TestTheSweepTakesATime: an instance is lost, shown as INACTIVE for an hour, and gone; its key goes a month later, and its machine is refused
// as inactive as long as it has one.
func TestTheSweepTakesATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		_, s := startInstances(t, 5*time.Minute, cluster(), instance("1", false, &now), key("1", "1", now))
		c := &Sweep{State: s, Log: slog.New(slog.DiscardHandler)}
		done := make(chan error, 1)
		go func() { done <- c.Run(t.Context()) }()
		t.Cleanup(func() { <-done })
		hello := acs.Hello{Instance: demo.Instance("1"), Cluster: "demo"}
		kind := func(a arn.Instance) string {
			h := hello
			h.Instance = a
			var r *acs.Refusal
			if err := admit(s.View().Tables, h); !errors.As(err, &r) {
				return ""
			}
			return r.Kind
		}
		time.Sleep(30 * time.Minute)
		if i := s.View().Instances.Get(hello.Instance); i == nil || i.Status != ecs.Inactive || i.DeregisteredAt == nil || kind(hello.Instance) != acs.InactiveInstance {
			t.Fatalf("after half an hour: %+v, %s", i, kind(hello.Instance))
		}
		time.Sleep(time.Hour)
		if i := s.View().Instances.Get(hello.Instance); i != nil || kind(hello.Instance) != acs.InactiveInstance {
			t.Errorf("after an hour and a half: %+v, %s", i, kind(hello.Instance))
		}
		if got := kind(demo.Instance("never")); got != acs.InvalidInstance {
			t.Errorf("an instance that never was: %s", got)
		}
		time.Sleep(29 * 24 * time.Hour)
		if s.View().Credentials.Get("AKIA1") == nil {
			t.Error("the key is gone after 29 days")
		}
		time.Sleep(2 * 24 * time.Hour)
		if s.View().Credentials.Get("AKIA1") != nil {
			t.Error("the key is still there after a month")
		}
	})
}
