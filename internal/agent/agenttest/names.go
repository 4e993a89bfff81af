package agenttest

import (
	"maps"
	"sync"

	"berth/internal/agent"
)

// Names keeps the files by which tasks know names in memory. It keeps the contract of agent.Names. The zero value has none.
type Names struct {
	// Cut is called with each operation before it is done, if it is set.
	Cut func(op string)

	mu    sync.Mutex
	texts map[string]agent.NameTexts // by task's id
	err   error
}

// Fail makes everything fail, until it is told nil.
func (n *Names) Fail(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.err = err
}

// Texts are what is in the files, by task's id.
func (n *Names) Texts() map[string]agent.NameTexts {
	n.mu.Lock()
	defer n.mu.Unlock()
	return maps.Clone(n.texts)
}

func (n *Names) cut(op string) {
	if n.Cut != nil {
		n.Cut(op)
	}
}

// Write implements agent.Names.
func (n *Names) Write(task string, texts agent.NameTexts) (agent.NameFiles, error) {
	n.cut("write names")
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.err != nil {
		return agent.NameFiles{}, n.err
	}
	if _, is := n.texts[task]; !is {
		if n.texts == nil {
			n.texts = map[string]agent.NameTexts{}
		}
		n.texts[task] = texts
	}
	return agent.NameFiles{Hosts: "/names/" + task + "/hosts", Resolver: "/names/" + task + "/resolv.conf", IPv6: true}, nil
}

// Remove implements agent.Names.
func (n *Names) Remove(task string) error {
	n.cut("remove names")
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.err != nil {
		return n.err
	}
	delete(n.texts, task)
	return nil
}
