package events

import "time"

// The notes of a stream of events. They have the form of events, and "berth" for their source.
const (
	Position = "Berth Stream Position" // every event up to a commit has been told
	Missed   = "Berth Stream Missed"   // events were left out
	End      = "Berth Stream End"      // the last line, and why
)

// Remark is the detail of a note.
type Remark struct {
	Commit uint64 `json:"commit"`           // go on after this one
	After  uint64 `json:"after,omitempty"`  // of Missed: events after this commit and up to Commit are not told
	Reason string `json:"reason,omitempty"` // in words
}

// Note returns a note.
func Note(kind string, at time.Time, r Remark) Event {
	return Event{
		Version: "0", ID: identity(kind, r.Reason, r.Commit), DetailType: kind, Source: "berth", Time: second(at),
		Resources: []string{}, Detail: r,
	}
}
