package agentwire

import (
	"net"
	"testing"
	"testing/synctest"
	"time"

	"berth/internal/pipenet"
)

// timed holds a control plane in this process to a statement about time, in time that costs nothing.
func timed(t *testing.T, lostAfter time.Duration, test func(s *stage)) {
	synctest.Test(t, func(t *testing.T) {
		nw := pipenet.New()
		p := newPlane(t, nw, lostAfter)
		w := &world{dial: func() (net.Conn, error) { return nw.Dial(t.Context(), "tcp", "berth:80") }, host: "berth:80", admin: p.admin, join: p.join}
		test(w.stage(t))
	})
}

// The agent drops a session on which it heard nothing for 60 s, so something comes at least that often; and heartbeats go on for a session's
// whole life.
func TestHeartbeatsInTime(t *testing.T) {
	timed(t, 0, func(s *stage) {
		a := s.connected()
		for began := time.Now(); time.Since(began) < 35*time.Minute; {
			m, err := a.Step(time.Now().Add(60 * time.Second))
			s.ok(err)
			s.is("type", m.Type, "HeartbeatMessage")
			if string(m.Body) != `{"messageId":"`+m.MessageID+`","healthy":true}` {
				s.Errorf("heartbeat %s", m.Body)
			}
		}
		s.is("agentConnected", at(s.instance(a), "agentConnected"), true)
	})
}

func TestTelemetryHeartbeatsInTime(t *testing.T) {
	timed(t, 0, func(s *stage) {
		a := s.agent()
		tcs, err := a.OpenTCS()
		s.ok(err)
		for began := time.Now(); time.Since(began) < 35*time.Minute; {
			m, err := tcs.ReadMessage(time.Now().Add(60 * time.Second)) // no acks from the agent on this socket
			s.ok(err)
			s.is("heartbeat", m.Type+string(m.Body), `HeartbeatMessage{"healthy":true}`)
		}
	})
}

// protocolVersion 2: the server closes a session whose heartbeats are not acked, and shows the agent as disconnected.
func TestSilentAgentIsDisconnected(t *testing.T) {
	timed(t, 0, func(s *stage) {
		a := s.connected()
		began, beats := time.Now(), 0
		for {
			m, err := a.ACS.ReadMessage(began.Add(10 * time.Minute))
			if err != nil {
				break
			}
			if m.Type == "HeartbeatMessage" {
				beats++
			}
		}
		if d := time.Since(began); beats < 2 || d > 4*time.Minute {
			s.Errorf("closed after %v and %d heartbeats", d, beats)
		}
		s.awaitConnected(a, false)
	})
}

// A half-open connection (the machine lost power: nothing comes, nothing is refused) ends in the same way, and the next session is served
// meanwhile.
func TestHalfOpenConnection(t *testing.T) {
	timed(t, 0, func(s *stage) {
		a := s.connected()
		s.ok(a.ACS.Write(Frame{Fin: true, Opcode: Text, Payload: a.ackText()}.Encode(true)[:5]))
		time.Sleep(5 * time.Minute)
		s.is("agentConnected", at(s.instance(a), "agentConnected"), false)
		s.connect(a)
		s.is("agentConnected", at(s.instance(a), "agentConnected"), true)
	})
}

// A payload whose ack was lost is sent again on the same session, with a seqNum that does not go back, and no more once it is acked.
func TestUnackedPayloadIsSentAgain(t *testing.T) {
	timed(t, 0, func(s *stage) {
		a := s.connected()
		task := s.start(a, s.definition(nil))
		first := s.next(a, "PayloadMessage")
		var again Message
		for again.Type != "PayloadMessage" {
			m, err := a.ACS.ReadMessage(time.Now().Add(60 * time.Second))
			s.ok(err)
			if m.Type == "HeartbeatMessage" {
				s.ok(a.Say("HeartbeatAckRequest", Object{{"messageId", m.MessageID}}))
			}
			again = m
		}
		if again.SeqNum < first.SeqNum {
			s.Errorf("seqNum %d after %d", again.SeqNum, first.SeqNum)
		}
		s.ok(a.Ack(first.MessageID)) // late
		s.ok(a.Ack(again.MessageID))
		for began := time.Now(); time.Since(began) < 10*time.Minute; {
			m, err := a.Step(time.Now().Add(60 * time.Second))
			s.ok(err)
			s.is("type", m.Type, "HeartbeatMessage")
		}
		s.is("lastStatus", at(s.described(task), "lastStatus"), "PENDING") // it waits in the agent's queue, as long as it likes
	})
}

