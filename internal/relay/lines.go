package relay

import (
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"
)

// longest is how long a line of a record is at most, in bytes: less than the longest event of CloudWatch Logs.
const longest = 200 << 10

// audit is the first line of a record.
type audit struct {
	SessionID string    `json:"sessionId"`
	Task      string    `json:"taskArn"`
	Container string    `json:"containerName"`
	Command   string    `json:"command"`
	Caller    string    `json:"caller"`
	StartedAt time.Time `json:"startedAt"`
	StoppedAt time.Time `json:"stoppedAt"`
	ExitCode  *int      `json:"exitCode,omitempty"`
	Reason    string    `json:"reason,omitempty"`
}

// Lines is a record as it is logged: who did what, as JSON, and then what the session has shown. A line is text, is not empty and has 200 KiB at most.
func (r Record) Lines() []string {
	first, err := json.Marshal(audit{
		r.ID, string(r.Task), r.Container, cut(r.Command), r.Caller, r.Began.UTC().Truncate(time.Millisecond), r.Ended.UTC().Truncate(time.Millisecond), r.ExitCode, cut(r.Output),
	})
	if err != nil { // texts and numbers always marshal
		panic(err)
	}
	lines := []string{string(first)}
	for line := range strings.SplitSeq(strings.ToValidUTF8(string(r.Transcript), "\ufffd"), "\n") {
		for line = strings.TrimRight(line, "\r"); line != ""; {
			n := len(cutAt(line, longest))
			lines, line = append(lines, line[:n]), line[n:]
		}
	}
	return lines
}

// cut bounds a text of the first line.
func cut(s string) string { return cutAt(strings.ToValidUTF8(s, "\ufffd"), 16<<10) }

// cutAt is the beginning of a valid text, of n bytes at most, with whole characters.
func cutAt(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
