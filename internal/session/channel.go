package session

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Config is what a channel begins with.
type Config struct {
	Type       Type
	Properties any             // of the type, for the handshake; may be nil
	ID         func() [16]byte // a fresh message id, by chance
}

// In is what the plugin has sent: one of Data, Size and Flag, by its Payload.
type In struct {
	Payload  Payload
	Data     []byte
	Terminal Terminal
	Flag     FlagValue
}

// Channel is the agent's end of a data channel: what comes in is put in order, and what goes out is kept until it is acknowledged. It begins with
// the handshake; until the plugin has answered that, nothing else is sent and nothing is taken.
type Channel struct {
	config  Config
	began   time.Time
	version string // the plugin's; "" until the handshake is done

	expected int64
	early    map[int64]Message // came before their turn
	inputs   []In              // in order, not taken yet

	next   int64
	unsent [][]byte   // frames
	kept   []outgoing // not acknowledged, by sequence
	pace   pace
}

type outgoing struct {
	sequence int64
	frame    []byte
	first    time.Time // when it was sent
	last     time.Time // when it was sent last
}

const (
	// pieces is how much of a stream one message has at most.
	pieces = 1024
	// mostKept is how many messages are under way at most.
	mostKept = 256
	// mostEarly and mostInputs bound what has come in: what goes beyond is not acknowledged, and comes again.
	mostEarly  = 256
	mostInputs = 256
	// lostAfter is how long a message may go without an acknowledgement.
	lostAfter = 5 * time.Minute
)

// ErrLost says that the plugin has acknowledged nothing for too long.
var ErrLost = errors.New("the client does not answer")

// ErrMalformed is a message that cannot be read. It was left out, and the channel goes on.
var ErrMalformed = errors.New("malformed message")

// New offers the handshake.
func New(c Config, now time.Time) (*Channel, error) {
	ch := &Channel{config: c, began: now, early: map[int64]Message{}, pace: newPace()}
	b, err := requestOf(c.Type, c.Properties)
	if err != nil {
		return nil, err
	}
	ch.post(HandshakeRequest, b, now)
	return ch, nil
}

// Version is the plugin's, "" until it has answered the handshake.
func (c *Channel) Version() string { return c.version }

// Receive takes a frame. An error that is ErrMalformed concerns that frame only; after any other there can be no session.
func (c *Channel) Receive(frame []byte, now time.Time) error {
	m, err := Decode(frame)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	switch m.Kind {
	case Acknowledge:
		return c.acknowledged(m, now)
	case Input:
		return c.take(m, now)
	}
	return nil // the service's words to others
}

// acknowledgement is the content of a message of that kind.
type acknowledgement struct {
	AcknowledgedMessageType           Kind
	AcknowledgedMessageId             string //nolint:revive // as the protocol spells it
	AcknowledgedMessageSequenceNumber int64
	IsSequentialMessage               bool
}

func (c *Channel) acknowledged(m Message, now time.Time) error {
	var a acknowledgement
	if err := json.Unmarshal(m.Content, &a); err != nil {
		return fmt.Errorf("%w: acknowledgement: %w", ErrMalformed, err)
	}
	for i, o := range c.kept {
		if o.sequence == a.AcknowledgedMessageSequenceNumber {
			if o.first.Equal(o.last) { // else it is not known which of them was answered
				c.pace.took(now.Sub(o.first))
			}
			c.kept = append(c.kept[:i:i], c.kept[i+1:]...)
			return nil
		}
	}
	return nil
}

// take puts stream data in its place.
func (c *Channel) take(m Message, now time.Time) error {
	_, there := c.early[m.Sequence]
	switch {
	case m.Sequence < c.expected || there:
		return c.acknowledge(m, now) // once more: the first acknowledgement may be lost
	case m.Sequence > c.expected:
		if len(c.early) >= mostEarly {
			return nil
		}
		m.Content = append([]byte(nil), m.Content...)
		c.early[m.Sequence] = m
		return c.acknowledge(m, now)
	case len(c.inputs) >= mostInputs:
		return nil
	}
	err := errors.Join(c.acknowledge(m, now), c.deliver(m, now))
	return errors.Join(err, c.catchUp(now))
}

