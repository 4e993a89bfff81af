package acsproto

import (
	"bytes"
	"encoding/json"
	"fmt"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

type envelope struct {
	Type    string          `json:"type"`
	Message json.RawMessage `json:"message"`
}

// rawEnvelope is envelope for the faster decoder.
type rawEnvelope struct {
	Type    string         `json:"type"`
	Message jsontext.Value `json:"message"`
}

// lenient decodes as the standard library does: names in any case, the last of several, and text that is not quite UTF-8.
var lenient = jsonv2.JoinOptions(jsonv2.MatchCaseInsensitiveNames(true), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// Encode writes m as one text frame: {"type":...,"message":{...}}.
func Encode(m Message) ([]byte, error) {
	if u, ok := m.(Unknown); ok {
		return json.Marshal(envelope{u.Name, u.Body})
	}
	return json.Marshal(struct {
		Type    string  `json:"type"`
		Message Message `json:"message"`
	}{m.Type(), m})
}

// Decode reads one frame. A type that is not known is no error: it decodes to Unknown.
func Decode(frame []byte) (Message, error) {
	var e rawEnvelope
	if err := jsonv2.Unmarshal(frame, &e, lenient); err != nil {
		return nil, fmt.Errorf("decode frame: %w", err)
	}
	if e.Type == "" {
		return nil, fmt.Errorf("decode frame: no message type")
	}
	m, err := body(e.Type, json.RawMessage(e.Message))
	if err != nil {
		return nil, fmt.Errorf("decode %s: %w", e.Type, err)
	}
	return m, nil
}

// SplitHeader cuts off the HTTP header block that an agent writes before the JSON of each telemetry frame.
// A frame without one is returned whole.
func SplitHeader(frame []byte) (header, body []byte) {
	if i := bytes.Index(frame, []byte("\r\n\r\n")); i >= 0 && len(frame) > 0 && frame[0] != '{' {
		return frame[:i+2], frame[i+4:]
	}
	return nil, frame
}

func body(name string, raw json.RawMessage) (Message, error) {
	switch name {
	case Heartbeat{}.Type():
		return as[Heartbeat](raw)
	case HeartbeatAck{}.Type():
		return as[HeartbeatAck](raw)
	case Payload{}.Type():
		return as[Payload](raw)
	case Ack{}.Type():
		return as[Ack](raw)
	case Nack{}.Type():
		return as[Nack](raw)
	case TaskManifest{}.Type():
		return as[TaskManifest](raw)
	case TaskStopVerification{}.Type():
		return as[TaskStopVerification](raw)
	case TaskStopVerificationAck{}.Type():
		return as[TaskStopVerificationAck](raw)
	case Network{}.Type():
		return as[Network](raw)
	case Exec{}.Type():
		return as[Exec](raw)
	case IAMRoleCredentials{}.Type():
		return as[IAMRoleCredentials](raw)
	case IAMRoleCredentialsAck{}.Type():
		return as[IAMRoleCredentialsAck](raw)
	case PublishMetrics{}.Type():
		return as[PublishMetrics](raw)
	case PublishHealth{}.Type():
		return as[PublishHealth](raw)
	case PublishInstanceStatus{}.Type():
		return as[PublishInstanceStatus](raw)
	case AckPublishMetric{}.Type():
		return as[AckPublishMetric](raw)
	case AckPublishHealth{}.Type():
		return as[AckPublishHealth](raw)
	case AckPublishInstanceStatus{}.Type():
		return as[AckPublishInstanceStatus](raw)
	}
	return Unknown{Name: name, Body: raw}, nil
}

func as[M Message](raw json.RawMessage) (Message, error) {
	var m M
	if len(raw) == 0 {
		return m, nil
	}
	err := jsonv2.Unmarshal(raw, &m, lenient)
	return m, err
}
