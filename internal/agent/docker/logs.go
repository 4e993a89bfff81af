package docker

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"berth/internal/agent"
)

var _ agent.LogReader = (*Engine)(nil)

// longestLine is where a line is cut that goes on: the longest event of the engine's own driver awslogs.
const longestLine = 256<<10 - 26

// Lines implements agent.LogReader. The engine keeps a long line in pieces; they are put together, each of standard output's and standard error's by
// itself.
//
// Who follows a log may miss its end: the engine stops telling when the container has stopped, which can be before the last line is written. So what is there
// then is read once more.
func (e *Engine) Lines(ctx context.Context, id string, since time.Time, each func(agent.LogLine) error) error {
	found, err := e.api.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	if err != nil {
		return tell(err)
	}
	p := &progress{since: since, each: each}
	terminal := found.Container.Config != nil && found.Container.Config.Tty
	if err := e.readLog(ctx, id, terminal, true, p); err != nil {
		return err
	}
	if err := e.awaitEnd(ctx, id); err != nil {
		return err
	}
	p.skip = p.seen
	return e.readLog(ctx, id, terminal, false, p)
}

// awaitEnd waits until a container does not run: then its log is whole.
func (e *Engine) awaitEnd(ctx context.Context, id string) error {
	w := e.api.ContainerWait(ctx, id, client.ContainerWaitOptions{Condition: container.WaitConditionNotRunning})
	select {
	case <-w.Result:
		return nil
	case err := <-w.Error:
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return tell(err)
	}
}

// progress is how far a log was handed out: up to and with the first seen lines of a time.
type progress struct {
	since time.Time // the zero time is the beginning
	seen  int
	skip  int // lines of that time that come again
	each  func(agent.LogLine) error
}

func (p *progress) hand(l agent.LogLine) error {
	if l.At.Equal(p.since) && p.skip > 0 {
		p.skip--
		return nil
	}
	switch {
	case l.At.After(p.since):
		p.since, p.seen = l.At, 1
	case l.At.Equal(p.since):
		p.seen++
	}
	return p.each(l)
}

// readLog hands out the lines of a log from where it was left. A line that has not ended is handed out where the log does not go on.
func (e *Engine) readLog(ctx context.Context, id string, terminal, follow bool, p *progress) error {
	o := client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true, Timestamps: true, Follow: follow}
	if !p.since.IsZero() {
		o.Since = fmt.Sprintf("%d.%09d", p.since.Unix(), p.since.Nanosecond())
	}
	out, err := e.api.ContainerLogs(ctx, id, o)
	if err != nil {
		return tell(err)
	}
	defer out.Close()
	r := &logReader{from: bufio.NewReaderSize(out, 32<<10), each: p.hand, terminal: terminal, whole: !follow}
	if err := r.read(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return err
	}
	return nil
}

// logReader takes an engine's stream of a log apart.
type logReader struct {
	from     *bufio.Reader
	each     func(agent.LogLine) error
	terminal bool // the container has one: the stream is lines and no frames
	whole    bool // the log ends with the stream
	open     [3]line
	frame    []byte
}

// line is one that has not ended yet.
type line struct {
	at   time.Time
	text []byte
	on   bool // something of it has come
}

// read reads the stream to its end.
func (r *logReader) read() error {
	for {
		stream, piece, err := r.next()
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			if r.whole {
				return r.flush()
			}
			return nil
		}
		if err != nil {
			return fmt.Errorf("read a container's log: %w", err)
		}
		if err := r.piece(&r.open[stream], piece); err != nil {
			return err
		}
	}
}

// maxFrame bounds a frame: the engine's are of 16 KiB and a timestamp.
const maxFrame = 1 << 20

// next is the next piece of a line, with the time before it, and the stream that it is of.
func (r *logReader) next() (stream int, piece []byte, err error) {
	if r.terminal {
		r.frame, err = r.from.ReadBytes('\n')
		if len(r.frame) > 0 {
			return 1, r.frame, nil
		}
		return 0, nil, err
	}
	var head [8]byte
	if _, err := io.ReadFull(r.from, head[:]); err != nil {
		return 0, nil, err
	}
	size := binary.BigEndian.Uint32(head[4:])
	if head[0] > 2 || size > maxFrame {
		return 0, nil, fmt.Errorf("a frame of stream %d has %d bytes", head[0], size)
	}
	if cap(r.frame) < int(size) {
		r.frame = make([]byte, size)
	}
	r.frame = r.frame[:size]
	if _, err := io.ReadFull(r.from, r.frame); err != nil {
		return 0, nil, err
	}
	return int(head[0]), r.frame, nil
}

// piece adds a piece to a line, and hands the line out where it ends or is as long as it may be.
func (r *logReader) piece(l *line, piece []byte) error {
	stamp, text, _ := bytes.Cut(piece, []byte(" "))
	at, err := time.Parse(time.RFC3339Nano, string(stamp))
	if err != nil {
		return fmt.Errorf("a line of a container's log begins with %.40q", piece)
	}
	if !l.on {
		l.at, l.on = at, true
	}
	text, ends := bytes.CutSuffix(text, []byte("\n"))
	if ends && r.terminal {
		text = bytes.TrimSuffix(text, []byte("\r"))
	}
	for l.text = append(l.text, text...); len(l.text) > longestLine; {
		if err := r.each(agent.LogLine{At: l.at, Text: l.text[:longestLine]}); err != nil {
			return err
		}
		l.text = append(l.text[:0], l.text[longestLine:]...)
	}
	if !ends {
		return nil
	}
	return r.hand(l)
}

func (r *logReader) hand(l *line) error {
	err := r.each(agent.LogLine{At: l.at, Text: l.text})
	l.text, l.on = l.text[:0], false
	return err
}

// flush hands out lines that the container has not ended.
func (r *logReader) flush() error {
	for i := range r.open {
		if l := &r.open[i]; l.on {
			if err := r.hand(l); err != nil {
				return err
			}
		}
	}
	return nil
}
