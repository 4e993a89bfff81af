package agenttest

import (
	"context"
	"sync"

	"berth/internal/agent"
)

// Files are environment files in memory.
type Files struct {
	mu  sync.Mutex
	all map[string]map[string]string
	err error
	n   int
}

var _ agent.EnvironmentFiles = (*Files)(nil)

// Set makes a file.
func (f *Files) Set(file string, variables map[string]string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.all == nil {
		f.all = map[string]map[string]string{}
	}
	f.all[file] = variables
}

// Refuse has all calls fail from now on, with nil none. One with context.DeadlineExceeded takes all the time that there is.
func (f *Files) Refuse(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

// Calls is how often files were asked for.
func (f *Files) Calls() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.n
}

// Variables implements agent.EnvironmentFiles.
func (f *Files) Variables(ctx context.Context, _ string, files []string) (out []map[string]string, err error) {
	f.mu.Lock()
	f.n++
	err = f.err
	for _, file := range files {
		out = append(out, f.all[file])
	}
	f.mu.Unlock()
	if err == context.DeadlineExceeded { //nolint:errorlint // it is the test's own
		<-ctx.Done()
		return nil, &agent.FileFault{Bucket: "b", Key: "f.env", Reason: "x", Later: true}
	}
	return out, err
}
