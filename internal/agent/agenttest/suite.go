package agenttest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"

	"berth/internal/agent"
)

// Kind is how a container of the suite behaves.
type Kind string

// The kinds of containers that an engine under test must offer.
const (
	Polite   Kind = "polite"   // runs until SIGTERM, and exits with 143
	Stubborn Kind = "stubborn" // runs until SIGKILL
	Brief    Kind = "brief"    // exits with 3 at once
	Broken   Kind = "broken"   // cannot be started
	Nowhere  Kind = "nowhere"  // its image does not exist
)

// Rig is an engine under test.
type Rig struct {
	Engine       agent.Engine
	Installation string
	Spec         func(Kind) agent.Spec // with an image and a command; the suite adds the name and labels
	LocalImage   string                // one that never came from a registry
}

// RunEngine runs the contract of engines on an engine. make is called once for each part of it.
func RunEngine(t *testing.T, make func(t *testing.T) Rig) {
	for name, f := range map[string]func(*testing.T, *rig){
		"life": testLife, "name taken": testNameTaken, "stop": testStop, "refusals": testRefusals, "absent": testAbsent, "events": testEvents,
		"facts": testFacts, "others": testOthers, "volumes": testVolumes, "images": testImages, "machine": testMachine, "early end of ctx": testContext,
	} {
		t.Run(name, func(t *testing.T) {
			r := &rig{Rig: make(t), ctx: t.Context(), prefix: fmt.Sprintf("suite-%d-%x-", os.Getpid(), time.Now().UnixNano())}
			t.Cleanup(r.clear)
			f(t, r)
		})
	}
}

type rig struct {
	Rig
	ctx    context.Context
	prefix string
	made   []string
}

// clear removes what a part has made.
func (r *rig) clear() {
	for _, n := range r.made {
		if err := r.Engine.Remove(context.Background(), n); err != nil {
			panic(err)
		}
	}
}

func (r *rig) spec(k Kind, name, installation string) agent.Spec {
	s := r.Spec(k)
	s.Name = r.prefix + name
	s.Config.Labels = map[string]string{agent.LabelInstallation: installation, "suite": r.prefix + name}
	if s.HostConfig == nil {
		s.HostConfig = &container.HostConfig{}
	}
	r.made = append(r.made, s.Name)
	return s
}

