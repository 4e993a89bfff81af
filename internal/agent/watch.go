package agent

import (
	"context"
	"fmt"
	"time"
)

// watch follows the engine's events, and looks at everything again whenever it has begun to.
func (a *Agent) watch(ctx context.Context) error {
	var p pause
	for {
		began := time.Now()
		err := a.Engine.Watch(ctx, func() { a.resync(ctx) }, func(e Event) { a.happened(ctx, e) })
		if ctx.Err() != nil {
			return ctx.Err()
		}
		now := time.Now()
		if a.engine.set(now, statusImpaired) == statusOK || now.Sub(began) > lastPause {
			p.reset()
		}
		p.fail(now)
		a.Log.Warn("the engine's events ended, following them again", "why", err, "in", time.Until(p.until).Round(time.Millisecond))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Until(p.until)):
		}
	}
}

// happened brings an event to its task.
func (a *Agent) happened(ctx context.Context, e Event) {
	t := a.task(e.Labels[labelTaskARN])
	if t == nil {
		a.stray(ctx, e)
		return
	}
	health := false
	t.change(e.Labels[labelContainer], func(r *Record, c *Container) bool {
		news := r.happened(c, e)
		health = news && e.Kind == HealthChanged
		return news
	})
	if health {
		t.in.tellHealth()
	}
}

// resync compares what the engine has with what the tasks know, and adopts tasks that are not known at all.
func (a *Agent) resync(ctx context.Context) {
	have, err := a.list(ctx)
	if err != nil {
		a.Log.Warn("containers not listed", "err", err)
		return
	}
	a.engine.set(time.Now(), statusOK)
	for _, t := range a.all() {
		t.compare(have[t.arn])
		delete(have, t.arn)
	}
	a.learn(have)
	for arn, containers := range have {
		if err := a.adopt(ctx, containers); err != nil {
			a.Log.Error("containers not adopted", "task", arn, "err", err)
		}
	}
	a.listing.Do(func() { close(a.listed) })
}

// list returns what the engine has, by task and container.
func (a *Agent) list(ctx context.Context) (have map[string]map[string]Observed, err error) {
	all, err := a.Engine.List(ctx)
	if err != nil {
		return nil, err
	}
	have = map[string]map[string]Observed{}
	for _, o := range all {
		task := o.Labels[labelTaskARN]
		if have[task] == nil {
			have[task] = map[string]Observed{}
		}
		have[task][o.Labels[labelContainer]] = o
	}
	return have, nil
}

// compare has every container looked at that the engine shows otherwise than it is known, or whose health may have changed while nobody was
// told, and ends all pauses: the engine is back.
func (t *task) compare(have map[string]Observed) {
	t.mu.Lock()
	for i := range t.rec.Containers {
		c := &t.rec.Containers[i]
		o, ok := have[c.Name]
		if ok && o.State == Running {
			c.revived(o.ID)
		}
		if c.Busy || c.Phase < Starting || c.Phase == Ended {
			continue
		}
		as := ok && o.ID == c.ID && (o.State == Running && c.Phase == Up || o.State == Created && c.Phase == Made)
		c.Unseen = c.Unseen || !as || c.Health != "" // a list tells no health
	}
	clear(t.pauses)
	t.retry.reset()
	t.mu.Unlock()
	t.poke()
}

// learn tells instances who they were, where the ledger has been lost, from the labels of containers by task and name: of those that run, where
// some do. An instance that was deregistered before it registered anew has left exited ones behind.
func (a *Agent) learn(have map[string]map[string]Observed) {
	for _, running := range []bool{true, false} {
		for _, containers := range have {
			for _, o := range containers {
				if in := a.instance(o.Labels[labelInstance]); in != nil && (o.State == Running) == running {
					in.learn(o.Labels[labelInstanceARN])
				}
			}
		}
	}
}

// adopt makes a task of containers that are known from their labels only.
func (a *Agent) adopt(ctx context.Context, containers map[string]Observed) error {
	var r *Record
	for _, o := range containers {
		var err error
		if r, err = adopt(o.Labels); err != nil {
			return err
		}
	}
	in := a.instance(r.Instance)
	if in == nil {
		return fmt.Errorf("instance %q is not configured here", r.Instance)
	}
	for i := range r.Containers {
		c := &r.Containers[i]
		if o, ok := containers[c.Name]; ok {
			c.Phase, c.Unseen, c.ID = Starting, true, o.ID
			r.recognize(c, &o)
		}
	}
	r.Stop = a.roster.unwanted(in.Name, r.Task.ARN)
	a.Log.Info("task adopted from its containers", "task", r.Task.ARN, "containers", len(containers), "unwanted", r.Stop)
	return a.add(ctx, in, []*Record{r})
}
