package logs

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
	cwl "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"berth/internal/frontdoor"
	"berth/internal/logs"
	"berth/internal/logstore"
)

// LiveTail is the answer of StartLiveTail: a stream of messages (application/vnd.amazon.eventstream). The front door calls Stream for its body.
type LiveTail struct {
	api     *API
	in      *cwl.StartLiveTailInput
	request string
	account string
	groups  []string          // Group.ID
	arns    map[string]string // of groups, by Group.ID
	wants   func(group, stream string, e logs.Event) bool
}

var _ frontdoor.Streamed = (*LiveTail)(nil)

const (
	tailFor    = 3 * time.Hour         // how long a session may be
	tailEvery  = time.Second           // something is sent at least so often
	tailPause  = 20 * time.Millisecond // and at most: what comes meanwhile goes together
	mostUpdate = 500                   // events in one message
	// mostUpdateBytes is what a message has of texts, but for one that is longer: in JSON a byte may become six, and clients take no message of more than 16 MiB.
	mostUpdateBytes = 1 << 20
)

// Stream writes the session's messages until the client goes, which it learns from ctx or a write that fails, or until the session's time is over or
// this replica leads no more. Each message is flushed.
func (t *LiveTail) Stream(ctx context.Context, w io.Writer, flush func() error) error {
	tail := t.api.tails.Follow(t.following())
	defer t.api.tails.Leave(tail)
	s := &session{to: w, flush: flush, arns: t.arns, encoder: eventstream.NewEncoder()}
	room := t.api.live.enter(t.account, t.api.config.MostTails)
	if room {
		defer t.api.live.leave(t.account)
	}
	if err := s.begin(t); err != nil {
		return err
	}
	if !room {
		return s.exception("SessionStreamingException", "There are too many live tails.")
	}
	end := time.NewTimer(tailFor)
	defer end.Stop()
	tick := time.NewTicker(tailEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-end.C:
			return s.exception("SessionTimeoutException", "The live tail session has been open for three hours.")
		case <-tick.C:
			if !t.api.store.Leading() {
				return s.exception("SessionStreamingException", "Another replica leads now. Start the live tail again.")
			}
			if err := s.update(tail, true); err != nil {
				return err
			}
		case <-tail.Ready:
			if err := s.update(tail, false); err != nil {
				return err
			}
			tick.Reset(tailEvery)
			if !pause(ctx) {
				return nil
			}
		}
	}
}

// pause lets a moment pass, so that a stream of single events is not one of single messages; false when ctx ends.
func pause(ctx context.Context) bool {
	select {
	case <-time.After(tailPause):
		return true
	case <-ctx.Done():
		return false
	}
}

// session writes messages.
type session struct {
	to      io.Writer
	flush   func() error
	arns    map[string]string
	encoder *eventstream.Encoder
	buffer  bytes.Buffer
}

// begin writes the messages that every session begins with.
func (s *session) begin(t *LiveTail) error {
	if err := s.event("initial-response", struct{}{}); err != nil {
		return err
	}
	return s.event("sessionStart", sessionStart{
		RequestID: t.request, SessionID: rand.Text(), LogGroupIdentifiers: t.in.LogGroupIdentifiers, LogStreamNames: t.in.LogStreamNames,
		LogStreamNamePrefixes: t.in.LogStreamNamePrefixes, LogEventFilterPattern: t.in.LogEventFilterPattern,
	})
}

type sessionStart struct {
	RequestID             string   `json:"requestId,omitempty"`
	SessionID             string   `json:"sessionId"`
	LogGroupIdentifiers   []string `json:"logGroupIdentifiers"`
	LogStreamNames        []string `json:"logStreamNames,omitempty"`
	LogStreamNamePrefixes []string `json:"logStreamNamePrefixes,omitempty"`
	LogEventFilterPattern *string  `json:"logEventFilterPattern,omitempty"`
}

type sessionUpdate struct {
	Metadata sessionMetadata `json:"sessionMetadata"`
	Results  []sessionEvent  `json:"sessionResults"`
}

type sessionMetadata struct {
	Sampled bool `json:"sampled"`
}

type sessionEvent struct {
	LogStreamName      string    `json:"logStreamName"`
	LogGroupIdentifier string    `json:"logGroupIdentifier"`
	Message            string    `json:"message"`
	Timestamp          logs.Time `json:"timestamp"`
	IngestionTime      logs.Time `json:"ingestionTime"`
}

// update writes what waits in the tail, and that nothing does only if it is asked to. Where some were lost before it, it is a sample.
func (s *session) update(tail *logstore.Tail, always bool) error {
	events, lost := tail.Take(mostUpdate, mostUpdateBytes)
	if len(events) == 0 && !always {
		return nil
	}
	u := sessionUpdate{Metadata: sessionMetadata{Sampled: lost > 0}, Results: make([]sessionEvent, len(events))}
	for i, e := range events {
		u.Results[i] = sessionEvent{e.Stream, s.arns[e.Group], e.Message, e.Time, e.Ingested}
	}
	return s.event("sessionUpdate", u)
}

func (s *session) event(kind string, payload any) error {
	return s.message(payload, ":message-type", "event", ":event-type", kind, ":content-type", "application/json")
}

// exception ends the session in AWS's words.
func (s *session) exception(kind, text string) error {
	return s.message(map[string]string{"message": text}, ":message-type", "exception", ":exception-type", kind, ":content-type", "application/json")
}

func (s *session) message(payload any, headers ...string) error {
	b, err := json.Marshal(payload)
	if err != nil {
		return fmt.Errorf("encode a live tail's message: %w", err)
	}
	m := eventstream.Message{Payload: b}
	for i := 0; i < len(headers); i += 2 {
		m.Headers.Set(headers[i], eventstream.StringValue(headers[i+1]))
	}
	s.buffer.Reset()
	if err := s.encoder.Encode(&s.buffer, m); err != nil {
		return fmt.Errorf("encode a live tail's message: %w", err)
	}
	if _, err := s.to.Write(s.buffer.Bytes()); err != nil {
		return fmt.Errorf("write to a live tail: %w", err)
	}
	return s.flush()
}