// A task that is told to stop and does not report is waited for: the agent may be slow or away.
func TestStopIsWaitedFor(t *testing.T) {
	timed(t, 0, func(s *stage) {
		a := s.connected()
		task := s.task(a)
		s.running(a, task)
		s.ask("StopTask", Object{{"cluster", s.cluster}, {"task", task}})
		s.told(a, task, "STOPPED")
		for began := time.Now(); time.Since(began) < 20*time.Minute; {
			_, err := a.Step(time.Now().Add(60 * time.Second))
			s.ok(err)
		}
		s.is("lastStatus", at(s.described(task), "lastStatus"), "RUNNING")
		s.stopped(a, task)
		s.is("lastStatus", at(s.described(task), "lastStatus"), "STOPPED")
	})
}

// The agent renews its session every half hour, by a close or by a second session before the first has ended. Long after the server began to
// lead, an instance with a session is never taken for disconnected, and never lost.
func TestRenewedSessionsStayConnected(t *testing.T) {
	timed(t, 5*time.Minute, func(s *stage) {
		a := s.connected()
		time.Sleep(50 * time.Second) // beyond the time in which agents come back to a new leader
		for n := range 200 {
			switch n % 3 {
			case 0:
				s.ok(a.ACS.WriteClose(1000, "ConnectionExpired: Reconnect to continue"))
			case 1:
				a.ACS.Conn.Close()
			}
			s.connect(a)
			synctest.Wait()
			if at(s.instance(a), "agentConnected") != true {
				s.Fatalf("not connected after %d renewals", n+1)
			}
		}
		for began := time.Now(); time.Since(began) < 20*time.Minute; {
			_, err := a.Step(time.Now().Add(60 * time.Second))
			s.ok(err)
		}
		s.is("status", at(s.instance(a), "status"), "ACTIVE")
	})
}

// An instance that has been gone for more than an hour is not described any more. Its agent learns the same as before when it comes back.
func TestSweptInstance(t *testing.T) {
	timed(t, 5*time.Minute, func(s *stage) {
		a := s.connected()
		a.Drop()
		time.Sleep(30 * time.Minute)
		s.is("status", at(s.instance(a), "status"), "INACTIVE")
		time.Sleep(time.Hour)
		gone := s.ask("DescribeContainerInstances", Object{{"cluster", s.cluster}, {"containerInstances", []string{a.Instance}}})
		s.is("described", at(gone, "failures", 0, "reason"), "MISSING")
		_, err := a.OpenACS(nil)
		s.is("ACS", s.refused(err), "InactiveInstanceException")
		_, err = a.OpenTCS()
		s.is("TCS", s.refused(err), "InactiveInstanceException")
		again := NewRegistration(s.cluster)
		again.Instance = a.Instance
		s.exit(a.Register(again), 5, "inactive")
		b := NewAgent(a.Client, s.cluster)
		s.Cleanup(b.Drop)
		s.ok(b.Register(NewRegistration(s.cluster)))
		if b.Instance == a.Instance {
			s.Error("an instance that was gone came back")
		}
		s.connect(b)
		s.running(b, s.task(b))
	})
}

// An instance without a session is deregistered after a while, and its agent learns it when it comes back.
func TestLostInstance(t *testing.T) {
	timed(t, 5*time.Minute, func(s *stage) {
		a := s.connected()
		task := s.task(a)
		s.running(a, task)
		a.Drop()
		time.Sleep(4 * time.Minute)
		s.is("status before", at(s.instance(a), "status"), "ACTIVE")
		time.Sleep(2 * time.Minute)
		s.is("lastStatus", at(s.described(task), "lastStatus"), "STOPPED")
		_, err := a.OpenACS(nil)
		s.is("ACS", s.refused(err), "InactiveInstanceException")
		s.running(a, task) // acknowledged, and nothing comes of it
		s.is("lastStatus", at(s.described(task), "lastStatus"), "STOPPED")
	})
}
