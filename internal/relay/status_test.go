package relay

import (
	"testing"
	"testing/synctest"
	"time"

	"berth/internal/arn"
)

// Sessions are listed while they are open and after, in their account and region, those of last first, and the oldest are forgotten.
func TestList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t)
		here := arn.ScopeOf(demo.Task("t"))
		first := w.open(t)
		time.Sleep(time.Second)
		second := w.open(t)
		open := w.relay.List(here, false)
		if len(open) != 2 || open[0].ID != second.ID || open[1].ID != first.ID || open[0].Joined || !open[0].Ended.IsZero() || open[0].Caller != "me" {
			t.Errorf("%+v", open)
		}
		if s, ok := w.relay.Find(first.ID); !ok || s.ID != first.ID {
			t.Errorf("%+v, %v", s, ok)
		}
		w.client(t, second)
		synctest.Wait()
		if open = w.relay.List(here, false); !open[0].Joined || open[1].Joined {
			t.Errorf("joined: %+v", open)
		}
		for _, elsewhere := range []arn.Scope{{Region: "us-east-1", Account: "210987654321"}, {Region: "eu-west-1", Account: here.Account}} {
			if list := w.relay.List(elsewhere, false); list != nil {
				t.Errorf("%v: %+v", elsewhere, list)
			}
		}
		if err := w.relay.Terminate(first.ID); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		past := w.relay.List(here, true)
		if len(past) != 1 || past[0].ID != first.ID || past[0].Ended.IsZero() || past[0].Command != "" || len(w.relay.List(here, false)) != 1 {
			t.Errorf("%+v", past)
		}
		if _, ok := w.relay.Find(first.ID); ok {
			t.Error("it is found when it has ended")
		}
		for range mostPast + 5 {
			w.relay.remember(Status{Request: Request{Task: demo.Task("t")}, ID: "later", Began: time.Now()})
		}
		if past = w.relay.List(here, true); len(past) != mostPast || past[len(past)-1].ID != "later" {
			t.Errorf("%d are remembered", len(past))
		}
	})
}
