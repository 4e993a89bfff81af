package agentwire

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Patience is how long the agent waits for the answer to a call.
const Patience = 42 * time.Second

// userAgent is the official agent's, with a hash of that build's form.
const (
	Version   = "1.105.1"
	Hash      = "a8b3e7d3"
	userAgent = "Amazon ECS Agent - v" + Version + " (*" + Hash + ") (linux; LINUX) (+http://aws.amazon.com/ecs/)"
)

// Client makes the agent's calls and opens its sockets. It keeps one connection for calls, as the agent's transport does.
type Client struct {
	Dial func() (net.Conn, error)
	Host string // what the Host header says
	Keys Keys
	Skew time.Duration // how far this machine's clock is ahead

	mu   sync.Mutex
	conn net.Conn
	br   *bufio.Reader
}

// Answer is what a call was answered.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Error is the API's error in an answer, "" for success.
func (a Answer) Error() string {
	var e struct {
		Type string `json:"__type"`
	}
	if a.Status == http.StatusOK {
		return ""
	}
	if err := json.Unmarshal(a.Body, &e); err != nil || e.Type == "" {
		return fmt.Sprintf("HTTP %d %q", a.Status, a.Body)
	}
	return e.Type
}

// Message is the text of the API's error.
func (a Answer) Message() string {
	var e struct{ Message string }
	if err := json.Unmarshal(a.Body, &e); err != nil {
		return string(a.Body)
	}
	return e.Message
}

// Call makes one of the agent's calls of the ECS API.
func (c *Client) Call(operation string, body []byte) (Answer, error) {
	return c.Send(c.Request("AmazonEC2ContainerServiceV20141113."+operation, body))
}

// Request is a call as bytes: a Go HTTP client's, signed as the agent's SDK signs.
func (c *Client) Request(target string, body []byte) []byte {
	at := time.Now().Add(c.Skew)
	signed := []header{
		{"Amz-Sdk-Invocation-Id", uuid()}, {"Amz-Sdk-Request", "attempt=1; max=" + attempts(target)},
		{"Content-Length", strconv.Itoa(len(body))}, {"Content-Type", "application/x-amz-json-1.1"}, {"Host", c.Host},
		{"X-Amz-Date", at.UTC().Format("20060102T150405Z")}, {"X-Amz-Target", target},
	}
	if c.Keys.SessionToken != "" {
		signed = append(signed, header{"X-Amz-Security-Token", c.Keys.SessionToken})
	}
	authorization := c.Keys.signature("POST", "/", "", signed, body, at)
	get := func(name string) header {
		for _, h := range signed {
			if h.name == name {
				return h
			}
		}
		return header{name, ""}
	}
	list := []header{get("Host"), {"User-Agent", userAgent}, get("Content-Length"), get("Amz-Sdk-Invocation-Id"), get("Amz-Sdk-Request"),
		{"Authorization", authorization}, get("Content-Type"), get("X-Amz-Date")}
	if c.Keys.SessionToken != "" {
		list = append(list, get("X-Amz-Security-Token"))
	}
	list = append(list, get("X-Amz-Target"), header{"Accept-Encoding", "gzip"})
	return append(head("POST / HTTP/1.1", list), body...)
}

// attempts is the most that the agent's SDK tries: its reports go on for a day.
func attempts(target string) string {
	if bytes.Contains([]byte(target), []byte(".Submit")) {
		return "298"
	}
	return "3"
}

func head(line string, headers []header) []byte {
	var b bytes.Buffer
	b.WriteString(line + "\r\n")
	for _, h := range headers {
		b.WriteString(h.name + ": " + h.value + "\r\n")
	}
	b.WriteString("\r\n")
	return b.Bytes()
}

// Send writes a request and reads its answer. A connection that the server had closed meanwhile is opened anew, once.
func (c *Client) Send(request []byte) (Answer, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	kept := c.conn != nil
	a, err := c.exchange(request)
	if err != nil && kept && (errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrUnexpectedEOF)) {
		a, err = c.exchange(request)
	}
	return a, err
}

func (c *Client) exchange(request []byte) (a Answer, err error) {
	if c.conn == nil {
		if c.conn, err = c.Dial(); err != nil {
			return a, fmt.Errorf("dial: %w", err)
		}
		c.br = bufio.NewReader(c.conn)
	}
	defer func() {
		if err != nil {
			c.drop()
		}
	}()
	if err := c.conn.SetDeadline(time.Now().Add(Patience)); err != nil {
		return a, err
	}
	if _, err := c.conn.Write(request); err != nil {
		return a, err
	}
	r, err := http.ReadResponse(c.br, nil)
	if err != nil {
		return a, err
	}
	defer r.Body.Close()
	if a.Body, err = io.ReadAll(r.Body); err != nil {
		return a, err
	}
	a.Status, a.Header = r.StatusCode, r.Header
	if r.Close {
		c.drop()
	}
	return a, nil
}

func (c *Client) drop() {
	if c.conn != nil {
		c.conn.Close()
		c.conn = nil
	}
}

// Close closes the connection that is kept for calls.
func (c *Client) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop()
}

func uuid() string {
	var b [16]byte
	if _, err := rand.Read(b[:]); err != nil { // it never fails
		panic(err)
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	s := hex.EncodeToString(b[:])
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}
