// Package session speaks the agent's end of the protocol that the Session Manager plugin speaks on a data channel: its binary messages, the
// handshake, and delivery in order with acknowledgements and retransmission. It is pure: whoever uses it has the socket and the clock.
package session

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"
)

// Kind is a message's type.
type Kind string

// The types of messages. Input is what the plugin sends, Output what the agent does; the publications and ChannelClosed are the service's.
const (
	Input            Kind = "input_stream_data"
	Output           Kind = "output_stream_data"
	Acknowledge      Kind = "acknowledge"
	ChannelClosed    Kind = "channel_closed"
	StartPublication Kind = "start_publication"
	PausePublication Kind = "pause_publication"
)

// Payload says what is in the payload of stream data.
type Payload uint32

// The types of payloads. Parameter and the challenges are not used here: they belong to older agents and to encryption.
const (
	Data              Payload = 1 // of the terminal or the connection
	Failure           Payload = 2
	Size              Payload = 3 // of the terminal: {"cols":80,"rows":24}
	Parameter         Payload = 4
	HandshakeRequest  Payload = 5
	HandshakeResponse Payload = 6
	HandshakeComplete Payload = 7
	ChallengeRequest  Payload = 8
	ChallengeResponse Payload = 9
	Flag              Payload = 10 // a FlagValue
	StdErr            Payload = 11
	ExitCode          Payload = 12
)

// FlagValue is the payload of a flag, four bytes.
type FlagValue uint32

// The flags. The plugin sends the first two, the agent the third.
const (
	DisconnectToPort   FlagValue = 1 // the client's connection has ended
	TerminateSession   FlagValue = 2
	ConnectToPortError FlagValue = 3 // nothing listens at the port
)

// Message is one message of a data channel. Which of its kind it is and what it answers is in Sequence and ID.
type Message struct {
	Kind     Kind
	Schema   uint32 // 1
	Created  uint64 // Unix milliseconds
	Sequence int64
	Flags    uint64 // 1 for the first of a stream, 2 for the last, 3 for one that stands for itself
	ID       [16]byte
	Payload  Payload
	Content  []byte
}

// Where the fields are. All numbers are big-endian; the header's length does not count the length of the payload that follows it.
const (
	kindAt     = 4
	schemaAt   = 36
	createdAt  = 40
	sequenceAt = 48
	flagsAt    = 56
	idAt       = 64
	digestAt   = 80
	payloadAt  = 112
	lengthAt   = 116
	contentAt  = 120
)

// MaxMessage bounds a message that is read. The plugin's are of 1 KiB and less.
const MaxMessage = 64 << 10

// Encode writes m with the digest of its content.
func (m Message) Encode() []byte {
	b := make([]byte, contentAt+len(m.Content))
	binary.BigEndian.PutUint32(b, lengthAt)
	for i := kindAt; i < schemaAt; i++ {
		b[i] = ' '
	}
	copy(b[kindAt:schemaAt], m.Kind)
	binary.BigEndian.PutUint32(b[schemaAt:], m.Schema)
	binary.BigEndian.PutUint64(b[createdAt:], m.Created)
	binary.BigEndian.PutUint64(b[sequenceAt:], uint64(m.Sequence))
	binary.BigEndian.PutUint64(b[flagsAt:], m.Flags)
	copy(b[idAt:], m.ID[8:]) // the halves of an id stand the other way round
	copy(b[idAt+8:], m.ID[:8])
	sum := sha256.Sum256(m.Content)
	copy(b[digestAt:], sum[:])
	binary.BigEndian.PutUint32(b[payloadAt:], uint32(m.Payload))
	binary.BigEndian.PutUint32(b[lengthAt:], uint32(len(m.Content)))
	copy(b[contentAt:], m.Content)
	return b
}

// Decode reads a message and holds its content against its digest. The content is b's own bytes.
func Decode(b []byte) (m Message, err error) {
	if len(b) < contentAt || len(b) > MaxMessage {
		return m, fmt.Errorf("decode session message: %d bytes", len(b))
	}
	if n := binary.BigEndian.Uint32(b); n != lengthAt {
		return m, fmt.Errorf("decode session message: a header of %d bytes", n)
	}
	if n := binary.BigEndian.Uint32(b[lengthAt:]); int64(n) != int64(len(b)-contentAt) {
		return m, fmt.Errorf("decode session message: %d bytes of payload announced, %d there", n, len(b)-contentAt)
	}
	m = Message{
		Kind:   Kind(strings.Trim(string(b[kindAt:schemaAt]), "\x00 ")),
		Schema: binary.BigEndian.Uint32(b[schemaAt:]), Created: binary.BigEndian.Uint64(b[createdAt:]), Sequence: int64(binary.BigEndian.Uint64(b[sequenceAt:])),
		Flags: binary.BigEndian.Uint64(b[flagsAt:]), Payload: Payload(binary.BigEndian.Uint32(b[payloadAt:])), Content: b[contentAt:],
	}
	copy(m.ID[8:], b[idAt:])
	copy(m.ID[:8], b[idAt+8:])
	if m.Kind == "" {
		return m, fmt.Errorf("decode session message: no type")
	}
	if sum := sha256.Sum256(m.Content); len(m.Content) > 0 && sum != [32]byte(b[digestAt:payloadAt]) {
		return m, fmt.Errorf("decode session message: the payload of %s %d does not have its digest", m.Kind, m.Sequence)
	}
	return m, nil
}

// Text is an id as JSON has it.
func (m Message) Text() string {
	return fmt.Sprintf("%x-%x-%x-%x-%x", m.ID[:4], m.ID[4:6], m.ID[6:8], m.ID[8:10], m.ID[10:])
}
