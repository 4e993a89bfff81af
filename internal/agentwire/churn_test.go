package agentwire

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Agents of one cluster lose connections, open second ones before the first has ended, lose messages before they ack, ack and report late,
// twice and out of order, and their tasks fail, while a service is scaled up, updated and scaled down. Whatever the order, each agent only
// gets what its rules allow, and in the end both sides know the same.
func TestChurn(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	s := onPlane(t).stage(t)
	var wg sync.WaitGroup
	stop := make(chan struct{})
	var agents []*churner
	for n := range 6 {
		c := &churner{stage: s, Agent: s.connected(), rand: rand.New(rand.NewPCG(seed, uint64(n))), stop: stop}
		agents = append(agents, c)
		wg.Go(c.run)
	}
	end := sync.OnceFunc(func() { close(stop); wg.Wait() })
	defer end()
	small := func(d, c Object) (Object, Object) { return d, c.With("cpu", 32) }
	s.service(s.definition(small), Member{"deploymentConfiguration", Object{{"minimumHealthyPercent", 50}, {"maximumPercent", 200}}})
	settled := func(count int, definition string) {
		s.await(fmt.Sprintf("%d tasks run", count), func() bool {
			x := at(s.ask("DescribeServices", Object{{"cluster", s.cluster}, {"services", []string{"web"}}}), "services", 0)
			return at(x, "runningCount") == float64(count) && at(x, "pendingCount") == 0.0 && len(at(x, "deployments").([]any)) == 1 &&
				at(x, "taskDefinition") == definition
		})
	}
	scale := func(count int) {
		definition := s.definition(small)
		s.ask("UpdateService", Object{{"cluster", s.cluster}, {"service", "web"}, {"desiredCount", count}, {"taskDefinition", definition}})
		settled(count, definition)
	}
	for _, count := range []int{40, 60, 10} {
		scale(count)
	}
	end()
	if t.Failed() {
		return
	}
	running := 0
	for _, a := range agents {
		a.settle()
		for arn, l := range a.Tasks {
			if l.Reported == "RUNNING" {
				running++
				s.is(arn, at(s.described(arn), "lastStatus"), "RUNNING")
			}
		}
		s.is("agentConnected", at(s.instance(a.Agent), "agentConnected"), true)
	}
	s.is("tasks that agents run", running, 10)
}

// churner is an agent with bad luck.
type churner struct {
	*stage
	*Agent
	rand  *rand.Rand
	stop  chan struct{}
	older []*Socket
}

func (c *churner) Errorf(format string, args ...any) { c.stage.Errorf(format, args...) }

// run lives until it is stopped or the server breaks a rule.
func (c *churner) run() {
	for {
		select {
		case <-c.stop:
			return
		default:
		}
		if err := c.live(); err != nil && !lost(err) {
			c.Errorf("%s: %v", c.Instance, err)
			return
		} else if err != nil {
			if err := c.again(); err != nil {
				c.Errorf("%s: %v", c.Instance, err)
				return
			}
		}
	}
}

// lost tells an end of the connection from a broken rule.
func lost(err error) bool {
	var c *Closed
	return errors.As(err, &c) && ordinary(c.Code) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// again reconnects: the older connection was dropped, is closed, or stays a while.
func (c *churner) again() error {
	switch old := c.ACS; c.rand.IntN(3) {
	case 0:
		old.Conn.Close()
	case 1:
		old.WriteClose(1000, "ConnectionExpired: Reconnect to continue") //nolint:errcheck // it may be gone
		old.Conn.Close()
	default:
		c.older = append(c.older, old)
	}
	if len(c.older) > 3 {
		c.older[0].Conn.Close()
		c.older = c.older[1:]
	}
	return c.Connect()
}

// live is one moment: some luck, a message if there is one, some reports.
func (c *churner) live() error {
	switch c.rand.IntN(40) {
	case 0:
		return c.again()
	case 1: // the machine fails before it writes the message down
		if c.ACS.Came(5 * time.Millisecond) {
			if _, err := c.ACS.ReadMessage(Limit()); err != nil {
				return err
			}
			return c.again()
		}
	case 2:
		if err := c.Ack("nobody-sent-this"); err != nil {
			return err
		}
	}
	if c.ACS.Came(5 * time.Millisecond) {
		if _, err := c.Step(Limit()); err != nil {
			return err
		}
	}
	return c.reports(false)
}

// reports says where tasks are: some now, some later, some twice, some wrong.
func (c *churner) reports(all bool) error {
	for arn, l := range c.Tasks {
		var err error
		switch luck := c.rand.IntN(12); {
		case l.Reported == "STOPPED":
			if luck == 0 { // late and wrong: it must not come back
				_, err = c.Call("SubmitTaskStateChange", TaskChange{Cluster: c.Agent.Cluster, Task: arn, Status: "RUNNING", Containers: []Object{Started("c")}}.Body().JSON(As))
			}
		case l.Desired == "STOPPED" && (all || luck < 6):
			err = c.Report(TaskChange{Task: arn, Status: "STOPPED", ExecutionStopped: time.Now(), Containers: []Object{Exited("c", 143)}})
		case l.Desired == "RUNNING" && l.Reported == "" && (all || luck < 6):
			err = c.Report(TaskChange{Task: arn, Status: "RUNNING", Containers: []Object{Started("c", [2]int{80, 32768})}})
		case l.Reported == "RUNNING" && !all && c.rand.IntN(2000) == 0: // its container ends
			err = c.Report(TaskChange{Task: arn, Status: "STOPPED", ExecutionStopped: time.Now(), Containers: []Object{Exited("c", 1)}})
			l.Desired = "STOPPED"
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// settle goes on without bad luck until nothing that it runs should stop.
func (c *churner) settle() {
	c.Helper()
	c.ok(c.Connect())
	c.await("what should stop has stopped", func() bool {
		for c.ACS.Came(50 * time.Millisecond) {
			_, err := c.Step(Limit())
			c.ok(err)
		}
		c.ok(c.reports(true))
		for arn, l := range c.Tasks {
			if l.Reported == "RUNNING" && at(c.described(arn), "desiredStatus") != "RUNNING" {
				return false
			}
		}
		return true
	})
}