// catchUp delivers what waited for its turn, as far as there is room.
func (c *Channel) catchUp(now time.Time) (err error) {
	for len(c.inputs) < mostInputs {
		m, ok := c.early[c.expected]
		if !ok {
			break
		}
		delete(c.early, c.expected)
		err = errors.Join(err, c.deliver(m, now))
	}
	return err
}

// deliver takes the message whose turn it is.
func (c *Channel) deliver(m Message, now time.Time) (err error) {
	c.expected++
	in := In{Payload: m.Payload}
	switch m.Payload {
	case HandshakeResponse:
		return c.shake(m, now)
	case Data:
		in.Data = append([]byte(nil), m.Content...)
	case Size:
		in.Terminal, err = readSize(m.Content)
	case Flag:
		in.Flag, err = readFlag(m.Content)
	default:
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if c.version != "" {
		c.inputs = append(c.inputs, in)
	}
	return nil
}

// shake completes the handshake.
func (c *Channel) shake(m Message, now time.Time) error {
	if c.version != "" {
		return nil
	}
	version, err := readResponse(m.Content)
	if err != nil {
		return err
	}
	if c.version = version; version == "" {
		c.version = "0"
	}
	b, err := json.Marshal(complete{HandshakeTimeToComplete: int64(now.Sub(c.began))})
	if err != nil {
		return fmt.Errorf("encode handshake: %w", err)
	}
	c.post(HandshakeComplete, b, now)
	return nil
}

func (c *Channel) acknowledge(m Message, now time.Time) error {
	b, err := json.Marshal(acknowledgement{m.Kind, m.Text(), m.Sequence, true})
	if err != nil {
		return fmt.Errorf("encode acknowledgement: %w", err)
	}
	c.unsent = append(c.unsent, Message{Kind: Acknowledge, Schema: 1, Created: uint64(now.UnixMilli()), Flags: 3, ID: c.config.ID(), Content: b}.Encode())
	return nil
}

// Next takes the next of what the plugin has sent, in order.
func (c *Channel) Next(now time.Time) (in In, ok bool, err error) {
	if len(c.inputs) == 0 {
		return In{}, false, nil
	}
	in = c.inputs[0]
	c.inputs = c.inputs[1:]
	return in, true, c.catchUp(now)
}

// Room is how many bytes Send takes now.
func (c *Channel) Room() int {
	if c.version == "" {
		return 0
	}
	return max(0, mostKept-len(c.kept)) * pieces
}

// Send sends of b what there is room for, and says how much that was.
func (c *Channel) Send(p Payload, b []byte, now time.Time) (sent int) {
	b = b[:min(len(b), c.Room())]
	for len(b) > 0 {
		piece := b[:min(len(b), pieces)]
		c.post(p, piece, now)
		b = b[len(piece):]
		sent += len(piece)
	}
	return sent
}

func (c *Channel) post(p Payload, content []byte, now time.Time) {
	m := Message{Kind: Output, Schema: 1, Created: uint64(now.UnixMilli()), Sequence: c.next, ID: c.config.ID(), Payload: p, Content: content}
	if c.next == 0 {
		m.Flags = 1
	}
	c.next++
	frame := m.Encode()
	c.kept = append(c.kept, outgoing{m.Sequence, frame, now, now})
	c.unsent = append(c.unsent, frame)
}

// Frames takes what is to be written to the socket now.
func (c *Channel) Frames() [][]byte {
	f := c.unsent
	c.unsent = nil
	return f
}

// Settled says that the plugin has acknowledged all.
func (c *Channel) Settled() bool { return len(c.kept) == 0 && len(c.unsent) == 0 }

// Due is when Tick has something to do; zero is never.
func (c *Channel) Due() time.Time {
	if len(c.kept) == 0 {
		return time.Time{}
	}
	return c.kept[0].last.Add(c.pace.timeout)
}

// Tick sends the oldest message again where it is due. It fails with ErrLost when that has been tried for too long.
func (c *Channel) Tick(now time.Time) error {
	if len(c.kept) == 0 || now.Before(c.Due()) {
		return nil
	}
	if now.Sub(c.kept[0].first) > lostAfter {
		return ErrLost
	}
	c.kept[0].last = now
	c.unsent = append(c.unsent, c.kept[0].frame)
	return nil
}
