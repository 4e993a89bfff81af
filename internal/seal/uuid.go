package seal

import (
	"crypto/rand"

	"berth/internal/uuid"
)

// NewUUID is a random UUID.
func NewUUID() string {
	var u [16]byte
	rand.Read(u[:]) // never fails
	return uuid.Of(u[:])
}
