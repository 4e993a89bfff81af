package session

import (
	"encoding/json"
	"fmt"
	"time"
)

// closed is the content of a message of kind ChannelClosed.
type closed struct {
	MessageId     string //nolint:revive // as the protocol spells it
	CreatedDate   string
	DestinationId string //nolint:revive // as the protocol spells it
	SessionId     string //nolint:revive // as the protocol spells it
	MessageType   Kind
	SchemaVersion int
	Output        string
}

// Close is the service's last word to a plugin, after which it ends. output is shown to the user; "" is an ordinary end.
func Close(id [16]byte, sessionID, output string, now time.Time) ([]byte, error) {
	m := Message{Kind: ChannelClosed, Schema: 1, Created: uint64(now.UnixMilli()), ID: id}
	b, err := json.Marshal(closed{m.Text(), now.UTC().Format("2006-01-02T15:04:05.000Z"), "", sessionID, ChannelClosed, 1, output})
	if err != nil {
		return nil, fmt.Errorf("encode the end of a session: %w", err)
	}
	m.Content = b
	return m.Encode(), nil
}

// End is what an agent tells the relay last, as JSON in a text message: how the session ended.
type End struct {
	ExitCode *int   `json:"exitCode,omitempty"` // of the command
	Output   string `json:"output,omitempty"`   // what the user is told; "" for an ordinary end
}

// Hello is the first message of a plugin, JSON in a text message. Token is what StartSession or ExecuteCommand answered.
type Hello struct {
	MessageSchemaVersion string
	RequestId            string //nolint:revive // as the protocol spells it
	TokenValue           string
	ClientId             string //nolint:revive // as the protocol spells it
	ClientVersion        string
}

// TimedOut is what the user is told after Idle without a word from either end.
const TimedOut = "Your session timed out due to inactivity and has been terminated."

// Idle is how long a session of ECS Exec may be without a word from either end.
const Idle = 20 * time.Minute
