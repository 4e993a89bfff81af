package agentwire

import (
	"bufio"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// The opcodes of websocket frames.
const (
	Continuation byte = 0x0
	Text         byte = 0x1
	Binary       byte = 0x2
	Close        byte = 0x8
	Ping         byte = 0x9
	Pong         byte = 0xa
)

// Refused is a handshake that was not answered with 101.
type Refused struct{ Answer }

func (r *Refused) Error() string { return fmt.Sprintf("refused: HTTP %d %s", r.Status, r.Body) }

// Closed is the server's close frame.
type Closed struct {
	Code   int
	Reason string
}

func (c *Closed) Error() string { return fmt.Sprintf("closed with %d %q", c.Code, c.Reason) }

// Socket is a websocket of the agent, one frame at a time.
type Socket struct {
	Conn net.Conn
	br   *bufio.Reader
	keys Keys
	host string
	path string // with the query as it is signed
	skew time.Duration
}

// handshake is the agent's request for a websocket, in bytes. native writes the headers as Go's HTTP client orders them rather than as the
// capture shows them; a server must not care.
func (c *Client) handshake(path string, parameters []header, key string, native bool) []byte {
	at := time.Now().Add(c.Skew)
	sent, canonical := query(parameters)
	signed := []header{{"Host", c.Host}, {"X-Amz-Date", at.UTC().Format("20060102T150405Z")}}
	if c.Keys.SessionToken != "" {
		signed = append(signed, header{"X-Amz-Security-Token", c.Keys.SessionToken})
	}
	authorization := header{"Authorization", c.Keys.signature("GET", path, canonical, signed, nil, at)}
	line := "GET " + path + "?" + sent + " HTTP/1.1"
	if native {
		return head(line, append([]header{signed[0], {"User-Agent", "Go-http-client/1.1"}, authorization, {"Connection", "Upgrade"},
			{"Sec-WebSocket-Key", key}, {"Sec-WebSocket-Version", "13"}, {"Upgrade", "websocket"}}, signed[1:]...))
	}
	list := append([]header{signed[0], {"Upgrade", "websocket"}, {"Connection", "Upgrade"}, {"Sec-WebSocket-Key", key},
		{"Sec-WebSocket-Version", "13"}, {"User-Agent", "Go-http-client/1.1"}}, signed[1:]...)
	return head(line, append(list, authorization))
}

// open makes the handshake. Its error is a *Refused where the server answered.
func (c *Client) open(path string, parameters []header, native bool) (*Socket, error) {
	var nonce [16]byte
	if _, err := rand.Read(nonce[:]); err != nil {
		return nil, err
	}
	key := base64.StdEncoding.EncodeToString(nonce[:])
	conn, err := c.Dial()
	if err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	_, canonical := query(parameters)
	s := &Socket{Conn: conn, br: bufio.NewReader(conn), keys: c.Keys, host: c.Host, path: path + "?" + canonical, skew: c.Skew}
	if err := s.shake(c.handshake(path, parameters, key, native), key); err != nil {
		conn.Close()
		return nil, err
	}
	return s, nil
}

// shake is the handshake's two halves, within the agent's 30 seconds.
func (s *Socket) shake(request []byte, key string) error {
	if err := s.Conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return err
	}
	if _, err := s.Conn.Write(request); err != nil {
		return err
	}
	r, err := http.ReadResponse(s.br, nil)
	if err != nil {
		return fmt.Errorf("handshake: %w", err)
	}
	if r.StatusCode != http.StatusSwitchingProtocols {
		body, err := io.ReadAll(io.LimitReader(r.Body, 64<<10))
		if err != nil {
			return fmt.Errorf("handshake: %w", err)
		}
		return &Refused{Answer{Status: r.StatusCode, Header: r.Header, Body: body}}
	}
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	switch h := r.Header; {
	case !strings.EqualFold(h.Get("Upgrade"), "websocket") || !strings.EqualFold(h.Get("Connection"), "upgrade"):
		return fmt.Errorf("handshake: 101 without an upgrade: %v", h)
	case h.Get("Sec-WebSocket-Accept") != base64.StdEncoding.EncodeToString(sum[:]):
		return fmt.Errorf("handshake: Sec-WebSocket-Accept is %q", h.Get("Sec-WebSocket-Accept"))
	case h.Get("Sec-WebSocket-Extensions")+h.Get("Sec-WebSocket-Protocol") != "":
		return fmt.Errorf("handshake: the agent offered neither extension nor subprotocol: %v", h)
	}
	return s.Conn.SetDeadline(time.Time{})
}

