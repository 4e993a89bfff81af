package main

import (
	"net"
	"sync/atomic"
)

// connections counts those that are open, and bounds them. What is above the bound is closed at once: its client hears so and tries again
// later, where one that waited unheard would not know.
type connections struct {
	most    int64 // 0 is no bound
	open    atomic.Int64
	refused atomic.Int64
}

// enter counts a connection in. It reports false where there are too many.
func (n *connections) enter() bool {
	if open := n.open.Add(1); n.most > 0 && open > n.most {
		n.leave()
		n.refused.Add(1)
		return false
	}
	return true
}

func (n *connections) leave() { n.open.Add(-1) }

// load is how many are open, and how many were refused since the start.
func (n *connections) load() (open, refused int64) { return n.open.Load(), n.refused.Load() }

// countedConn is a connection that is counted out when it is closed, once.
type countedConn struct {
	net.Conn
	leave func()
}

func (c *countedConn) Close() error {
	defer c.leave()
	return c.Conn.Close()
}

// CloseWrite is for net/http, which lets a client read the last answer before it closes the connection.
func (c *countedConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}
