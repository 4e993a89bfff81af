package acs

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// vendedTo is what m got since it was asked last.
func vendedTo(m *machine) (got []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	got, m.vended = m.vended, nil
	return got
}

func TestCredentialsAreRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, m := start(t), &machine{}
		w.roles = []string{"a", "b"}
		w.agent(t, m)
		time.Sleep(time.Second)
		if got := vendedTo(m); !slices.Equal(got, []string{"a 1", "b 2"}) {
			t.Errorf("an agent that has just started got %q", got)
		}
		time.Sleep(119 * time.Minute)
		if got := vendedTo(m); got != nil {
			t.Errorf("before two hours are over %q came", got)
		}
		time.Sleep(2 * time.Minute)
		if got := vendedTo(m); !slices.Equal(got, []string{"a 3", "b 4"}) {
			t.Errorf("after two hours %q came", got)
		}
	})
}

// Credentials that were not acked come again, new ones, until they are or their task has none any more; nobody else's do.
func TestUnackedCredentialsComeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, m := start(t), &machine{unknown: "b"}
		w.roles = []string{"a", "b"}
		w.agent(t, m)
		time.Sleep(75 * time.Second)
		if got := vendedTo(m); !slices.Equal(got, []string{"a 1", "b 2", "b 3", "b 4"}) {
			t.Errorf("got %q", got)
		}
		m.mu.Lock()
		m.unknown = ""
		m.mu.Unlock()
		time.Sleep(5 * time.Minute)
		if got := vendedTo(m); !slices.Equal(got, []string{"b 5"}) {
			t.Errorf("once it takes them it got %q", got)
		}
	})
}

func TestCredentialsOfTasksThatAreGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, m := start(t), &machine{unknown: "a"}
		w.roles = []string{"a"}
		w.agent(t, m)
		time.Sleep(time.Second)
		w.control.mu.Lock()
		w.roles = nil
		w.control.mu.Unlock()
		time.Sleep(time.Hour)
		if got := vendedTo(m); !slices.Equal(got, []string{"a 1"}) {
			t.Errorf("got %q", got)
		}
	})
}

// An agent that connects again has credentials: new ones come some time in the first twelve minutes, not all agents' at once.
func TestCredentialsAfterAReconnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, m := start(t), &machine{}
		w.agent(t, m)
		time.Sleep(time.Second)
		w.control.mu.Lock()
		w.roles = []string{"a"}
		w.control.mu.Unlock()
		w.stopHub()
		w.runHub(t)
		time.Sleep(13 * time.Minute)
		if got := vendedTo(m); !slices.Equal(got, []string{"a 1"}) {
			t.Errorf("got %q", got)
		}
	})
}
