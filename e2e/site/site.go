package site

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Patience is how long anything may take. How long it should take, the benchmarks say.
const Patience = 60 * time.Second

// Site is an installation.
type Site struct {
	T       testing.TB
	Network *Network // on which replica n is machine n; nil: all are on this machine
	Members []*Replica

	keyID, secret string
	each          func(*Replica) // nil for none
}

// Open starts replicas that keep the state among themselves, or one that keeps it alone, and waits until they are ready.
func Open(t testing.TB, size int, on *Network) *Site {
	t.Helper()
	return OpenWith(t, size, on, nil)
}

// OpenWith is Open with a function that changes each replica before it is started.
func OpenWith(t testing.TB, size int, on *Network, each func(*Replica)) *Site {
	t.Helper()
	s := &Site{T: t, Network: on, each: each}
	first := s.Add()
	if size > 1 {
		first.Start("--cluster-init")
	} else {
		first.Start()
	}
	first.WaitReady()
	s.Credentials()
	for len(s.Members) < size {
		s.Join()
	}
	return s
}

// OnEtcd starts replicas on an etcd cluster.
func OnEtcd(t testing.TB, size int, on *Network, e *Etcd) *Site {
	t.Helper()
	s := &Site{T: t, Network: on}
	for i := range size {
		r := s.Add()
		r.Flags = e.Flags()
		if i > 0 {
			key, err := os.ReadFile(filepath.Join(s.Members[0].Data, "key"))
			if err == nil {
				err = os.WriteFile(filepath.Join(r.Data, "key"), key, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		r.Start()
		r.WaitReady()
	}
	s.Credentials()
	return s
}

// Join adds a replica with a token that the first one makes, and waits until it is ready.
func (s *Site) Join() *Replica {
	s.T.Helper()
	r := s.Add()
	r.Join(s.Members[0])
	return r
}

// Add makes a replica that has not been started.
func (s *Site) Add() *Replica {
	s.T.Helper()
	r := &Replica{site: s, Machine: len(s.Members) + 1, Program: Berth(s.T), Data: s.T.TempDir()}
	if s.Network != nil {
		r.Listen = s.Network.Address(r.Machine) + ":3270"
	} else {
		r.Listen, r.peer = Ports(s.T)
	}
	log, err := os.CreateTemp(s.T.TempDir(), "log")
	if err != nil {
		s.T.Fatal(err)
	}
	r.log = log
	if s.each != nil {
		s.each(r)
	}
	s.Members = append(s.Members, r)
	s.T.Cleanup(func() {
		r.Signal(syscall.SIGCONT)
		r.Kill()
		r.log.Close()
		if s.T.Failed() {
			text := r.Log()
			for line := range strings.Lines(text) {
				if strings.Contains(line, "leading ") {
					s.T.Logf("%v: %s", r, line)
				}
			}
			s.T.Logf("== %v\n%s", r, text[max(0, len(text)-2000):])
		}
	})
	return r
}

// Credentials reads the administrator's key, for all clients.
func (s *Site) Credentials() {
	s.T.Helper()
	var key struct{ AccessKeyID, SecretAccessKey string }
	b, err := os.ReadFile(filepath.Join(s.Members[0].Data, "credentials.json"))
	if err == nil {
		err = json.Unmarshal(b, &key)
	}
	if err != nil {
		s.T.Fatal(err)
	}
	s.keyID, s.secret = key.AccessKeyID, key.SecretAccessKey
}

// KeyID is the administrator's.
func (s *Site) KeyID() string { return s.keyID }

// Secret is the administrator's.
func (s *Site) Secret() string { return s.secret }

// Leader is the one of the replicas, of all unless some are named, that says it leads.
func (s *Site) Leader(among ...*Replica) (found *Replica) {
	s.T.Helper()
	if len(among) == 0 {
		among = s.Members
	}
	Eventually(s.T, "one replica leads", func() error {
		found = nil
		for _, r := range among {
			text, err := r.Readiness()
			if err != nil || !strings.Contains(text, "ok leader") {
				continue
			}
			if found != nil {
				return fmt.Errorf("%v and %v lead", found, r)
			}
			found = r
		}
		if found == nil {
			return errors.New("none does")
		}
		return nil
	})
	return found
}

// Without are the other replicas.
func (s *Site) Without(r *Replica) (rest []*Replica) {
	for _, x := range s.Members {
		if x != r {
			rest = append(rest, x)
		}
	}
	return rest
}

// WaitReady waits until every replica is.
func (s *Site) WaitReady() {
	s.T.Helper()
	for _, r := range s.Members {
		r.WaitReady()
	}
}

// Terms is how often a replica has begun to lead.
func (s *Site) Terms() (n int) {
	for _, r := range s.Members {
		n += strings.Count(r.Log(), "msg=leading ")
	}
	return n
}

// Eventually waits until something is so.
func Eventually(t testing.TB, what string, is func() error) {
	t.Helper()
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		err := is()
		if err == nil {
			return
		}
		if time.Since(began) > Patience {
			t.Fatalf("not within %v: %s: %v", Patience, what, err)
		}
	}
}
