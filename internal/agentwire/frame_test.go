package agentwire

import (
	"bytes"
	"encoding/binary"
	"strings"
)

func framing() []statement {
	return []statement{
		{"FramePing", framePing},
		{"FrameFragments", frameFragments},
		{"FrameInPieces", framePieces},
		{"FrameBinary", frameBinary},
		{"FrameLong", frameLong},
		{"FrameHalf", frameHalf},
		{"FrameViolations", frameViolations},
		{"FrameGarbage", frameGarbage},
		{"FrameUnknownTypes", frameUnknown},
	}
}

// ackFrame is a text frame that is no answer to anything.
func (a *Agent) ackText() []byte {
	return Object{{"type", "AckRequest"}, {"message", Object{{"cluster", a.ClusterARN()}, {"containerInstance", a.Instance}, {"messageId", "none"}}}}.JSON(As)
}

// alive proves that the session still tells and that its acks are heard.
func (s *stage) alive(a *Agent) {
	s.Helper()
	task := s.task(a)
	s.running(a, task)
	s.stopped(a, task)
}

// pong reads frames until the pong with that payload, and leaves out messages.
func (s *stage) pong(a *Agent, payload string) {
	s.Helper()
	for limit := Limit(); ; {
		f, err := a.ACS.ReadFrame(limit)
		s.ok(err)
		if f.Opcode == Pong {
			s.is("pong", string(f.Payload), payload)
			return
		}
	}
}

func framePing(s *stage) {
	a := s.connected()
	s.ok(a.ACS.WriteFrame(Ping, []byte("are you there")))
	s.pong(a, "are you there")
	s.ok(a.ACS.WriteFrame(Ping, nil))
	s.pong(a, "")
	text := a.ackText()
	s.ok(a.ACS.Write(Frame{Opcode: Text, Payload: text[:10]}.Encode(true)))
	s.ok(a.ACS.WriteFrame(Ping, []byte("between fragments")))
	s.pong(a, "between fragments")
	s.ok(a.ACS.Write(Frame{Fin: true, Opcode: Continuation, Payload: text[10:]}.Encode(true)))
	s.ok(a.ACS.WriteFrame(Pong, []byte("nobody asked")))
	task := s.start(a, s.definition(nil))
	s.ok(a.ACS.WriteFrame(Ping, []byte("while a payload comes")))
	s.told(a, task, "RUNNING")
	s.alive(a)
}

// fragmented writes a message in fragments of n bytes.
func (s *stage) fragmented(a *Agent, text []byte, n int) {
	s.Helper()
	opcode := Text
	for len(text) > 0 {
		n := min(n, len(text))
		s.ok(a.ACS.Write(Frame{Fin: n == len(text), Opcode: opcode, Payload: text[:n]}.Encode(true)))
		text, opcode = text[n:], Continuation
	}
}

func frameFragments(s *stage) {
	a := s.connected()
	task := s.start(a, s.definition(nil))
	m := s.next(a, "PayloadMessage")
	s.fragmented(a, Object{{"type", "AckRequest"}, {"message", Object{{"cluster", a.ClusterARN()}, {"containerInstance", a.Instance}, {"messageId", m.MessageID}}}}.JSON(As), 3)
	s.ok(a.ACS.Write(Frame{Opcode: Text}.Encode(true))) // an empty first fragment
	s.ok(a.ACS.Write(Frame{Fin: true, Opcode: Continuation, Payload: a.ackText()}.Encode(true)))
	s.running(a, task)
	s.alive(a)
}

func framePieces(s *stage) {
	a := s.connected()
	var frames []byte
	for range 50 {
		frames = append(frames, Frame{Fin: true, Opcode: Text, Payload: a.ackText()}.Encode(true)...)
	}
	s.ok(a.ACS.Write(frames)) // many in one segment
	for _, b := range frames[:400] {
		s.ok(a.ACS.Write([]byte{b}))
	}
	s.ok(a.ACS.Write(frames[400 : len(frames)/50*2]))
	s.alive(a)
}

func frameBinary(s *stage) {
	a := s.connected()
	s.ok(a.ACS.WriteFrame(Binary, a.ackText()))
	s.alive(a)
}

// long is a message of about n bytes.
func (a *Agent) long(n int) []byte {
	return Object{{"type", "NackRequest"}, {"message", Object{{"cluster", a.ClusterARN()}, {"containerInstance", a.Instance}, {"messageId", "m"},
		{"reason", strings.Repeat("r", n)}}}}.JSON(As)
}

