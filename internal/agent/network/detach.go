package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
)

// Detach implements agent.Network.
func (k *Keeper) Detach(ctx context.Context, id string) error {
	if err := checkID("networkInterfaceId", "eni", id); err != nil {
		return err
	}
	return wrap("detach "+id, k.setDetached(ctx, id, true))
}

// setDetached notes whether an interface of the state is wanted on this machine, and brings the kernel there.
func (k *Keeper) setDetached(ctx context.Context, id string, detached bool) error {
	k.work.Lock()
	defer k.work.Unlock()
	if k.isClosed() {
		return net.ErrClosed
	}
	k.mu.Lock()
	n, ok := k.state.Interfaces[id]
	known := ok && n.Local && k.vpcs[n.VPC] != nil
	if known && detached {
		k.detached[id] = true
	} else {
		delete(k.detached, id)
	}
	k.mu.Unlock()
	if !known {
		return k.dropDevice(id)
	}
	defer k.tell()
	p, err := k.planOf(n.VPC)
	if err != nil {
		return err
	}
	return k.applyVPC(ctx, p)
}

// planOf makes the plan of one VPC that has its namespace and its way.
func (k *Keeper) planOf(vpc string) (plan, error) {
	plans, failed := makePlans(k.state, k.underlay, k.detached)
	if failed[vpc] != nil {
		return plan{}, failed[vpc]
	}
	p := plans[vpc]
	if slot, ok := k.machine.ways[vpc]; ok && p.out {
		p.setWay(wayAddresses(slot))
	}
	return p, nil
}

// dropDevice removes the device of an interface that is in no state, of an earlier process.
func (k *Keeper) dropDevice(id string) error {
	entries, err := os.ReadDir(namespaces)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("list namespaces: %w", err)
	}
	for _, e := range entries {
		if k.machine.vpcOf(e.Name()) == "" || !isNamespace(e.Name()) {
			continue
		}
		s, err := openNamespace(e.Name(), k.step)
		if err != nil {
			return err
		}
		if err := errors.Join(s.deleteLink(device(id)), s.close()); err != nil {
			return err
		}
	}
	return nil
}
