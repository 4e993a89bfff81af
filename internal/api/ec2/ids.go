package ec2

import (
	"crypto/rand"
	"encoding/hex"

	"berth/internal/vpc"
)

// newID is a new id: the prefix and 17 hexadecimal digits, the first one 0 as EC2's often have.
func newID(prefix string) vpc.ID {
	var b [9]byte
	rand.Read(b[:]) //nolint:errcheck // it never fails
	return prefix + "0" + hex.EncodeToString(b[:])[:16]
}