// Frame is one frame of a websocket.
type Frame struct {
	Fin     bool
	Opcode  byte
	Payload []byte
}

// Encode is the frame as a client writes it. Only a broken one leaves masked false.
func (f Frame) Encode(masked bool) []byte {
	b := []byte{f.Opcode}
	if f.Fin {
		b[0] |= 0x80
	}
	switch n := len(f.Payload); {
	case n < 126:
		b = append(b, byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 127), uint64(n))
	}
	if !masked {
		return append(b, f.Payload...)
	}
	b[1] |= 0x80
	mask := [4]byte{0x37, 0xfa, 0x21, 0x3d}
	b = append(b, mask[:]...)
	for i, c := range f.Payload {
		b = append(b, c^mask[i%4])
	}
	return b
}

// Write writes bytes as they are.
func (s *Socket) Write(b []byte) error {
	_, err := s.Conn.Write(b)
	return err
}

// WriteFrame writes one whole frame.
func (s *Socket) WriteFrame(opcode byte, payload []byte) error {
	return s.Write(Frame{Fin: true, Opcode: opcode, Payload: payload}.Encode(true))
}

// WriteClose writes a close frame.
func (s *Socket) WriteClose(code int, reason string) error {
	return s.WriteFrame(Close, append(binary.BigEndian.AppendUint16(nil, uint16(code)), reason...))
}

// ReadFrame reads one frame, at most until the deadline. What a server must not send is an error.
func (s *Socket) ReadFrame(deadline time.Time) (f Frame, err error) {
	if err := s.Conn.SetReadDeadline(deadline); err != nil {
		return f, err
	}
	var h [8]byte
	if _, err := io.ReadFull(s.br, h[:2]); err != nil {
		return f, err
	}
	f.Fin, f.Opcode = h[0]&0x80 != 0, h[0]&0x0f
	n := uint64(h[1] & 0x7f)
	switch {
	case h[0]&0x70 != 0:
		return f, errors.New("frame: a reserved bit is set: no extension was agreed")
	case h[1]&0x80 != 0:
		return f, errors.New("frame: the server's frame is masked")
	case n == 126:
		if _, err := io.ReadFull(s.br, h[:2]); err != nil {
			return f, err
		}
		n = uint64(binary.BigEndian.Uint16(h[:2]))
	case n == 127:
		if _, err := io.ReadFull(s.br, h[:8]); err != nil {
			return f, err
		}
		n = binary.BigEndian.Uint64(h[:8])
	}
	if n > 16<<20 || f.Opcode >= Close && (n > 125 || !f.Fin) {
		return f, fmt.Errorf("frame: opcode %d with %d bytes", f.Opcode, n)
	}
	f.Payload = make([]byte, n)
	_, err = io.ReadFull(s.br, f.Payload)
	return f, err
}

// Read reads the next message. It answers pings, and a close frame with its echo and a *Closed. The agent takes text only.
func (s *Socket) Read(deadline time.Time) ([]byte, error) {
	var whole []byte
	for begun := false; ; {
		f, err := s.ReadFrame(deadline)
		if err != nil {
			return nil, err
		}
		switch f.Opcode {
		case Ping:
			if err := s.WriteFrame(Pong, f.Payload); err != nil {
				return nil, err
			}
		case Pong:
		case Close:
			c := &Closed{Code: 1005}
			if len(f.Payload) >= 2 {
				c.Code, c.Reason = int(binary.BigEndian.Uint16(f.Payload)), string(f.Payload[2:])
			}
			s.WriteFrame(Close, f.Payload[:min(2, len(f.Payload))]) //nolint:errcheck // the server may be gone already
			return nil, c
		case Text, Continuation:
			if begun != (f.Opcode == Continuation) {
				return nil, fmt.Errorf("frame: opcode %d within a message: %v", f.Opcode, begun)
			}
			begun = true
			if whole = append(whole, f.Payload...); f.Fin {
				return whole, nil
			}
		default:
			return nil, fmt.Errorf("frame: opcode %d", f.Opcode)
		}
	}
}

// Came reports whether something of the server comes, or its end, within d. It reads nothing.
func (s *Socket) Came(d time.Duration) bool {
	if err := s.Conn.SetReadDeadline(time.Now().Add(d)); err != nil {
		return true
	}
	_, err := s.br.Peek(1)
	var timeout net.Error
	return !errors.As(err, &timeout) || !timeout.Timeout()
}