func (r *rig) create(t *testing.T, k Kind, name string) string {
	t.Helper()
	id, err := r.Engine.Create(r.ctx, r.spec(k, name, r.Installation))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func (r *rig) inspect(t *testing.T, id string) agent.Observed {
	t.Helper()
	o, err := r.Engine.Inspect(r.ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func (r *rig) start(t *testing.T, id string) {
	t.Helper()
	if err := r.Engine.Start(r.ctx, id); err != nil {
		t.Fatal(err)
	}
}

func testLife(t *testing.T, r *rig) {
	before := time.Now().Add(-time.Minute)
	id := r.create(t, Polite, "a")
	if o := r.inspect(t, id); o.State != agent.Created || o.ID != id || o.Name != r.prefix+"a" || o.Labels["suite"] != r.prefix+"a" || !o.StartedAt.IsZero() {
		t.Errorf("created: %+v", o)
	}
	r.start(t, id)
	r.start(t, id) // again is no error, and no second start
	if o := r.inspect(t, r.prefix+"a"); o.State != agent.Running || o.ID != id || o.StartedAt.Before(before) || o.Health != "" {
		t.Errorf("started: %+v", o)
	}
	if err := r.Engine.Stop(r.ctx, id, 10*time.Second); err != nil {
		t.Fatal(err)
	}
	if o := r.inspect(t, id); o.State != agent.Exited || o.ExitCode != 143 || o.OOMKilled || o.FinishedAt.Before(o.StartedAt) {
		t.Errorf("stopped: %+v", o)
	}
	if err := r.Engine.Remove(r.ctx, id); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Engine.Inspect(r.ctx, id); !errors.Is(err, agent.ErrNotFound) {
		t.Errorf("inspect after remove: %v", err)
	}
}

func testNameTaken(t *testing.T, r *rig) {
	id := r.create(t, Polite, "a")
	if _, err := r.Engine.Create(r.ctx, r.spec(Polite, "a", r.Installation)); !errors.Is(err, agent.ErrNameTaken) {
		t.Errorf("second create: %v", err)
	}
	if o := r.inspect(t, r.prefix+"a"); o.ID != id {
		t.Errorf("the name leads to %s, want %s", o.ID, id)
	}
}

func testStop(t *testing.T, r *rig) {
	id := r.create(t, Stubborn, "a")
	r.start(t, id)
	if err := r.Engine.Stop(r.ctx, id, time.Second); err != nil {
		t.Fatal(err)
	}
	if o := r.inspect(t, id); o.State != agent.Exited || o.ExitCode != 137 {
		t.Errorf("killed: %+v", o)
	}
	if err := r.Engine.Stop(r.ctx, id, time.Second); err != nil {
		t.Errorf("stop of what has ended: %v", err)
	}
	running := r.create(t, Stubborn, "b")
	r.start(t, running)
	if err := r.Engine.Remove(r.ctx, running); err != nil {
		t.Errorf("remove of what runs: %v", err)
	}
}

func testRefusals(t *testing.T, r *rig) {
	if _, err := r.Engine.Create(r.ctx, r.spec(Nowhere, "a", r.Installation)); !errors.Is(err, agent.ErrNotFound) {
		t.Errorf("create without image: %v", err)
	}
	id := r.create(t, Broken, "b")
	err := r.Engine.Start(r.ctx, id)
	if err == nil || errors.Is(err, agent.ErrNotFound) || errors.Is(err, agent.ErrUnavailable) {
		t.Errorf("start of what cannot start: %v", err)
	}
	if o := r.inspect(t, id); o.State == agent.Running {
		t.Errorf("it runs: %+v", o)
	}
}

func testAbsent(t *testing.T, r *rig) {
	none := r.prefix + "none"
	if err := r.Engine.Start(r.ctx, none); !errors.Is(err, agent.ErrNotFound) {
		t.Errorf("start: %v", err)
	}
	for what, err := range map[string]error{"stop": r.Engine.Stop(r.ctx, none, time.Second), "remove": r.Engine.Remove(r.ctx, none),
		"remove volume": r.Engine.RemoveVolume(r.ctx, none)} {
		if err != nil {
			t.Errorf("%s of what is not there: %v", what, err)
		}
	}
	if _, err := r.Engine.Inspect(r.ctx, none); !errors.Is(err, agent.ErrNotFound) {
		t.Errorf("inspect: %v", err)
	}
}

// follow collects the kinds of events of the containers, until done says that they are enough.
func (r *rig) follow(t *testing.T, do func(), done func(got []string) bool) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(r.ctx, time.Minute)
	defer cancel()
	ready := make(chan struct{})
	ended := make(chan error, 1)
	var mu sync.Mutex
	var got []string
	go func() {
		ended <- r.Engine.Watch(ctx, func() { close(ready) }, func(e agent.Event) {
			mu.Lock()
			defer mu.Unlock()
			name, mine := strings.CutPrefix(e.Labels["suite"], r.prefix)
			if !mine { // of another part, told late
				return
			}
			text := fmt.Sprint(name, " ", e.Kind)
			if e.Kind == agent.Died {
				text += fmt.Sprint(" ", e.ExitCode)
			}
			if got = append(got, text); done(got) {
				cancel()
			}
		})
	}()
	select {
	case <-ready:
		do()
	case err := <-ended:
		t.Fatalf("watch ended: %v", err)
	}
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("watch ended with %v, having told %q", err, got)
	}
	return got
}

func testEvents(t *testing.T, r *rig) {
	got := r.follow(t, func() {
		id := r.create(t, Brief, "a")
		r.start(t, id)
		other := r.create(t, Polite, "b")
		r.start(t, other)
		if err := r.Engine.Remove(r.ctx, other); err != nil {
			t.Error(err)
		}
	}, func(got []string) bool {
		return slices.Contains(got, "b destroyed") && slices.Contains(got, "a died 3")
	})
	for _, want := range []string{"a started", "a died 3", "b started", "b died 137"} {
		if !slices.Contains(got, want) {
			t.Errorf("told %q, not %q", got, want)
		}
	}
	if slices.Index(got, "a started") > slices.Index(got, "a died 3") {
		t.Errorf("told out of order: %q", got)
	}
}

func testOthers(t *testing.T, r *rig) {
	got := r.follow(t, func() {
		id, err := r.Engine.Create(r.ctx, r.spec(Brief, "stranger", "of another installation"))
		if err != nil {
			t.Error(err)
		}
		r.start(t, id)
		r.start(t, r.create(t, Brief, "a"))
	}, func(got []string) bool { return slices.Contains(got, "a died 3") })
	for _, g := range got {
		if g != "a started" && g != "a died 3" {
			t.Errorf("told of %q", g)
		}
	}
	id := r.create(t, Polite, "b")
	list, err := r.Engine.List(r.ctx)
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, o := range list {
		if o.Name == r.prefix+"stranger" {
			t.Errorf("listed a stranger: %+v", o)
		}
		if o.Name == r.prefix+"b" && o.State == agent.Created && o.ID == id || o.Name == r.prefix+"a" && o.ID != "" {
			seen++
		}
	}
	if seen != 2 {
		t.Errorf("listed %+v", list)
	}
}

func testImages(t *testing.T, r *rig) {
	if i, err := r.Engine.Image(r.ctx, r.LocalImage); err != nil || i.ID == "" || i.Digest != "" {
		t.Errorf("local image: %+v, %v", i, err)
	}
	if _, err := r.Engine.Image(r.ctx, "nowhere.invalid/x:1"); !errors.Is(err, agent.ErrNotFound) {
		t.Errorf("image that is not there: %v", err)
	}
	if err := r.Engine.Pull(r.ctx, "127.0.0.1:1/nowhere:1", agent.Login{}); err == nil || errors.Is(err, agent.ErrUnavailable) {
		t.Errorf("pull of what is nowhere: %v", err)
	}
}

func testVolumes(t *testing.T, r *rig) {
	v := agent.Volume{Name: r.prefix + "v", Driver: "local", Labels: map[string]string{"suite": r.prefix}}
	if _, err := r.Engine.Volume(r.ctx, v.Name); !errors.Is(err, agent.ErrNotFound) {
		t.Errorf("volume that is not there: %v", err)
	}
	for range 2 { // again is no error
		if err := r.Engine.CreateVolume(r.ctx, v); err != nil {
			t.Fatal(err)
		}
	}
	if have, err := r.Engine.Volume(r.ctx, v.Name); err != nil || have.Name != v.Name || have.Driver != "local" || have.Labels["suite"] != r.prefix {
		t.Errorf("volume %+v, %v", have, err)
	}
	if err := r.Engine.RemoveVolume(r.ctx, v.Name); err != nil {
		t.Error(err)
	}
	if _, err := r.Engine.Volume(r.ctx, v.Name); !errors.Is(err, agent.ErrNotFound) {
		t.Errorf("volume that was removed: %v", err)
	}
	v.Driver = "no-such-driver"
	if err := r.Engine.CreateVolume(r.ctx, v); err == nil {
		t.Error("made with a driver that does not exist")
	}
}

func testMachine(t *testing.T, r *rig) {
	m, err := r.Engine.Machine(r.ctx)
	if err != nil || m.CPUs < 1 || m.MemoryBytes < 1<<20 || m.Version == "" || m.APIVersion == "" || m.OSType != "linux" || len(m.LogDrivers) == 0 ||
		(m.CgroupVersion != 1 && m.CgroupVersion != 2) || m.Architecture == "" {
		t.Errorf("machine %+v, %v", m, err)
	}
}

func testContext(t *testing.T, r *rig) {
	ctx, cancel := context.WithCancel(r.ctx)
	cancel()
	if _, err := r.Engine.Create(ctx, r.spec(Polite, "a", r.Installation)); !errors.Is(err, context.Canceled) {
		t.Errorf("create after the end: %v", err)
	}
	if _, err := r.Engine.Inspect(ctx, "x"); !errors.Is(err, context.Canceled) {
		t.Errorf("inspect after the end: %v", err)
	}
}
