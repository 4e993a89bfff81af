package redirect

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// neighbours watches the machine's other agents. The table of one that is killed would lead to nobody for what is left of its lease, and with it what the containers
// of all agents ask. The end of a connection tells of it at once.
type neighbours struct {
	table   *Table
	wg      sync.WaitGroup
	mu      sync.Mutex
	watched map[Peer]bool
}

// look begins to watch those that are not watched yet, until ctx ends.
func (n *neighbours) look(ctx context.Context) error {
	list, err := n.table.others(nil)
	for _, p := range list {
		n.mu.Lock()
		known := n.watched[p]
		n.watched[p] = true
		n.mu.Unlock()
		if known {
			continue
		}
		n.wg.Go(func() {
			n.watch(ctx, p)
			n.mu.Lock()
			defer n.mu.Unlock()
			delete(n.watched, p)
		})
	}
	return err
}

// least is how long an agent leaves a connection open that asks for nothing. One that closes them sooner is looked at with the next renewal.
const least = time.Second

// watch removes the table of an agent that is not there any more. One whose state is not known is left to its lease.
func (n *neighbours) watch(ctx context.Context, p Peer) {
	for {
		began := time.Now()
		err := staysAt(ctx, p.Host)
		switch {
		case ctx.Err() != nil:
			return
		case errors.Is(err, unix.ECONNREFUSED):
			if err := n.remove(p); err != nil {
				n.table.log.Debug("the redirection of an agent that was killed is not removed, and ends by itself", "installation", p.Installation, "err", err)
			}
			return
		case err != nil, time.Since(began) < least:
			return
		}
	}
}

// remove removes the table of an agent, unless it has made it again since, as one that starts again does.
func (n *neighbours) remove(p Peer) error {
	list, err := n.table.others(nil)
	if err != nil || !slices.Contains(list, p) {
		return err
	}
	return New(p.Installation, n.table.log).remove()
}

// staysAt waits until an agent closes a connection that asks for nothing, as it does after some seconds or when it ends.
func staysAt(ctx context.Context, at netip.AddrPort) error {
	c, err := (&net.Dialer{Timeout: least}).DialContext(ctx, "tcp4", at.String())
	if err != nil {
		return err
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { c.Close() })()
	c.Read(make([]byte, 1)) //nolint:errcheck // whatever ends it
	return nil
}