func frameLong(s *stage) {
	a := s.connected()
	s.ok(a.ACS.WriteFrame(Text, a.long(1<<20)))
	s.fragmented(a, a.long(1<<20), 100_000)
	s.alive(a)
	// Beyond the limit: the server ends the session without reading all of it, and serves the next.
	frame := Frame{Fin: true, Opcode: Text, Payload: a.long(6 << 20)}.Encode(true)
	go a.ACS.Write(frame) //nolint:errcheck // the server stops reading
	s.ended(a.ACS)
	s.connect(a)
	s.alive(a)
}

func frameHalf(s *stage) {
	a := s.connected()
	frame := Frame{Fin: true, Opcode: Text, Payload: a.ackText()}.Encode(true)
	for _, cut := range []int{1, 3, 7, len(frame) / 2, len(frame) - 1} {
		s.ok(a.ACS.Write(frame[:cut]))
		a.ACS.Conn.Close()
		s.awaitConnected(a, false)
		s.connect(a)
	}
	s.ok(a.ACS.Write(frame[:9])) // and then nothing: what it is told goes on meanwhile
	task := s.start(a, s.definition(nil))
	s.next(a, "PayloadMessage")
	s.running(a, task)
	s.is("lastStatus", at(s.described(task), "lastStatus"), "RUNNING")
}

func frameViolations(s *stage) {
	a := s.agent()
	masked := func(f Frame) []byte { return f.Encode(true) }
	tooLong := binary.BigEndian.AppendUint64([]byte{0x81, 0xff}, 1<<63)
	reserved := masked(Frame{Fin: true, Opcode: Text, Payload: a.ackText()})
	reserved[0] |= 0x40
	for name, bytes := range map[string][]byte{
		"unmasked":              Frame{Fin: true, Opcode: Text, Payload: a.ackText()}.Encode(false),
		"reserved bit":          reserved,
		"reserved opcode":       masked(Frame{Fin: true, Opcode: 0x3, Payload: []byte("x")}),
		"continuation at first": masked(Frame{Fin: true, Opcode: Continuation, Payload: a.ackText()}),
		"text within a message": append(masked(Frame{Opcode: Text, Payload: []byte("{")}), masked(Frame{Fin: true, Opcode: Text, Payload: a.ackText()})...),
		"ping in fragments":     masked(Frame{Opcode: Ping, Payload: []byte("x")}),
		"ping too long":         masked(Frame{Fin: true, Opcode: Ping, Payload: bytes.Repeat([]byte("x"), 126)}),
		"impossible length":     append(tooLong, 0, 0, 0, 0),
		"close with one byte":   masked(Frame{Fin: true, Opcode: Close, Payload: []byte{3}}),
		"close with bad code":   masked(Frame{Fin: true, Opcode: Close, Payload: []byte{0, 7}}),
		"no websocket at all":   []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
	} {
		s.connect(a)
		s.ok(a.ACS.Write(bytes))
		code := s.ended(a.ACS)
		s.Logf("%s: ended with %d", name, code)
		s.awaitConnected(a, false)
	}
	s.connect(a)
	s.alive(a)
}

// frameGarbage: what is a frame but no message ends the session or is left out, as the server likes; either way the agent goes on at once.
func frameGarbage(s *stage) {
	a := s.connected()
	for _, text := range []string{
		"", "{", "null", "[]", `"x"`, "\xff\xfe", `{}`, `{"type":7}`, `{"type":"AckRequest","message":7}`, `{"type":"AckRequest","message":{"messageId":7}}`,
		`{"type":"AckRequest","message":null}`, `{"type":"AckRequest"}`, `{"type":"TaskStopVerificationMessage","message":{"stopCandidates":[null,7]}}`,
		strings.Repeat("[", 100_000),
	} {
		s.ok(a.ACS.WriteFrame(Text, []byte(text)))
		s.ok(a.ACS.WriteFrame(Ping, []byte("p")))
		for limit := Limit(); ; {
			f, err := a.ACS.ReadFrame(limit)
			if err != nil || f.Opcode == Close {
				if f.Opcode == Close && len(f.Payload) >= 2 && !ordinary(int(binary.BigEndian.Uint16(f.Payload))) {
					s.Errorf("%.40q: closed with %d: the agent would back off", text, binary.BigEndian.Uint16(f.Payload))
				}
				s.connect(a)
				break
			}
			if f.Opcode == Pong {
				break
			}
		}
	}
	s.alive(a)
}

func frameUnknown(s *stage) {
	a := s.connected()
	for _, kind := range []string{"FutureRequest", "StartTelemetrySessionRequest", "ErrorMessage", "CloseMessage", "PublishMetricsRequest", "PayloadMessage", "HeartbeatMessage"} {
		s.ok(a.Say(kind, Object{{"messageId", "m"}, {"x", []Object{{{"y", nil}}}}}))
	}
	s.ok(a.ACS.WriteFrame(Text, []byte(`{"message":{"messageId":"none","new":true},"extra":1,"type":"AckRequest"}`)))
	s.alive(a)
}
