package session

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

var start = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

// counted makes ids that tell them apart.
func counted() func() [16]byte {
	n := byte(0)
	return func() [16]byte { n++; return [16]byte{n} }
}

func channel(t testing.TB, kind Type) *Channel {
	t.Helper()
	c, err := New(Config{Type: kind, ID: counted()}, start)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// plugin is the other end: it does what the Session Manager plugin does with sequence numbers, and acknowledges nothing twice.
type plugin struct {
	t        testing.TB
	expected int64
	early    map[int64]Message
	next     int64
	unacked  map[int64][]byte
	out      [][]byte
	took     bytes.Buffer
	offered  string
	complete bool
}

func newPlugin(t testing.TB) *plugin {
	return &plugin{t: t, early: map[int64]Message{}, unacked: map[int64][]byte{}}
}

func (p *plugin) send(payload Payload, content []byte) {
	b := Message{Kind: Input, Schema: 1, Created: 1, Sequence: p.next, Payload: payload, Content: content}.Encode()
	p.unacked[p.next] = b
	p.next++
	p.out = append(p.out, b)
}

func (p *plugin) receive(frame []byte) {
	m, err := Decode(frame)
	if err != nil {
		p.t.Fatalf("the agent's frame: %v", err)
	}
	switch {
	case m.Kind == Acknowledge:
		var a acknowledgement
		if err := json.Unmarshal(m.Content, &a); err != nil {
			p.t.Fatal(err)
		}
		delete(p.unacked, a.AcknowledgedMessageSequenceNumber)
	case m.Kind != Output || m.Sequence < p.expected:
	default:
		if _, there := p.early[m.Sequence]; !there {
			p.ack(m)
		}
		p.early[m.Sequence] = m
		for {
			m, ok := p.early[p.expected]
			if !ok {
				return
			}
			delete(p.early, p.expected)
			p.expected++
			p.handle(m)
		}
	}
}

func (p *plugin) ack(m Message) {
	b, err := json.Marshal(acknowledgement{m.Kind, m.Text(), m.Sequence, true})
	if err != nil {
		p.t.Fatal(err)
	}
	p.out = append(p.out, Message{Kind: Acknowledge, Flags: 3, Content: b}.Encode())
}

func (p *plugin) handle(m Message) {
	switch m.Payload {
	case HandshakeRequest:
		p.offered = string(m.Content)
		p.send(HandshakeResponse, []byte(`{"ClientVersion":"1.3.0.0","ProcessedClientActions":[{"ActionType":"SessionType","ActionStatus":1,"ActionResult":null,"Error":""}],"Errors":null}`))
	case HandshakeComplete:
		p.complete = true
	default:
		p.took.Write(m.Content)
	}
}

// exchange passes what both ends have said, once, with nothing lost.
func exchange(t testing.TB, c *Channel, p *plugin, now time.Time) {
	t.Helper()
	for range 10 {
		for _, f := range c.Frames() {
			p.receive(f)
		}
		out := p.out
		p.out = nil
		for _, f := range out {
			if err := c.Receive(f, now); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestHandshake(t *testing.T) {
	c, p := channel(t, Shell), newPlugin(t)
	if c.Room() != 0 || c.Send(Data, []byte("early"), start) != 0 {
		t.Error("it sends before the handshake")
	}
	exchange(t, c, p, start)
	if want := `{"AgentVersion":"3.3.0.0","RequestedClientActions":[{"ActionType":"SessionType","ActionParameters":{"SessionType":"Standard_Stream","Properties":null}}]}`; p.offered != want {
		t.Errorf("offered %s", p.offered)
	}
	if c.Version() != "1.3.0.0" || !p.complete || !c.Settled() || !c.Due().IsZero() {
		t.Errorf("version %q, complete %t, settled %t", c.Version(), p.complete, c.Settled())
	}
	p.send(Size, []byte(`{"cols":80,"rows":24}`))
	p.send(Data, []byte("ls\r"))
	p.send(Flag, TerminateSession.Bytes())
	exchange(t, c, p, start)
	for _, want := range []In{{Payload: Size, Terminal: Terminal{80, 24}}, {Payload: Data, Data: []byte("ls\r")}, {Payload: Flag, Flag: TerminateSession}} {
		in, ok, err := c.Next(start)
		if err != nil || !ok || in.Payload != want.Payload || in.Terminal != want.Terminal || in.Flag != want.Flag || !bytes.Equal(in.Data, want.Data) {
			t.Errorf("%v, %t, %v, want %v", in, ok, err, want)
		}
	}
	if len(p.unacked) != 0 {
		t.Errorf("%d messages were not acknowledged", len(p.unacked))
	}
}

func TestHandshakeIsRefused(t *testing.T) {
	for _, answer := range []string{`{"Errors":["no"]}`, `{"ProcessedClientActions":[{"ActionStatus":2,"Error":"no"}]}`, `[`} {
		err := channel(t, Port).Receive(Message{Kind: Input, Payload: HandshakeResponse, Content: []byte(answer)}.Encode(), start)
		if err == nil || errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", answer, err)
		}
	}
}

// What cannot be read is left out, and the channel goes on behind it.
func TestOddInput(t *testing.T) {
	c, p := channel(t, Shell), newPlugin(t)
	exchange(t, c, p, start)
	for _, odd := range []struct {
		payload Payload
		content string
	}{{Size, `{"cols":-1}`}, {Size, `{"cols":70000,"rows":1}`}, {Size, "x"}, {Flag, "abc"}} {
		p.send(odd.payload, []byte(odd.content))
		out := p.out
		p.out = nil
		if err := c.Receive(out[0], start); !errors.Is(err, ErrMalformed) {
			t.Errorf("%v: %v", odd, err)
		}
	}
	if err := c.Receive([]byte("{}"), start); !errors.Is(err, ErrMalformed) {
		t.Errorf("no message: %v", err)
	}
	p.send(Data, []byte("x"))
	exchange(t, c, p, start)
	if in, ok, err := c.Next(start); !ok || err != nil || string(in.Data) != "x" {
		t.Errorf("%v, %t, %v", in, ok, err)
	}
}

func TestLost(t *testing.T) {
	c, p := channel(t, Shell), newPlugin(t)
	exchange(t, c, p, start)
	if n := c.Send(Data, bytes.Repeat([]byte("x"), 1<<20), start); n != mostKept*pieces || c.Room() != 0 {
		t.Errorf("%d bytes are taken, and room for %d is left", n, c.Room())
	}
	c.Frames()
	resent, now := 0, start
	for now.Sub(start) <= lostAfter {
		now = c.Due()
		if err := c.Tick(now); err != nil {
			break
		}
		resent += len(c.Frames())
	}
	if err := c.Tick(c.Due()); !errors.Is(err, ErrLost) {
		t.Errorf("after %s: %v", now.Sub(start), err)
	}
	if resent < 100 {
		t.Errorf("the oldest message was sent %d times again", resent)
	}
}

// What is not taken is not acknowledged beyond a bound, and comes when there is room again.
func TestInputIsBounded(t *testing.T) {
	c, p := channel(t, Shell), newPlugin(t)
	exchange(t, c, p, start)
	const all = 3 * mostInputs
	for range all {
		p.send(Data, []byte("x"))
	}
	exchange(t, c, p, start)
	if len(c.inputs) != mostInputs || len(c.early) > mostEarly || len(p.unacked) < all-mostInputs-mostEarly {
		t.Fatalf("%d and %d are kept, %d not acknowledged", len(c.inputs), len(c.early), len(p.unacked))
	}
	for taken := 0; taken < all; {
		_, ok, err := c.Next(start)
		if err != nil {
			t.Fatal(err)
		}
		if ok {
			taken++
			continue
		}
		if len(p.unacked) == 0 && len(c.inputs) == 0 {
			t.Fatalf("only %d came", taken)
		}
		p.again()
		exchange(t, c, p, start)
	}
}

// again sends what is not acknowledged.
func (p *plugin) again() {
	for n := range p.next {
		if f := p.unacked[n]; f != nil {
			p.out = append(p.out, f)
		}
	}
}

// TestAnyOrder loses, doubles and reorders messages of both ends: what arrives is what was sent.
func TestAnyOrder(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 7))
		c, p := channel(t, Shell), newPlugin(t)
		to := strings.Repeat("output ", r.IntN(3000))
		from := strings.Repeat("input ", r.IntN(200))
		rest, typed, got := to, from, ""
		now := start
		for round := 0; ; round++ {
			if round > 100_000 {
				t.Fatalf("seed %d: %d of %d and %d of %d bytes came", seed, p.took.Len(), len(to), len(got), len(from))
			}
			now = now.Add(20 * time.Millisecond)
			if err := c.Tick(now); err != nil {
				t.Fatal(err)
			}
			rest = rest[c.Send(Data, []byte(rest), now):]
			if p.complete && typed != "" {
				n := 1 + r.IntN(len(typed))
				p.send(Data, []byte(typed[:n]))
				typed = typed[n:]
			}
			if round%10 == 9 {
				p.again()
			}
			for _, f := range disturb(r, c.Frames(), nil) {
				p.receive(f)
			}
			out := p.out
			p.out = nil
			for _, f := range disturb(r, out, isAck) {
				if err := c.Receive(f, now); err != nil {
					t.Fatal(err)
				}
			}
			for {
				in, ok, err := c.Next(now)
				if err != nil {
					t.Fatal(err)
				}
				if !ok {
					break
				}
				got += string(in.Data)
			}
			if p.took.Len() >= len(to) && len(got) >= len(from) && p.complete && c.Settled() {
				break
			}
		}
		if p.took.String() != to || got != from {
			t.Fatalf("seed %d: what came is not what was sent", seed)
		}
	}
}

