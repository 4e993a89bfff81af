package awslogs

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cwl "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"berth/internal/agent"
)

// sender sends what waits in a queue, one request at a time.
type sender struct {
	driver  *Driver
	task    string
	id      string // of the container
	held    bool   // it is held up
	options options
	queue   *queue
	sent    func(agent.LogMark)
}

const (
	gather     = 50 * time.Millisecond // what comes in that time after a line goes with it
	lookAtHeld = 250 * time.Millisecond
)

// run sends until the log is read to its end and all of it is sent.
func (s *sender) run(ctx context.Context, read <-chan struct{}) error {
	tick := time.NewTicker(lookAtHeld)
	defer tick.Stop()
	for {
		select {
		case <-s.queue.ready:
			wait(ctx, read, gather)
		case <-tick.C:
			s.queue.releaseOld(false)
			continue
		case <-read:
			s.queue.releaseOld(true)
			return s.send(ctx, s.queue.take())
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := s.send(ctx, s.queue.take()); err != nil {
			return err
		}
	}
}

// wait lets a moment pass; at the end of the log there is nothing to wait for.
func wait(ctx context.Context, end <-chan struct{}, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-end:
	case <-ctx.Done():
	}
}

// The pauses between tries.
const (
	firstPause = 100 * time.Millisecond
	lastPause  = 20 * time.Second
)

// mostSpan is the time from a request's first event to its last: the API takes a day.
const mostSpan = 23 * time.Hour

// send sends events, in as many requests as it takes. The error is ctx's.
func (s *sender) send(ctx context.Context, events []event) error {
	for len(events) > 0 {
		n := 1
		first, last := events[0].at, events[0].at
		for ; n < len(events); n++ {
			if at := events[n].at; at.Before(first) {
				first = at
			} else if at.After(last) {
				last = at
			}
			if last.Sub(first) > mostSpan {
				break
			}
		}
		if err := s.sendNow(ctx, events[:n]); err != nil {
			return err
		}
		events = events[n:]
	}
	return nil
}

// sendNow sends the events of one request until they are accepted, or refused for what they are. The error is ctx's.
func (s *sender) sendNow(ctx context.Context, events []event) error {
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		err := s.try(ctx, events)
		told := s.driver.config.Heard(s.task, "logs:PutLogEvents", err)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil:
			s.sent(events[len(events)-1].mark)
			if s.held {
				s.holdUp(ctx, false)
			}
			return nil
		case is(err, "RequestEntityTooLargeException") && len(events) > 1: // texts are longer in JSON
			if err := s.sendNow(ctx, events[:len(events)/2]); err != nil {
				return err
			}
			events, pause = events[len(events)/2:], firstPause/2
			continue
		case is(err, "InvalidParameterException"), is(err, "RequestEntityTooLargeException"):
			s.driver.config.Log.Error("lines of a container's log are refused, and lost", "task", s.task, "stream", s.options.stream, "lines", len(events), "err", err)
			s.sent(events[len(events)-1].mark)
			return nil
		}
		if pause == firstPause && !told {
			s.driver.config.Log.Warn("lines of a container's log are not sent, trying again", "task", s.task, "stream", s.options.stream, "err", err)
		}
		if !s.held && s.queue.isFull() {
			s.holdUp(ctx, true)
		}
		wait(ctx, nil, time.Duration(float64(pause)*(0.8+0.4*rand.Float64())))
	}
}

// holdUp holds the container up or lets it go on, in mode blocking: as with the engine's driver, what writes more than there is room for waits.
func (s *sender) holdUp(ctx context.Context, held bool) {
	if !s.options.blocking || s.driver.config.Hold == nil {
		return
	}
	err := s.driver.config.Hold(ctx, s.id, held)
	log := s.driver.config.Log.With("task", s.task, "stream", s.options.stream)
	if err != nil {
		log.Warn("a container is not held up or let go on as its log driver's mode says", "held", held, "err", err)
		return
	}
	switch {
	case held:
		log.Warn("a container is held up until its log is taken: its log driver's mode is blocking")
	case s.held:
		log.Info("a container goes on: its log is taken")
	}
	s.held = held
}

// try sends events once, in the order of their times. A stream that is missing is made: another replica leads than before, or somebody has deleted it.
func (s *sender) try(ctx context.Context, events []event) error {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	in := &cwl.PutLogEventsInput{LogGroupName: &s.options.group, LogStreamName: &s.options.stream, LogEvents: inputs(events)}
	out, err := s.driver.client.PutLogEvents(ctx, in, s.driver.as(s.task, s.options))
	if is(err, "ResourceNotFoundException") {
		if err := s.driver.makeStream(ctx, s.task, s.options); err != nil {
			return err
		}
		out, err = s.driver.client.PutLogEvents(ctx, in, s.driver.as(s.task, s.options))
	}
	if err == nil && out.RejectedLogEventsInfo != nil {
		s.driver.config.Log.Warn("lines of a container's log are too old or too new, and left out", "task", s.task, "stream", s.options.stream)
	}
	return err
}

func inputs(events []event) []types.InputLogEvent {
	list := make([]types.InputLogEvent, len(events))
	for i := range events {
		list[i] = types.InputLogEvent{Timestamp: aws.Int64(events[i].at.UnixMilli()), Message: &events[i].text}
	}
	slices.SortStableFunc(list, func(a, b types.InputLogEvent) int { return int(*a.Timestamp - *b.Timestamp) })
	return list
}
