package agent

import (
	"context"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
)

// How long tags, and the failure to read them, are good for, and how long it may take.
const (
	tagsFresh   = 10 * time.Second
	noTagsFresh = 2 * time.Second
	tagsTimeout = 4 * time.Second
)

// tagCache keeps the tags of resources for a moment, so that containers that ask all the time do not wear the control plane out.
type tagCache struct {
	mu   sync.Mutex
	kept map[string]*tagEntry // by ARN
}

type tagEntry struct {
	one   gate // that reads them
	until time.Time
	tags  map[string]string
	err   error
}

// Tags reads the tags of a task's resource, itself or its container instance, with the instance's key. An error is the control plane's.
func (s *Seen) Tags(ctx context.Context, resource string) (map[string]string, error) {
	e := s.task.agent.tags.entry(resource, time.Now())
	ctx, cancel := context.WithTimeout(ctx, tagsTimeout)
	defer cancel()
	if err := e.one.enter(ctx); err != nil {
		return nil, err
	}
	defer e.one.leave()
	if time.Now().Before(e.until) {
		return e.tags, e.err
	}
	out, err := s.task.in.api.ListTagsForResource(ctx, &awsecs.ListTagsForResourceInput{ResourceArn: aws.String(resource)})
	if ctx.Err() == context.Canceled { // the container went away: nothing is known for the next one
		return nil, ctx.Err()
	}
	e.tags, e.err, e.until = nil, err, time.Now().Add(noTagsFresh)
	if err == nil {
		e.tags, e.until = map[string]string{}, time.Now().Add(tagsFresh)
		for _, t := range out.Tags {
			e.tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
		}
	}
	return e.tags, e.err
}

// entry finds or makes the entry of a resource, and drops those that are not fresh any more when it makes one.
func (c *tagCache) entry(resource string, now time.Time) *tagEntry {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.kept[resource]; e != nil {
		return e
	}
	if c.kept == nil {
		c.kept = map[string]*tagEntry{}
	}
	for k, e := range c.kept {
		if e.one.try() {
			if now.After(e.until) {
				delete(c.kept, k)
			}
			e.one.leave()
		}
	}
	e := &tagEntry{one: newGate()}
	c.kept[resource] = e
	return e
}
