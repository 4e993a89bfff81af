package ecstest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"

	"berth/internal/pipenet"
	"berth/internal/seal"
	"berth/internal/state/mem"
)

// world is everything of one run.
type world struct {
	script  Script
	log     *slog.Logger
	cluster *mem.Cluster
	key     seal.Key
	watch   *watcher
	agents  []*machine
	client  *wire
	api     *awsecs.Client

	mu       sync.Mutex
	rng      *rand.Rand
	replicas []*replica         // nil while it is down
	nets     []*pipenet.Network // of the replicas' newest processes
	ended    []*replica         // killed ones, to be waited for
	calls    sync.WaitGroup
	clients
}

// Result is what a run led to.
type Result struct {
	Trace      string
	Violations []string
}

// Failed reports whether an invariant was broken.
func (r Result) Failed() bool { return len(r.Violations) > 0 }

// Run plays a script to its end, heals everything, and waits until the services are as they should be. verbose gets the logs of all processes.
func Run(s Script, verbose io.Writer) Result {
	w := newWorld(s, verbose)
	ctx, cancel := context.WithCancel(context.Background())
	watched := make(chan error, 1)
	go func() { watched <- w.watch.run(ctx) }()
	w.begin(ctx)
	for _, x := range s.Steps {
		time.Sleep(x.After)
		w.watch.note("step %s %d %d %d %d", x.Do, x.A, x.B, x.C, x.D)
		w.step(x)
	}
	w.heal()
	w.conclude(ctx)
	w.end()
	cancel()
	<-watched
	w.watch.mu.Lock()
	defer w.watch.mu.Unlock()
	return Result{w.watch.text(), w.watch.violations}
}

func newWorld(s Script, verbose io.Writer) *world {
	log := slog.New(slog.DiscardHandler)
	if verbose != nil {
		log = slog.New(slog.NewTextHandler(verbose, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	key, err := seal.ParseKey(seal.NewKey())
	if err != nil {
		panic(err) // a new key is well formed
	}
	w := &world{script: s, log: log, cluster: mem.NewCluster(), key: key, rng: rand.New(rand.NewPCG(s.Seed, 1)), clients: newClients()}
	w.watch = newWatcher(w.cluster)
	w.nets, w.replicas = make([]*pipenet.Network, s.Replicas), make([]*replica, s.Replicas)
	w.client = newWire(0, w.dial)
	w.api = awsecs.New(awsecs.Options{
		Region: region, BaseEndpoint: aws.String("http://berth"), HTTPClient: w.client.client(), RetryMaxAttempts: 4,
		Credentials: credentials.NewStaticCredentialsProvider(adminKey, "secret", ""),
	})
	for n := range s.Agents {
		w.agents = append(w.agents, w.newMachine(n))
	}
	return w
}

// dial reaches a replica that listens: from try on, one after another.
func (w *world) dial(ctx context.Context, try int) (net.Conn, error) {
	w.mu.Lock()
	nets := slices.Clone(w.nets)
	w.mu.Unlock()
	for k := range nets {
		c, err := nets[(try+k)%len(nets)].Dial(ctx, "tcp", "berth:80")
		if err == nil || !errors.Is(err, syscall.ECONNREFUSED) {
			return c, err
		}
	}
	return nil, syscall.ECONNREFUSED
}

// begin starts all processes and makes what the scripts use.
func (w *world) begin(ctx context.Context) {
	for n := range w.replicas {
		w.startReplica(n)
	}
	leader := w.leader()
	for leader == nil || !w.open() {
		time.Sleep(100 * time.Millisecond)
		leader = w.leader()
	}
	for _, m := range w.agents {
		if err := leader.admit(ctx, m.accessKey()); err != nil {
			w.watch.wrong("start", "credential: %v", err)
		}
	}
	for _, m := range w.agents {
		m.start()
	}
	w.define(ctx)
}

// open reports whether every replica knows the clients' key, which the leader has made.
func (w *world) open() bool {
	for n := range w.replicas {
		if _, r := w.pick(n); r != nil {
			if _, known := r.keys.Find(adminKey, ""); !known {
				return false
			}
		}
	}
	return true
}

func (w *world) startReplica(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.replicas[n] == nil {
		w.nets[n] = pipenet.New() // a new process's: the old one may still be closing its own
		w.replicas[n] = startReplica(fmt.Sprintf("cp%d", n), w.nets[n], w.cluster, w.key, w.find, w.log)
	}
}

// killReplica kills a process; the last one that lives is spared, so that clients have somebody to wait for.
func (w *world) killReplica(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if r := w.replicas[n]; r != nil {
		r.kill()
		w.replicas[n] = nil
		w.ended = append(w.ended, r)
	}
}

func (w *world) find(host string) *replica {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range w.replicas {
		if r != nil && r.name == host {
			return r
		}
	}
	return nil
}

// pick is replica a, or the leader if a is negative; nil if there is none.
func (w *world) pick(a int) (int, *replica) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if a >= 0 {
		n := a % len(w.replicas)
		return n, w.replicas[n]
	}
	for n, r := range w.replicas {
		if r != nil && r.store.Leading() {
			return n, r
		}
	}
	return 0, nil
}

func (w *world) leader() *replica { _, r := w.pick(-1); return r }

// heal ends all faults and starts what is down.
func (w *world) heal() {
	w.watch.note("heal")
	for n := range w.replicas {
		if _, r := w.pick(n); r != nil {
			r.backend.Faults.Heal()
			r.net.SetLatency(0)
		}
		w.startReplica(n)
	}
	w.client.heal()
	for _, m := range w.agents {
		m.wire.heal()
		m.engine.Down(false)
		m.engine.SetPace(0)
		m.mu.Lock()
		m.left = 0
		m.mu.Unlock()
	}
	w.calls.Wait()
	for _, m := range w.agents {
		m.awaitEnd()
		m.start()
	}
}

// end stops everything, so that the next run of the process starts from nothing.
func (w *world) end() {
	for _, m := range w.agents {
		m.kill(0)
		<-m.done
	}
	for n := range w.replicas {
		w.killReplica(n)
	}
	for _, r := range w.ended {
		<-r.stopped
	}
	w.client.cut()
	for _, m := range w.agents {
		m.wire.cut()
	}
	time.Sleep(10 * time.Minute) // nothing waits for longer
}

// containers lists the names of the running containers of all machines.
func (w *world) containers() (out []container) {
	for _, m := range w.agents {
		running := m.engine.Running()
		for _, name := range slices.Sorted(maps.Keys(running)) {
			out = append(out, container{m, name, running[name][taskLabel]})
		}
	}
	return out
}

// taskLabel is the label by which a container tells its task.
const taskLabel = "com.amazonaws.ecs.task-arn"

type container struct {
	machine *machine
	name    string
	task    string // ARN
}

// starts counts how often each container was started, over all machines.
func (w *world) starts() map[string]int {
	out := map[string]int{}
	for _, m := range w.agents {
		for call, n := range m.engine.Done() {
			if name, ok := strings.CutPrefix(call, "start "); ok {
				out[name] += n
			}
		}
	}
	return out
}
