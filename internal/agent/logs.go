package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/moby/moby/api/types/container"

	"berth/internal/acsproto"
	"berth/internal/arn"
)

// The log driver awslogs is the agent's own: the engine keeps a container's log in a bounded file, and the agent reads it as it grows and sends it on.

// Logs sends what containers write to CloudWatch Logs.
type Logs interface {
	// Prepare makes the stream of a container's log before the container starts. ErrUnavailable: the control plane does not answer. Every other
	// error is in the words of the engine's own driver, and the container cannot start.
	Prepare(ctx context.Context, s LogSource) error
	// Send reads a container's log from behind a mark and sends it. It returns nil when the container does not run any more and all is sent, and tells
	// sent what was accepted meanwhile, in order. ErrNotFound: there is no such container.
	Send(ctx context.Context, s LogSource, from LogMark, sent func(LogMark)) error
}

// LogReader reads what an engine keeps of containers' logs.
type LogReader interface {
	// Lines reads the lines that a container has written from a time on, and follows it until it does not run any more. It ends with each's
	// error. ErrNotFound: there is no such container.
	Lines(ctx context.Context, id string, since time.Time, each func(LogLine) error) error
}

// LogLine is a line without its end. Text is the reader's again when each has returned.
type LogLine struct {
	At   time.Time
	Text []byte
}

// LogSource is a container whose log is sent.
type LogSource struct {
	Task      string // ARN
	Container string // by its name in the task
	ID        string // the engine's
	Options   map[string]string
}

// LogMark is how far a log is sent: up to and with the first Lines lines of the time At. The zero mark is its beginning.
type LogMark struct {
	At    time.Time
	Lines int `json:",omitempty"`
}

const (
	awslogsDriver = "awslogs"
	logPrefix     = "log/" // of marks in the ledger; the task's ARN and the container's name follow
)

// What the engine keeps of a log until it is sent, where the container's options do not say: with mode non-blocking, max-buffer-size does. What does
// not fit is lost, the oldest first; a container in mode blocking is held up before.
const (
	logFileSize = "20m"
	logFiles    = "2"
)

// awslogsOptions says whether a container's log driver is awslogs, and with which options.
func awslogsOptions(c acsproto.Container) (options map[string]string, is bool) {
	var host container.HostConfig
	if overlay(&host, c.DockerConfig.HostConfig) != nil {
		return nil, false // Create tells what is wrong
	}
	return host.LogConfig.Config, host.LogConfig.Type == awslogsDriver
}

// keepLog has the engine keep the log of a container whose driver is awslogs.
func keepLog(host *container.HostConfig) {
	if host.LogConfig.Type != awslogsDriver {
		return
	}
	size := logFileSize
	if o := host.LogConfig.Config; o["mode"] == "non-blocking" && o["max-buffer-size"] != "" {
		size = o["max-buffer-size"]
	}
	host.LogConfig = container.LogConfig{Type: "json-file", Config: map[string]string{"max-size": size, "max-file": logFiles}}
}

// source is what Logs is to know of a container, false where its log is none of the agent's.
func (t *task) source(name string) (s LogSource, is bool) {
	t.view(func(r *Record) {
		s = LogSource{Task: t.arn, Container: name, ID: r.container(name).ID}
		s.Options, is = awslogsOptions(r.ordered(name))
	})
	return s, is && t.agent.Logs != nil && !hidden(name)
}

// prepareTimeout bounds the making of a stream.
const prepareTimeout = 10 * time.Second

// errNoLog says that a container was ended because its log has nowhere to go.
var errNoLog = errors.New("the log has nowhere to go")

// prepareLog makes the stream of a container's log before it starts. Where that is refused it does not start, for the reason that ECS gives.
func (t *task) prepareLog(ctx context.Context, name string) error {
	s, is := t.source(name)
	if !is {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, prepareTimeout)
	defer cancel()
	err := t.agent.Logs.Prepare(ctx, s)
	t.agent.Heard(t.arn, "logs:CreateLogStream", err)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrUnavailable) || ctx.Err() != nil:
		return fmt.Errorf("make the log stream of container %s: %w", name, err)
	}
	onFargate := false
	t.view(func(r *Record) { onFargate = fargate(r.Task) })
	if onFargate {
		reason := "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: " + err.Error() + ": exit status 1"
		t.give(reason)
		t.fail(name, reason)
		return errNoLog
	}
	t.fail(name, "CannotStartContainerError: Error response from daemon: failed to initialize logging driver: "+err.Error())
	return errNoLog
}

// followLogs begins to send the logs of containers that have been started and whose logs are not sent yet.
func (t *task) followLogs(ctx context.Context) {
	if t.agent.Logs == nil {
		return
	}
	var begin []string
	t.view(func(r *Record) {
		for _, c := range r.Containers {
			if c.ID == "" || c.Phase < Up || t.logging[c.Name] || c.Phase == Ended && c.StartedAt.IsZero() { // the last has never run, and said nothing
				continue
			}
			if t.logging == nil {
				t.logging = map[string]bool{}
			}
			t.logging[c.Name] = true
			if _, is := awslogsOptions(r.ordered(c.Name)); is && !hidden(c.Name) {
				begin = append(begin, c.Name)
			}
		}
		t.logs += len(begin)
	})
	for _, name := range begin {
		t.work.Go(func() { t.sendLog(ctx, name) })
	}
}

// sendLog sends a container's log until the container has ended for good and all is sent, or ctx ends.
func (t *task) sendLog(ctx context.Context, name string) {
	defer func() {
		if ctx.Err() == nil {
			t.view(func(*Record) { t.logged++ })
		}
	}()
	for p := (pause{}); ; {
		s, _ := t.source(name)
		ended := false
		t.view(func(r *Record) { ended = r.container(name).Phase == Ended })
		key := t.arn + "/" + name
		err := t.agent.Logs.Send(ctx, s, t.agent.marks.of(key), func(m LogMark) { t.agent.marks.set(key, m) })
		if errors.Is(err, ErrNotFound) || err == nil && ended || ctx.Err() != nil {
			return
		}
		if err != nil {
			t.log.Warn("a container's log is not sent, trying again", "container", name, "err", err)
			p.fail(time.Now())
		} else {
			p.reset()
			p.until = time.Now().Add(logAgain) // it is about to be seen as ended, or runs again
		}
		if !sleepUntil(ctx, p.until) {
			return
		}
	}
}

// logAgain is when a log is looked at again whose container does not run and has not been seen to end.
const logAgain = 500 * time.Millisecond

func sleepUntil(ctx context.Context, at time.Time) bool {
	select {
	case <-time.After(time.Until(at)):
		return true
	case <-ctx.Done():
		return false
	}
}

// logStay is how long the containers of a stopped task stay at most for their logs to be sent.
const logStay = time.Hour

// logsWait is an error while logs of a stopped task are still to be sent and there is time for that.
func (t *task) logsWait() (err error) {
	t.view(func(r *Record) {
		if t.logs > t.logged && time.Since(r.StoppedAt) < logStay && !r.Orphan {
			err = fmt.Errorf("the logs of task %s are not sent yet", arn.Task(t.arn).ID())
		}
	})
	return err
}

// rememberMark takes in a mark of the ledger.
func (a *Agent) rememberMark(key string, value []byte) error {
	var m LogMark
	if err := json.Unmarshal(value, &m); err != nil {
		return fmt.Errorf("read how far a log is sent: %w", err)
	}
	a.marks.kept(key, m)
	return nil
}
