package stream

import (
	"slices"
	"sort"

	"berth/internal/arn"
)

// line is one line of the stream.
type line struct {
	n       uint64      // the commit that it tells of; commits that came together share the last one's number
	cluster arn.Cluster // "" for a line that everybody gets
	text    []byte      // with its newline
}

// tape holds the newest lines. Places on it are counted from the beginning of time, so that a reader notices when its next line is gone.
type tape struct {
	maxLines, maxBytes int

	ready  bool // it has begun
	lines  []line
	first  uint64 // place of lines[0]
	bytes  int
	base   uint64        // every event of commits after base is on the tape or was; those up to base may be missing
	commit uint64        // every event of commits up to this one is on the tape or was
	grown  chan struct{} // closed and replaced when there is more
}

func (t *tape) init(maxLines, maxBytes int) {
	t.maxLines, t.maxBytes, t.grown = maxLines, maxBytes, make(chan struct{})
}

// reset forgets everything. Places go on, so that a reader of before is not mistaken.
func (t *tape) reset() {
	t.first += uint64(len(t.lines)) + 1
	t.lines, t.bytes, t.ready = nil, 0, false
}

// begin says that the tape is complete from commit n on.
func (t *tape) begin(n uint64) {
	t.ready, t.base, t.commit = true, n, n
	t.wake()
}

func (t *tape) wake() {
	close(t.grown)
	t.grown = make(chan struct{})
}

// add appends lines and drops the oldest where they are too many.
func (t *tape) add(lines []line) {
	if len(lines) == 0 {
		return
	}
	for _, l := range lines {
		t.bytes += len(l.text)
	}
	t.lines = append(t.lines, lines...)
	drop := 0
	for drop < len(t.lines) && (len(t.lines)-drop > t.maxLines || t.bytes > t.maxBytes) {
		t.bytes -= len(t.lines[drop].text)
		t.base = max(t.base, t.lines[drop].n)
		t.lines[drop] = line{}
		drop++
	}
	t.lines = t.lines[drop:]
	t.first += uint64(drop)
	t.wake()
}

// end is the place behind the last line.
func (t *tape) end() uint64 { return t.first + uint64(len(t.lines)) }

// after is the place of the first line of a commit after n.
func (t *tape) after(n uint64) uint64 {
	return t.first + uint64(sort.Search(len(t.lines), func(i int) bool { return t.lines[i].n > n }))
}

// read returns up to most lines from a place on, and the commit up to which everything has been read then. ok is false when the lines at
// the place are gone.
func (t *tape) read(place uint64, most int) (lines []line, done uint64, ok bool) {
	if place < t.first || place > t.end() {
		return nil, 0, false
	}
	from := int(place - t.first)
	to := min(from+most, len(t.lines))
	lines = slices.Clone(t.lines[from:to]) // what is dropped meanwhile is cleared
	if to == len(t.lines) {
		return lines, t.commit, true
	}
	return lines, t.lines[to].n - 1, true
}
