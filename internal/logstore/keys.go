package logstore

import (
	"encoding/binary"
	"fmt"
	"strings"

	"berth/internal/logs"
)

// All that is kept of a group has keys that begin with its id, so that it goes in one range. Groups' ids are of printable characters:
//
//	g <group id> 00 s <stream's name>                          -> the stream, see encodeStream
//	g <group id> 00 e <stream's number> <time> <sequence>      -> when it came in, and the message
//	m next                                                     -> a number that no stream and no event has yet
//
// Numbers are of eight bytes, big end first, so that their order is that of keys.
const (
	streamMark = 's'
	eventMark  = 'e'
	numberSize = 8
)

// nextKey is where the next number is kept.
const nextKey = "m next"

func groupKey(group string, mark byte) []byte {
	key := make([]byte, 0, len(group)+3+3*numberSize)
	return append(append(append(append(key, 'g'), group...), 0), mark)
}

// groupEnd is behind all keys of a group.
func groupEnd(group string) []byte { return append(append([]byte{'g'}, group...), 1) }

// eventsEnd is behind all events of a group.
func eventsEnd(group string) []byte { return groupKey(group, eventMark+1) }

// groupOf reads the group's id from a key, "" if it is of none.
func groupOf(key []byte) string {
	if len(key) == 0 || key[0] != 'g' {
		return ""
	}
	id, _, _ := strings.Cut(string(key[1:]), "\x00")
	return id
}

func streamKey(s logs.StreamName) []byte { return append(groupKey(s.Group, streamMark), s.Name...) }

// streamsEnd is behind the streams whose names begin with prefix.
func streamsEnd(group, prefix string) []byte {
	return successor(streamKey(logs.StreamName{Group: group, Name: prefix}))
}

// successor is behind all keys that begin with prefix. There is always one, since no key begins with FF.
func successor(prefix []byte) []byte {
	for i := len(prefix) - 1; ; i-- {
		if prefix[i] != 0xff {
			end := append([]byte(nil), prefix[:i+1]...)
			end[i]++
			return end
		}
	}
}

// eventKey is the key of an event. Times are never negative.
func eventKey(group string, p logs.Place) []byte { return appendPlace(groupKey(group, eventMark), p) }

func appendPlace(key []byte, p logs.Place) []byte {
	key = binary.BigEndian.AppendUint64(key, p.Stream)
	key = binary.BigEndian.AppendUint64(key, uint64(p.Time))
	return binary.BigEndian.AppendUint64(key, p.Seq)
}

// place reads an event's place from the end of its key.
func place(key []byte) logs.Place {
	at := len(key) - 3*numberSize
	return logs.Place{
		Stream: binary.BigEndian.Uint64(key[at:]), Time: logs.Time(binary.BigEndian.Uint64(key[at+numberSize:])),
		Seq: binary.BigEndian.Uint64(key[at+2*numberSize:]),
	}
}

// streamFields are the numbers that are stored of a stream.
const streamFields = 5

func encodeStream(s logs.Stream) []byte {
	b := make([]byte, 0, streamFields*numberSize)
	for _, n := range [streamFields]uint64{s.Number, uint64(s.Created), uint64(s.First), uint64(s.Last), uint64(s.Ingested)} {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	return b
}

func decodeStream(name string, b []byte) (logs.Stream, error) {
	if len(b) != streamFields*numberSize {
		return logs.Stream{}, fmt.Errorf("log stream %q is stored in %d bytes, not %d", name, len(b), streamFields*numberSize)
	}
	n := func(i int) uint64 { return binary.BigEndian.Uint64(b[i*numberSize:]) }
	return logs.Stream{
		Name: name, Number: n(0), Created: logs.Time(n(1)), First: logs.Time(n(2)), Last: logs.Time(n(3)), Ingested: logs.Time(n(4)),
	}, nil
}

// decodeEvent reads an event's value: the time when it came in, less its own, as a varint, and then the message.
func decodeEvent(stream string, p logs.Place, value []byte) (logs.Stored, error) {
	late, n := binary.Varint(value)
	if n <= 0 {
		return logs.Stored{}, fmt.Errorf("an event of log stream %q does not begin with a time", stream)
	}
	return logs.Stored{
		Event: logs.Event{Time: p.Time, Message: string(value[n:])}, Stream: stream, Ingested: p.Time + logs.Time(late), Place: p,
	}, nil
}
