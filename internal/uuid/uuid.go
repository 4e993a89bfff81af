// Package uuid makes UUIDs of version 4 (RFC 9562).
package uuid

import "encoding/hex"

// Of is the one of the first 16 bytes of from: of a hash, for an id that follows from what was hashed. from stays as it is.
func Of(from []byte) string {
	u := [16]byte(from)
	u[6] = u[6]&0x0f | 0x40
	u[8] = u[8]&0x3f | 0x80
	var b [36]byte
	hex.Encode(b[0:8], u[0:4])
	hex.Encode(b[9:13], u[4:6])
	hex.Encode(b[14:18], u[6:8])
	hex.Encode(b[19:23], u[8:10])
	hex.Encode(b[24:36], u[10:16])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return string(b[:])
}
