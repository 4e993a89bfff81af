// Package faults breaks a cluster of real servers: partitions between network namespaces, kill -9 and SIGSTOP, with clients and simulated
// container instances at it all the while, and checks the history of everything that was answered.
package faults

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// history is all that clients and agents were answered, with when they asked and when they had the answer, on one monotonic clock.
//
// Everything in it is a register whose values only grow: a key with the number that its one writer gave it last. A writer whose write was not
// answered leaves the key for ever, so that a request which is done late cannot take a greater number back. A task has two such keys: how far
// its last status is, and how far its desired status.
type history struct {
	mu     sync.Mutex
	writes []write
	reads  []read
	rooms  []room
	starts []start
	orders []order
}

// span is one call: who made it, through which replica, and when.
type span struct {
	who          string
	began, ended time.Duration
}

// write gives a key a greater value. What was not acknowledged may have been done, or may be done later, or never.
type write struct {
	span
	key   string
	value int
	acked bool
}

// read is a key's value in an answer; a key that the answer does not know has the value 0.
type read struct {
	span
	key   string
	value int
	owned bool // only the writers of this history give the key its values
}

// room is what one answer says about a container instance: what it registered, and what tasks that have not stopped reserve of it.
type room struct {
	span
	instance         string
	registered, used [2]int // CPU units, MiB
}

// start is an agent's report, which the control plane took, that a task runs or has stopped.
type start struct {
	at      time.Duration
	task    string
	stopped bool
}

// order is a task that an answer named as made for a client's token.
type order struct{ token, task string }

func (h *history) wrote(w write) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.writes = append(h.writes, w)
}

func (h *history) saw(r ...read) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.reads = append(h.reads, r...)
}

func (h *history) measured(r ...room) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.rooms = append(h.rooms, r...)
}

func (h *history) reported(s start) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.starts = append(h.starts, s)
}

func (h *history) ordered(o ...order) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.orders = append(h.orders, o...)
}

// check returns everything in the history that a correct installation cannot have answered.
func (h *history) check() (wrong []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	wrong = append(wrong, h.stale()...)
	wrong = append(wrong, h.invented()...)
	wrong = append(wrong, h.overbooked()...)
	wrong = append(wrong, h.startedTwice()...)
	return append(wrong, h.orderedTwice()...)
}

// known is the least that a key's value is from some moment on, and by whom that is known since when.
type known struct {
	from  time.Duration
	value int
	who   string
	did   string
	since time.Duration
}

// stale finds reads that are older than what was answered before they began: to a writer (a lost write, a stale read) or to a reader (a
// status that went back).
func (h *history) stale() (wrong []string) {
	facts := map[string][]known{}
	for _, w := range h.writes {
		if w.acked {
			facts[w.key] = append(facts[w.key], known{w.ended, w.value, w.who, "written", w.ended})
		}
	}
	for _, r := range h.reads {
		facts[r.key] = append(facts[r.key], known{r.ended, r.value, r.who, "read", r.ended})
	}
	for _, f := range facts {
		slices.SortStableFunc(f, func(a, b known) int { return cmp.Compare(a.from, b.from) })
		for i := 1; i < len(f); i++ {
			if f[i-1].value > f[i].value {
				from := f[i].from
				f[i] = f[i-1]
				f[i].from = from
			}
		}
	}
	for _, r := range h.reads {
		f := facts[r.key]
		n, _ := slices.BinarySearchFunc(f, r.began, func(k known, t time.Duration) int { return cmp.Compare(k.from, t) })
		if n == 0 {
			continue
		}
		if k := f[n-1]; k.value > r.value { // the last of what was known before the read began
			wrong = append(wrong, fmt.Sprintf("%s: %s read %d, asking at %v, but %s had %s %d by %v", r.key, r.who, r.value, r.began, k.who, k.did, k.value, k.since))
		}
	}
	return wrong
}

// invented finds values that nobody had begun to write when they were read.
func (h *history) invented() (wrong []string) {
	tried := map[string][]write{}
	for _, w := range h.writes {
		tried[w.key] = append(tried[w.key], w)
	}
	for _, r := range h.reads {
		most := 0
		for _, w := range tried[r.key] {
			if w.began < r.ended {
				most = max(most, w.value)
			}
		}
		if r.owned && r.value > most {
			wrong = append(wrong, fmt.Sprintf("%s: %s read %d by %v, but at most %d was being written", r.key, r.who, r.value, r.ended, most))
		}
	}
	return wrong
}

func (h *history) overbooked() (wrong []string) {
	for _, r := range h.rooms {
		for n, unit := range []string{"CPU units", "MiB"} {
			if r.used[n] > r.registered[n] {
				wrong = append(wrong, fmt.Sprintf("%s: %s saw %d of %d %s reserved at %v", r.instance, r.who, r.used[n], r.registered[n], unit, r.ended))
			}
		}
	}
	return wrong
}

// startedTwice finds tasks that agents said twice to run, or to run after they had stopped. An agent reports each status of a task once, until
// it is taken; an order that is only sent again changes nothing about a task that is there.
func (h *history) startedTwice() (wrong []string) {
	runs, stopped := map[string]time.Duration{}, map[string]time.Duration{}
	for _, s := range h.starts {
		first, again := runs[s.task]
		over, gone := stopped[s.task]
		switch {
		case s.stopped:
			stopped[s.task] = s.at
			continue
		case gone:
			wrong = append(wrong, fmt.Sprintf("%s: runs at %v, but had stopped at %v", s.task, s.at, over))
		case again:
			wrong = append(wrong, fmt.Sprintf("%s: was started twice, %v and %v", s.task, first, s.at))
		}
		runs[s.task] = s.at
	}
	return wrong
}

// orderedTwice finds client tokens with more than the one task that each asked for, however often the request was sent.
func (h *history) orderedTwice() (wrong []string) {
	tasks := map[string]map[string]bool{}
	for _, o := range h.orders {
		if tasks[o.token] == nil {
			tasks[o.token] = map[string]bool{}
		}
		tasks[o.token][o.task] = true
	}
	for _, token := range slices.Sorted(maps.Keys(tasks)) {
		if n := len(tasks[token]); n > 1 {
			wrong = append(wrong, fmt.Sprintf("token %s: %d tasks for one: %v", token, n, slices.Sorted(maps.Keys(tasks[token]))))
		}
	}
	return wrong
}
