package agent

import "sync"

// roster is the tasks that the control plane wants run: those of each instance's last manifest, and those ordered since.
type roster struct {
	mu     sync.Mutex
	wanted map[string]map[string]bool // ARNs by the instance's local name; none before its first manifest
}

// replace takes a manifest's tasks.
func (r *roster) replace(instance string, arns map[string]bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.wanted == nil {
		r.wanted = map[string]map[string]bool{}
	}
	r.wanted[instance] = arns
}

// add takes a task that is ordered.
func (r *roster) add(instance, arn string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.wanted[instance] != nil {
		r.wanted[instance][arn] = true
	}
}

// remove forgets a task that is over.
func (r *roster) remove(instance, arn string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.wanted[instance], arn)
}

// unwanted says whether the control plane is known not to want a task: nothing is known before the first manifest.
func (r *roster) unwanted(instance, arn string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.wanted[instance] != nil && !r.wanted[instance][arn]
}
