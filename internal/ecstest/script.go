package ecstest

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// Script is what happens in one run, and when. The same script and seed make the same run, where the platform allows it.
type Script struct {
	Seed     uint64
	Replicas int
	Agents   int
	Steps    []Step
}

// Step is one thing that happens After the one before. What A, B, C and D mean depends on Do; numbers that name something are taken modulo how
// many of it there are.
type Step struct {
	After time.Duration
	Do    Action
	A     int `json:",omitempty"`
	B     int `json:",omitempty"`
	C     int `json:",omitempty"`
	D     int `json:",omitempty"`
}

// Action is what a step does.
type Action string

// Operations are called by clients; faults happen to processes and to the network.
const (
	CreateService   Action = "CreateService"   // service A, B tasks, family C, settings D
	UpdateService   Action = "UpdateService"   // service A, to B tasks or to family C, settings D
	DeleteService   Action = "DeleteService"   // service A
	StopDeployment  Action = "StopDeployment"  // the newest service deployment of service A, ABORT if B is odd, else ROLLBACK; before it, perhaps, an UpdateService
	TaskSet         Action = "TaskSet"         // of a service of its own: task set A is made, of family D, scaled to B times 20 percent, made primary, deleted: C says what
	RunTask         Action = "RunTask"         // B tasks, family C, constraint D
	StopTask        Action = "StopTask"        // task A of those that run
	Protect         Action = "Protect"         // task A of those of services, for B minutes; B 0 ends it
	Drain           Action = "Drain"           // instance A; DRAINING if B is odd, else ACTIVE
	Deregister      Action = "Deregister"      // instance A, with force if B is odd
	PutAttribute    Action = "PutAttribute"    // attribute B of instance A, to value C
	DeleteAttribute Action = "DeleteAttribute" // attribute B of instance A
	ChooseSetting   Action = "ChooseSetting"   // account setting A, to value B
	Tag             Action = "Tag"             // tag B of the cluster to value C, none if C is a multiple of 3
	Wrong           Action = "Wrong"           // a request that must be refused, number C

	KillReplica  Action = "KillReplica" // A; the leader if A is negative
	StartReplica Action = "StartReplica"
	CutStore     Action = "CutStore"   // replica A cannot reach the store; the leader if A is negative
	HealStore    Action = "HealStore"  // replica A
	BadCommit    Action = "BadCommit"  // the leader's next commit meets fault A
	Latency      Action = "Latency"    // of replica A's network, B ms
	CutWire      Action = "CutWire"    // agent A loses its connections
	FreezeWire   Action = "FreezeWire" // agent A's connections die silently
	LoseAnswers  Action = "LoseAnswers"
	RepeatCalls  Action = "RepeatCalls"
	ClientLoses  Action = "ClientLoses" // the clients' next B answers
	KillAgent    Action = "KillAgent"   // A, at its Bth next step; at once if B is 0
	StartAgent   Action = "StartAgent"
	LoseLedger   Action = "LoseLedger" // agent A, while it is down, forgets what it wrote down
	SlowEngine   Action = "SlowEngine" // agent A's engine takes B ms for everything
	StopEngine   Action = "StopEngine" // agent A's engine does not answer
	StartEngine  Action = "StartEngine"
	Exit         Action = "Exit"      // container A of those that run ends with code B
	Unhealthy    Action = "Unhealthy" // container A of those that run
)

// String reads like "+1.5s KillAgent 2 0 0 0".
func (s Step) String() string {
	return fmt.Sprintf("+%s %s %d %d %d %d", s.After, s.Do, s.A, s.B, s.C, s.D)
}

func (s Script) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d, %d replicas, %d agents\n", s.Seed, s.Replicas, s.Agents)
	for _, x := range s.Steps {
		fmt.Fprintln(&b, x)
	}
	return b.String()
}

var operations = []Action{
	CreateService, CreateService, CreateService, CreateService, UpdateService, UpdateService, UpdateService, UpdateService, UpdateService, DeleteService,
	StopDeployment, StopDeployment, TaskSet, TaskSet, TaskSet, TaskSet, RunTask, RunTask, StopTask, StopTask, Protect, Protect, Protect, Drain, Drain, Deregister,
	PutAttribute, PutAttribute, PutAttribute, DeleteAttribute, ChooseSetting, Tag, Wrong,
}

var faults = []Action{
	KillReplica, KillReplica, StartReplica, StartReplica, CutStore, HealStore, HealStore, BadCommit, BadCommit, Latency, CutWire, CutWire, FreezeWire, LoseAnswers,
	RepeatCalls, ClientLoses, KillAgent, KillAgent, StartAgent, StartAgent, LoseLedger, SlowEngine, StopEngine, StartEngine, StartEngine, Exit, Exit, Unhealthy,
}

// NewScript draws a script from a seed.
func NewScript(seed uint64) Script {
	r := rand.New(rand.NewPCG(seed, 0x6265727468))
	s := Script{Seed: seed, Replicas: 1 + r.IntN(3), Agents: 2 + r.IntN(4)}
	for n := range 15 + r.IntN(30) {
		x := Step{After: time.Duration(r.ExpFloat64() * float64(1500*time.Millisecond)), A: r.IntN(64), B: r.IntN(6), C: r.IntN(64), D: r.IntN(settingsEnd)}
		if n < 4 || r.IntN(5) < 3 {
			x.Do = operations[r.IntN(len(operations))]
		} else {
			x.Do = faults[r.IntN(len(faults))]
		}
		if n < 2 {
			x.Do = CreateService
		}
		switch x.Do {
		case KillReplica, CutStore:
			if r.IntN(2) == 0 {
				x.A = -1
			}
		case KillAgent:
			x.B = r.IntN(20)
		case Latency:
			x.B = r.IntN(200)
		case SlowEngine:
			x.B = r.IntN(5000)
		}
		if r.IntN(12) == 0 {
			x.After += time.Duration(r.IntN(60)) * time.Second
		}
		s.Steps = append(s.Steps, x)
	}
	return s
}
