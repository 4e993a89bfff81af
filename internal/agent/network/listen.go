package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
)

// listener is a port in a VPC's namespace. Its namespace closes it when it ends.
type listener struct {
	net.Listener
	vpc *vpc
}

// listen opens a TCP port in the namespace.
func (v *vpc) listen(at netip.AddrPort) (net.Listener, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.ports == nil {
		return nil, fmt.Errorf("listen in %s: %w", v.id, net.ErrClosed)
	}
	var open net.Listener
	err := v.space.run(func() (err error) {
		open, err = (&net.ListenConfig{}).Listen(context.Background(), "tcp4", at.String())
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listen in %s: %w", v.id, err)
	}
	l := &listener{Listener: open, vpc: v}
	v.ports[l] = true
	return l, nil
}

// Close closes the port.
func (l *listener) Close() error {
	l.vpc.mu.Lock()
	delete(l.vpc.ports, l)
	l.vpc.mu.Unlock()
	return l.Listener.Close()
}

// serve answers DNS questions as planned.
func (v *vpc) serve(p plan) error {
	if v.answers != nil && v.answers.at != p.dns {
		err := v.answers.close()
		v.answers = nil
		if err != nil {
			return err
		}
	}
	if v.answers != nil {
		v.answers.zone.Store(&p.zone)
		return nil
	}
	if !p.dns.IsValid() {
		return nil
	}
	var err error
	v.answers, err = v.machine.answer(v.space, p)
	return err
}

// owned waits for goroutines.
type owned struct {
	group sync.WaitGroup
	mu    sync.Mutex
	errs  []error
}

// run starts one. Its error is told by wait.
func (o *owned) run(f func() error) {
	o.group.Go(func() {
		if err := f(); err != nil {
			o.mu.Lock()
			o.errs = append(o.errs, err)
			o.mu.Unlock()
		}
	})
}

func (o *owned) wait() error {
	o.group.Wait()
	return errors.Join(o.errs...)
}
