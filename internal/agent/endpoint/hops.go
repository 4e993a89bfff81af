package endpoint

import (
	"context"
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

// hops is how far answers of instance metadata come from here: into containers on the bridge and no further, into a container's own containers, say. It is
// what AWS's hop limit of 2 does, where the instance is the first hop.
const hops = 1

// openMetadata listens for what containers on the engine's bridge ask of instance metadata, at the address of the listener for them; nil where there is none. The
// port is any: nobody knows it but the redirection.
func (s *Server) openMetadata(ctx context.Context, list []net.Listener) net.Listener {
	if s.Metadata == nil || s.Redirect == nil || len(list) < 2 {
		return nil
	}
	bridge := list[1].Addr().(*net.TCPAddr).AddrPort().Addr()
	config := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) (err error) {
		failed := c.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_TTL, hops) })
		if failed != nil {
			return failed
		}
		return err
	}}
	l, err := config.Listen(ctx, "tcp4", netip.AddrPortFrom(bridge, 0).String())
	if err != nil {
		s.Log.Warn("containers on the bridge find no instance metadata: the agent cannot listen for them", "err", err)
		return nil
	}
	return l
}
