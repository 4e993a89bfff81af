package storm

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// yardstick tells how quick the machine is meanwhile, whatever the server does: twenty times a second it wakes up, writes 4 KiB and has them on
// the disk, and notes how long all of it took after the time that it wanted to wake up at.
type yardstick struct {
	mu         sync.Mutex
	took       []time.Duration
	busy, idle float64 // of all processors, as they were at the last take
}

// run measures until ctx ends.
func (y *yardstick) run(ctx context.Context, dir string) error {
	f, err := os.Create(filepath.Join(dir, "yardstick"))
	if err != nil {
		return fmt.Errorf("yardstick: %w", err)
	}
	defer f.Close()
	block := make([]byte, 4096)
	for {
		due := time.Now().Add(50 * time.Millisecond)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Until(due)):
		}
		if _, err := f.WriteAt(block, 0); err != nil {
			return fmt.Errorf("yardstick: %w", err)
		}
		if err := syscall.Fdatasync(int(f.Fd())); err != nil {
			return fmt.Errorf("yardstick: %w", err)
		}
		y.mu.Lock()
		y.took = append(y.took, time.Since(due))
		y.mu.Unlock()
	}
}

// take is what was measured since the last time.
func (y *yardstick) take() sample {
	y.mu.Lock()
	defer y.mu.Unlock()
	x := sample{}
	if n := len(y.took); n > 0 {
		slices.Sort(y.took)
		x["machine p50 ms"] = float64(y.took[n/2].Microseconds()) / 1000
		x[yard] = float64(y.took[min(n-1, n*99/100)].Microseconds()) / 1000
	}
	y.took = nil
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return x
	}
	busy, idle := processors(string(text))
	if all := busy + idle - y.busy - y.idle; y.busy > 0 && all > 0 {
		x["machine busy %"] = 100 * (busy - y.busy) / all
	}
	y.busy, y.idle = busy, idle
	return x
}

// yard is the row that latencies are compared with.
const yard = "machine p99 ms"

// processors reads how long all of them have worked and been idle.
func processors(stat string) (busy, idle float64) {
	first, _, _ := strings.Cut(stat, "\n")
	for n, field := range strings.Fields(first) {
		v, _ := strconv.ParseFloat(field, 64)
		switch n {
		case 0: // "cpu"
		case 4, 5: // idle, waiting for a disk
			idle += v
		case 1, 2, 3, 6, 7, 8: // guests are counted with their hosts
			busy += v
		}
	}
	return busy, idle
}

func TestYardstick(t *testing.T) {
	var y yardstick
	y.take()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := y.run(ctx, t.TempDir()); err != nil {
		t.Fatal(err)
	}
	if x := y.take(); x[yard] <= 0 || x[yard] < x["machine p50 ms"] {
		t.Errorf("measured %v", x)
	}
	if busy, idle := processors("cpu  10 1 5 200 30 2 3 4 9 9\ncpu0 1 1 1 1"); busy != 25 || idle != 230 {
		t.Errorf("busy %v, idle %v", busy, idle)
	}
}
