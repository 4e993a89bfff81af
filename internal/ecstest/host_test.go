package ecstest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"
)

// host runs the simulation as a WebAssembly program whose random source, clock and sleep follow from the script's seed: nothing in a run comes
// from anywhere else, so the same script makes the same run.
type host struct {
	runtime wazero.Runtime
	module  wazero.CompiledModule
}

// theHost is made once for all tests.
var theHost = sync.OnceValues(func() (*host, error) {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "berth-simulation")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "simulation.wasm")
	build := exec.Command("go", "build", "-o", program, "berth/internal/ecstest/simulation")
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the simulation: %w\n%s", err, out)
	}
	code, err := os.ReadFile(program)
	if err != nil {
		return nil, err
	}
	h := &host{runtime: wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigCompiler().WithCloseOnContextDone(true))}
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, h.runtime); err != nil {
		return nil, err
	}
	if h.module, err = h.runtime.CompileModule(ctx, code); err != nil {
		return nil, fmt.Errorf("compile the simulation: %w", err)
	}
	return h, nil
})

// clock is a run's time: it moves when the program sleeps, and by a moment each time that it looks.
type clock struct{ now int64 }

const moment = 1000 // ns

func (c *clock) nano() int64 { c.now += moment; return c.now }

func (c *clock) wall() (int64, int32) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(c.nano()))
	return at.Unix(), int32(at.Nanosecond())
}

func (c *clock) sleep(ns int64) {
	if ns > 0 {
		c.now += ns
	}
}

// chance is a run's random source.
type chance struct{ *rand.ChaCha8 }

// play runs a script and returns its trace.
func (h *host) play(ctx context.Context, s Script, logs bool) (trace string, violations []string, err error) {
	script, err := json.Marshal(s)
	if err != nil {
		return "", nil, err
	}
	var seed [32]byte
	copy(seed[:], fmt.Sprintf("berth %d", s.Seed))
	c := &clock{}
	var out, errs bytes.Buffer
	args := []string{"simulation"}
	if logs {
		args = append(args, "logs")
	}
	config := wazero.NewModuleConfig().WithName("").WithArgs(args...).WithStdin(bytes.NewReader(script)).WithStdout(&out).WithStderr(&errs).
		WithRandSource(chance{rand.NewChaCha8(seed)}).WithNanotime(c.nano, sys.ClockResolution(moment)).
		WithWalltime(c.wall, sys.ClockResolution(moment)).WithNanosleep(c.sleep).WithOsyield(func() {})
	m, err := h.runtime.InstantiateModule(ctx, h.module, config)
	if m != nil {
		m.Close(ctx) //nolint:errcheck // it is over
	}
	if exit := (*sys.ExitError)(nil); asExit(err, &exit) && exit.ExitCode() == 0 {
		err = nil
	}
	if err != nil {
		return out.String(), []string{"crash: " + firstLines(errs.String(), 40)}, nil
	}
	for line := range strings.Lines(out.String()) {
		if text, ok := strings.CutPrefix(line, "!"); ok {
			violations = append(violations, strings.TrimSpace(text))
		}
	}
	return out.String() + errs.String(), violations, nil
}

func asExit(err error, exit **sys.ExitError) bool {
	e, ok := err.(*sys.ExitError) //nolint:errorlint // wazero returns it bare
	if ok {
		*exit = e
	}
	return ok
}

func firstLines(s string, n int) string {
	lines := strings.SplitN(s, "\n", n+1)
	return strings.Join(lines[:min(n, len(lines))], "\n")
}

