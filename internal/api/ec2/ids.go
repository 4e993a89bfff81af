package ec2

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"net"

	"berth/internal/vpc"
)

// newID is a new id: the prefix and 17 hexadecimal digits, the first one 0 as EC2's often have.
func newID(prefix string) vpc.ID {
	var b [9]byte
	rand.Read(b[:]) //nolint:errcheck // it never fails
	return prefix + "0" + hex.EncodeToString(b[:])[:16]
}

// newMAC is a new MAC address of a network interface: a locally administered one.
func newMAC() string {
	var b [6]byte
	rand.Read(b[:]) //nolint:errcheck // it never fails
	b[0] = 0x02
	return net.HardwareAddr(b[:]).String()
}

// randomNumber says where a search for a free address begins.
func randomNumber() uint32 {
	var b [4]byte
	rand.Read(b[:]) //nolint:errcheck // it never fails
	return binary.BigEndian.Uint32(b[:])
}
