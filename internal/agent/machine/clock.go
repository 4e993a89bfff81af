package machine

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"berth/internal/agent"
)

// timeError is what adjtimex(2) returns where nothing keeps the clock synchronized.
const timeError = 5

// Clock reads how far the machine's clock may be off, as the kernel has it from what synchronizes it.
func Clock() (agent.Clock, error) {
	var x unix.Timex
	state, err := unix.Adjtimex(&x)
	if err != nil {
		return agent.Clock{}, fmt.Errorf("read the clock: %w", err)
	}
	return agent.Clock{At: time.Now(), ErrorBound: time.Duration(x.Maxerror) * time.Microsecond,
		Synchronized: state != timeError && x.Status&unix.STA_UNSYNC == 0}, nil
}
