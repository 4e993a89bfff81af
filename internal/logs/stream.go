package logs

import (
	"cmp"
	"errors"
	"time"
)

// Time is a moment as the API writes it: milliseconds since 1970.
type Time int64

// At is the Time of t.
func At(t time.Time) Time { return Time(t.UnixMilli()) }

// StreamName names a stream: the Group.ID of its group, and its name.
type StreamName struct{ Group, Name string }

// Stream is what is known of a stream. It is not a record: it is where its events are.
type Stream struct {
	Name     string
	Number   uint64 // never given twice: a stream that is made anew under the same name is empty
	Created  Time
	First    Time // of its events; of a stream without any it is after Last
	Last     Time
	Ingested Time // when its latest events came in, 0 for never
}

// Empty says that no event was ever written to the stream, or that all are gone.
func (s Stream) Empty() bool { return s.First > s.Last }

// Event is a line of a log.
type Event struct {
	Time    Time
	Message string
}

// Place is where an event stands among all of its group: by time, then by stream, then in the order of writing.
type Place struct {
	Time   Time
	Stream uint64 // Stream.Number
	Seq    uint64 // rises with every event of a store
}

// Compare orders places.
func (p Place) Compare(q Place) int {
	return cmp.Or(cmp.Compare(p.Time, q.Time), cmp.Compare(p.Stream, q.Stream), cmp.Compare(p.Seq, q.Seq))
}

// Stored is an event as it is read.
type Stored struct {
	Event
	Stream   string
	Ingested Time
	Place    Place
}

// Query says which events of a group are read, and in which order.
type Query struct {
	Group    string   // Group.ID
	Streams  []string // by name
	Prefix   string   // of the names of streams; where both are empty all are read
	From, To Time     // from From on, up to but not To
	After    *Place   // only what is behind it
	Before   *Place   // only what is before it
	Backward bool     // the latest first, which is for one stream only
}

// Span is what is dropped: a group, one of its streams, or what a group has from before a time.
type Span struct {
	Group  string // Group.ID
	Stream string // "" for all
	Before Time   // 0 for all times; only with a whole group
}

// What a log store refuses.
var (
	ErrNoStream     = errors.New("there is no such log stream")
	ErrStreamExists = errors.New("the log stream exists")
	ErrFull         = errors.New("the log store is full")
)