// isAck spares the plugin's acknowledgements: it gives each once, and the socket below loses none.
func isAck(f []byte) bool {
	m, err := Decode(f)
	return err == nil && m.Kind == Acknowledge
}

// disturb loses a fifth of the frames but those to spare, doubles a fifth, and mixes them.
func disturb(r *rand.Rand, frames [][]byte, spare func([]byte) bool) (out [][]byte) {
	for _, f := range frames {
		switch n := r.IntN(5); {
		case n == 0 && (spare == nil || !spare(f)):
		case n == 1:
			out = append(out, f, f)
		default:
			out = append(out, f)
		}
	}
	r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

func TestClose(t *testing.T) {
	f, err := Close([16]byte{1}, "ecs-execute-command-0", TimedOut, start)
	if err != nil {
		t.Fatal(err)
	}
	m, err := Decode(f)
	if err != nil || m.Kind != ChannelClosed {
		t.Fatalf("%v, %v", m, err)
	}
	want := `{"MessageId":"01000000-0000-0000-0000-000000000000","CreatedDate":"2026-11-29T12:00:00.000Z","DestinationId":"","SessionId":"ecs-execute-command-0",` +
		`"MessageType":"channel_closed","SchemaVersion":1,"Output":"` + TimedOut + `"}`
	if string(m.Content) != want {
		t.Errorf("%s", m.Content)
	}
}

func BenchmarkSend(b *testing.B) {
	c, p := channel(b, Shell), newPlugin(b)
	exchange(b, c, p, start)
	data := make([]byte, pieces)
	b.SetBytes(pieces)
	for b.Loop() {
		c.Send(Data, data, start)
		exchange(b, c, p, start)
		p.took.Reset()
	}
}
