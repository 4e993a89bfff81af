package session

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Type is what a session is for, as the handshake says.
type Type string

// The types of sessions. The plugin shows the first two in its terminal.
const (
	Shell   Type = "Standard_Stream"
	Command Type = "InteractiveCommands"
	Port    Type = "Port"
)

// agentVersion is the version that agents tell plugins: of one that takes the flag that terminates a session, forwards several connections at
// once where the plugin can, and does not want them kept alive.
const agentVersion = "3.3.0.0"

type action struct {
	ActionType       string
	ActionParameters parameters
}

type parameters struct {
	SessionType Type
	Properties  any
}

type request struct {
	AgentVersion           string
	RequestedClientActions []action
}

type response struct {
	ClientVersion          string
	ProcessedClientActions []struct {
		ActionType   string
		ActionStatus int
		Error        string
	}
	Errors []string
}

type complete struct {
	HandshakeTimeToComplete int64 // nanoseconds
	CustomerMessage         string
}

// PortProperties are those of a session of type Port.
type PortProperties struct {
	PortNumber          string `json:"portNumber"`
	LocalPortNumber     string `json:"localPortNumber,omitempty"`
	LocalConnectionType string `json:"localConnectionType,omitempty"`
	LocalUnixSocket     string `json:"localUnixSocket,omitempty"`
	Type                string `json:"type"` // LocalPortForwarding
}

func requestOf(t Type, properties any) ([]byte, error) {
	b, err := json.Marshal(request{agentVersion, []action{{"SessionType", parameters{t, properties}}}})
	if err != nil {
		return nil, fmt.Errorf("encode handshake: %w", err)
	}
	return b, nil
}

// readResponse reads the plugin's answer: its version, or what it cannot do.
func readResponse(b []byte) (version string, err error) {
	var r response
	if err := json.Unmarshal(b, &r); err != nil {
		return "", fmt.Errorf("decode handshake response: %w", err)
	}
	if len(r.Errors) > 0 {
		return "", fmt.Errorf("the client refuses the session: %.500s", strings.Join(r.Errors, "; "))
	}
	for _, a := range r.ProcessedClientActions {
		if a.ActionStatus != 1 {
			return "", fmt.Errorf("the client refuses the session: %.500s", a.Error)
		}
	}
	return r.ClientVersion, nil
}

// Several says whether a plugin of a version forwards several connections at once, multiplexed: it does from 1.1.70 on.
func Several(version string) bool {
	parts := strings.Split(version, ".")
	for i, least := range [3]int{1, 1, 70} {
		if i >= len(parts) {
			return false
		}
		n, err := strconv.Atoi(parts[i])
		if err != nil || n < least {
			return false
		}
		if n > least {
			return true
		}
	}
	return true
}

// Terminal is the size of a terminal in characters.
type Terminal struct {
	Cols uint32 `json:"cols"`
	Rows uint32 `json:"rows"`
}

// mostCharacters bounds a terminal in both directions.
const mostCharacters = 65535

func readSize(b []byte) (t Terminal, err error) {
	if err := json.Unmarshal(b, &t); err != nil {
		return t, fmt.Errorf("decode size: %w", err)
	}
	if t.Cols > mostCharacters || t.Rows > mostCharacters {
		return t, fmt.Errorf("a terminal of %d x %d", t.Cols, t.Rows)
	}
	return t, nil
}

// Bytes is a flag as a payload.
func (f FlagValue) Bytes() []byte { return binary.BigEndian.AppendUint32(nil, uint32(f)) }

func readFlag(b []byte) (FlagValue, error) {
	if len(b) != 4 {
		return 0, fmt.Errorf("a flag of %d bytes", len(b))
	}
	return FlagValue(binary.BigEndian.Uint32(b)), nil
}
