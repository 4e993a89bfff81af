package awslogs

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"berth/internal/agent"
)

// holder takes down who is held up.
type holder struct {
	mu    sync.Mutex
	said  []bool
	fails int // so many times it cannot be done
}

func (h *holder) hold(_ context.Context, id string, held bool) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if id != "c0ffee" {
		return fmt.Errorf("container %s is meant", id)
	}
	if held && h.fails > 0 {
		h.fails--
		return errors.New("the engine is busy")
	}
	h.said = append(h.said, held)
	return nil
}

// TestHeldUp: in mode blocking a container is held up from when there is no room for more of its log until that is taken, and in no other case.
func TestHeldUp(t *testing.T) {
	for what, c := range map[string]struct {
		mode         string
		broken       int64 // requests
		lines, fails int
		long         int // characters of a line
		want         string
	}{
		"blocking":            {"blocking", 4, 3 * mostEvents, 0, 100, "[false true false]"},
		"long lines":          {"blocking", 4, 10, 0, 100_000, "[false true false]"},
		"the engine is busy":  {"blocking", 5, 3 * mostEvents, 2, 100, "[false true false]"},
		"there is room":       {"blocking", 4, 10, 0, 100, "[false]"},
		"the log is taken":    {"blocking", 0, 3 * mostEvents, 0, 100, "[false]"},
		"another mode":        {"non-blocking", 4, 3 * mostEvents, 0, 100, "[]"},
		"no mode, as AWS has": {"", 4, 3 * mostEvents, 0, 100, "[]"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			p, h := newPlane(t), &holder{fails: c.fails}
			p.Driver.config.Hold = h.hold
			p.group(t, "/ecs/web")
			p.broken.Store(c.broken)
			for range c.lines {
				p.reader.write(time.Now(), strings.Repeat("x", c.long))
			}
			p.reader.end()
			options := webOptions()
			options["mode"] = c.mode
			var sent int
			if err := p.Send(t.Context(), source(options), agent.LogMark{}, func(agent.LogMark) { sent++ }); err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(h.said); got != c.want || sent == 0 {
				t.Errorf("held up: %s, want %s; %d requests were taken", got, c.want, sent)
			}
		})
	}
}
