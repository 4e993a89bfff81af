package agent

import (
	"net"
	"net/http"
	"time"
)

// peerTimeout is what another agent of this machine may take to answer.
const peerTimeout = 8 * time.Second

// PeerClient asks the other agents of this machine, about containers that are not this one's.
func PeerClient() *http.Client {
	return &http.Client{Timeout: peerTimeout, Transport: &http.Transport{
		DialContext: (&net.Dialer{Timeout: time.Second}).DialContext, MaxIdleConns: 32, MaxIdleConnsPerHost: 8, IdleConnTimeout: 20 * time.Second,
	}}
}
