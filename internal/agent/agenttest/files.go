package agenttest

import (
	"context"
	"sync"

	"berth/internal/agent"
)

// Files are environment files in memory. One that refuses with context.DeadlineExceeded takes all the time that there is.
type Files struct {
	asked
	mu  sync.Mutex
	all map[string]map[string]string
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

// Variables implements agent.EnvironmentFiles.
func (f *Files) Variables(ctx context.Context, _ string, files []string) (out []map[string]string, err error) {
	err = f.ask()
	f.mu.Lock()
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