// open returns the host, or ends the test.
func open(t *testing.T) *host {
	t.Helper()
	h, err := theHost()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// TestSameSeedSameTrace plays ten seeds twice.
func TestSameSeedSameTrace(t *testing.T) {
	if testing.Short() {
		t.Skip("-short")
	}
	h := open(t)
	each(t, 10, func(seed uint64) {
		first, _, err := h.play(t.Context(), NewScript(seed), true)
		if err != nil {
			t.Error(err)
			return
		}
		again, _, err := h.play(t.Context(), NewScript(seed), true)
		switch {
		case err != nil:
			t.Error(err)
		case len(first) < 1000:
			t.Errorf("seed %d: a trace of %d bytes: nothing was played", seed, len(first))
		case first != again:
			t.Errorf("seed %d: two runs differ:\n%s", seed, difference(first, again))
		}
	})
}

// difference shows where two texts part.
func difference(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return fmt.Sprintf("line %d\n- %s\n+ %s", i, x[i], y[i])
		}
	}
	return fmt.Sprintf("%d and %d lines", len(x), len(y))
}

// each calls f for n seeds, on all processors.
func each(t *testing.T, n int, f func(seed uint64)) {
	t.Helper()
	seeds := make(chan uint64)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for s := range seeds {
				f(s)
			}
		})
	}
	for s := range n {
		if t.Failed() {
			break
		}
		seeds <- *firstSeed + uint64(s)
	}
	close(seeds)
	wg.Wait()
}

// TestSeeds plays scripts from many seeds. A failing one is shortened to what is needed to fail, and printed.
func TestSeeds(t *testing.T) {
	if testing.Short() {
		t.Skip("-short")
	}
	h := open(t)
	began := time.Now()
	var mu sync.Mutex
	played := 0
	each(t, *seedsFlag, func(seed uint64) {
		if *within > 0 && time.Since(began) > *within {
			return
		}
		s := NewScript(seed)
		_, violations, err := h.play(t.Context(), s, false)
		mu.Lock()
		defer mu.Unlock()
		played++
		if err != nil || len(violations) == 0 {
			if err != nil {
				t.Error(err)
			}
			return
		}
		short := h.shorten(t.Context(), s, kind(violations[0]))
		trace, left, _ := h.play(t.Context(), short, false)
		text, _ := json.Marshal(short)
		t.Errorf("seed %d: %s\nshortened: %s%s\n%s\nplay it again with -script '%s'", seed, strings.Join(violations, "\n"), short, strings.Join(left, "\n"), trace, text)
	})
	t.Logf("%d seeds from %d on, %.2f s each", played, *firstSeed, time.Since(began).Seconds()*float64(runtime.GOMAXPROCS(0))/float64(max(played, 1)))
}

// TestScript plays one script that is given: of a failure that was printed before.
func TestScript(t *testing.T) {
	if *scriptFlag == "" {
		t.Skip("no -script")
	}
	var s Script
	if err := json.Unmarshal([]byte(*scriptFlag), &s); err != nil {
		t.Fatal(err)
	}
	trace, violations, err := open(t).play(t.Context(), s, *verboseFlag)
	t.Logf("%s\n%s", trace, err)
	for _, v := range violations {
		t.Error(v)
	}
}

// kind is what of a violation stays the same when a script is shortened.
func kind(violation string) string { k, _, _ := strings.Cut(violation, ":"); return k }

// shorten removes steps as long as the script still fails in the same way: first halves, then smaller parts.
func (h *host) shorten(ctx context.Context, s Script, want string) Script {
	fails := func(x Script) bool {
		_, violations, err := h.play(ctx, x, false)
		return err == nil && slices.ContainsFunc(violations, func(v string) bool { return kind(v) == want })
	}
	for size := len(s.Steps) / 2; size > 0; {
		removed := false
		for at := 0; at+size <= len(s.Steps); {
			x := s
			x.Steps = slices.Concat(s.Steps[:at], s.Steps[at+size:])
			if at < len(x.Steps) { // what came later stays when it was
				x.Steps = slices.Clone(x.Steps)
				for _, gone := range s.Steps[at : at+size] {
					x.Steps[at].After += gone.After
				}
			}
			if fails(x) {
				s, removed = x, true
			} else {
				at += size
			}
		}
		if !removed || size > len(s.Steps) {
			size /= 2
		}
	}
	return s
}
