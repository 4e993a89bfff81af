// Package backendtest holds the store's backends to their contract: the same behaviours for every one, with faults injected at its seams.
package backendtest

import (
	"testing"
	"time"

	"berth/internal/state"
)

// Cluster is one empty store, and the ways to reach and to age it.
type Cluster struct {
	// Replica returns another replica's connection. The cluster closes it at the end of the test.
	Replica func(t *testing.T) Replica
	// Version returns the connection of a replica with a name that knows a version of the records, and has told so when it returns.
	Version func(t *testing.T, name string, version int) Replica
	// Compact forgets how the newest commit came about.
	Compact func(t *testing.T)
	// Lease is how long a silent leader stays leader.
	Lease time.Duration
}

// Replica is one replica's backend, and the ways to break it.
type Replica struct {
	state.Backend
	// Next lets the replica's next Commit meet a fault.
	Next func(Fault)
	// Arrive returns once a request that Late has held back has reached the cluster.
	Arrive func()
	// Expire ends the replica's lease at the cluster.
	Expire func()
	// Silence cuts the replica off for good, as kill -9 would: the cluster hears nothing of it any more.
	Silence func()
}

// Fault is what a Commit meets.
type Fault int

// The faults.
const (
	LostAnswer  Fault = iota // applied, but the answer does not come
	LostRequest              // never arrives
	Late                     // the answer does not come, and the request arrives when Arrive is called
	NoSpace                  // the cluster has no space and cannot make any
)

// Behaviour is one named part of the contract.
type Behaviour struct {
	Name  string
	Check func(*testing.T, Cluster)
}

// Run checks every behaviour, each on a cluster of its own, several at a time.
func Run(t *testing.T, open func(t *testing.T) Cluster) {
	for _, b := range Behaviours() {
		t.Run(b.Name, func(t *testing.T) {
			t.Parallel()
			b.Check(t, open(t))
		})
	}
}

// Behaviours is the whole contract.
func Behaviours() []Behaviour {
	return []Behaviour{
		{"a new store is empty", newStoreIsEmpty},
		{"commit numbers have no gaps", numbersHaveNoGaps},
		{"values come back byte for byte", valuesAreIdentical},
		{"deleted keys are gone", deletedKeysAreGone},
		{"a full batch fits", fullBatchFits},
		{"a batch that is too large fails and the term goes on", tooLarge},
		{"a key twice in a batch fails and the term goes on", keyTwice},
		{"no space fails and the term goes on", noSpace},
		{"unknown and applied", unknownApplied},
		{"unknown and not applied", unknownNotApplied},
		{"unknown and late: an empty commit bars it", unknownLate},
		{"a commit cut short is unknown", cutShort},
		{"the fence refuses a deposed leader", fenceRefuses},
		{"an expired lease refuses as well", expiredLeaseRefuses},
		{"a new leader loads all that was committed", newLeaderLoadsAll},
		{"resigning hands over at once", resignHandsOver},
		{"a silent leader is replaced after its lease", silentLeaderIsReplaced},
		{"a confirmation ages when the cluster is silent", confirmationAges},
		{"two candidates are never both leader", neverTwoLeaders},
		{"the leader's address is known", addressIsKnown},
		{"a campaign ends with its context", campaignEnds},
		{"commits are followed in order and whole", followInOrder},
		{"commits are followed from any mark on", followFromMark},
		{"followers see every leader's commits", followAcrossLeaders},
		{"following from before a compaction fails", followCompacted},
		{"following ends with the error of apply", followEnds},
		{"the record version is raised once all replicas know it", versionIsRaised},
		{"nobody leads over newer records", nobodyLeadsOverNewer},
		{"the newest commit never goes back", headNeverGoesBack},
	}
}
