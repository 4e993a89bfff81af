package arch

import (
	"fmt"
	"slices"
	"strings"
)

// Building is the order of the packages, which are named by their folder below internal.
type Building struct {
	// Floors, ground first: a package imports only from lower floors, never from its own. What is in cmd stands above all.
	Floors [][]string
	// Tools are imported by tests and by each other, and may import anything.
	Tools []string
	// Pure is how many floors, from the ground, are pure.
	Pure int
}

// Berth is the building of this module.
func Berth() Building {
	return Building{
		Floors: [][]string{
			{"arn", "apierr", "cql", "acsproto", "record", "session", "uuid"},
			{"awswire", "constraint", "page"},
			{"vpc", "iam", "secret", "ecr", "logs", "logs/pattern"}, // a task's record has its network interface
			{"ecs", "iam/managed"},                                  // its records keep what awswire could not read (Unknown)
			{"placement", "deployment", "capacity", "policy"},
			{"events"}, // reads what placement says in a service's events
			{"state", "seal", "pki", "oidc"},
			{"frontdoor", "acs", "access", "launch", "provider", "reconcile", "state/etcd", "state/mem", "logstore", "relay", "registry", "sdkhttp"},
			{"api/ecs", "api/ec2", "api/ecr", "api/iam", "api/sts", "api/secretsmanager", "api/ssm", "api/logs", "api/cloudtrail", "api/berth", "stream", "trail", "metrics", "trace", "controller", "agent", "simulate"},
			{"agent/docker", "agent/awslogs", "agent/awssecrets", "agent/awsregistry", "agent/envfiles", "agent/machine", "agent/statefile", "agent/endpoint", "agent/imds", "agent/identity", "agent/managed", "agent/network", "agent/redirect", "agent/sessions"}, // implement the seams that agent declares
		},
		Tools: []string{"agentwire", "arch", "golden", "pipenet", "ecstest", "ecstest/simulation", "state/statetest", "provider/providertest", "state/backendtest", "agent/agenttest"},
		Pure:  6,
	}
}

// Imports finds imports that break the order, and packages that have no place in it.
func (b Building) Imports(t Tree) (wrong []string) {
	homeless := map[string]bool{}
	for _, f := range t.Files {
		from, inside := strings.CutPrefix(f.Folder, "internal/")
		if f.Test || strings.HasPrefix(f.Folder, "e2e/") || inside && b.tool(from) { // all in e2e is tests
			continue
		}
		if inside && b.floor(from) < 0 && !homeless[from] {
			homeless[from] = true
			wrong = append(wrong, fmt.Sprintf("%s: stands on no floor; give it one", f.Folder))
		}
		for _, imp := range f.Imports() {
			if why := b.forbids(from, inside, imp); why != "" {
				wrong = append(wrong, fmt.Sprintf("%s: must not import %s: %s", f.Path, imp, why))
			}
		}
	}
	return wrong
}

// forbids says why a package must not import another, or "".
func (b Building) forbids(from string, inside bool, imp string) string {
	to, ours := strings.CutPrefix(imp, module+"/internal/")
	switch {
	case imp == "testing":
		return "it is for tests"
	case !ours:
		return ""
	case b.tool(to):
		return "it is for tests"
	case !inside || b.floor(from) < 0 || b.floor(to) < 0: // cmd sees all; the homeless are told once
		return ""
	case b.floor(to) >= b.floor(from):
		return fmt.Sprintf("from floor %d it reaches floor %d", b.floor(from), b.floor(to))
	}
	return ""
}

func (b Building) tool(name string) bool { return slices.Contains(b.Tools, name) }

// floor is the number of a package's floor, or -1.
func (b Building) floor(name string) int {
	return slices.IndexFunc(b.Floors, func(floor []string) bool { return slices.Contains(floor, name) })
}
