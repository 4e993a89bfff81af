package agentwire

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

func telling() []statement {
	return []statement{
		{"PayloadBridge", payloadBridge},
		{"PayloadHost", payloadHost},
		{"PayloadUntilAcked", payloadUntilAcked},
		{"PayloadNotAfterRunning", payloadNotAfterRunning},
		{"PayloadNeverAgain", payloadNeverAgain},
		{"PayloadOfManyTasks", payloadMany},
		{"PayloadUnparsable", payloadUnparsable},
		{"AcksInAnyOrder", acksAnyOrder},
		{"StopUntilReported", stopUntilReported},
		{"StopBeforeStart", stopBeforeStart},
		{"StopOfUnknownTask", stopUnknown},
		{"ManifestStopsWhatIsNotWanted", manifestStops},
		{"ManifestVerificationOfOlder", manifestOlder},
		{"ManifestTimelines", manifestTimelines},
		{"ReservesAsTheAgentCounts", reserves},
	}
}

func payloadBridge(s *stage) {
	a := s.connected()
	def := s.definition(func(d, c Object) (Object, Object) {
		d = append(d, Member{"cpu", "512"}, Member{"memory", "256"}, Member{"volumes", []Object{{{"name", "data"}, {"host", Object{{"sourcePath", "/srv/data"}}}}, {{"name", "scratch"}}}})
		c = append(c, Member{"memoryReservation", 32}, Member{"command", []string{"sleep", "1"}}, Member{"environment", []Object{{{"name", "A"}, {"value", "1"}}}},
			Member{"portMappings", []Object{{{"containerPort", 8080}}, {{"containerPort", 53}, {"hostPort", 5353}, {"protocol", "udp"}}}},
			Member{"mountPoints", []Object{{{"sourceVolume", "data"}, {"containerPath", "/data"}, {"readOnly", true}}, {{"sourceVolume", "scratch"}, {"containerPath", "/tmp"}}}},
			Member{"healthCheck", Object{{"command", []string{"CMD", "true"}}, {"interval", 10}}}, Member{"stopTimeout", 2}, Member{"user", "1000"})
		side := Object{{"name", "side"}, {"image", "side:2"}, {"essential", false}, {"memory", 16},
			{"dependsOn", []Object{{{"containerName", "c"}, {"condition", "HEALTHY"}}}}}
		return append(d, Member{"containerDefinitions", []Object{c, side}}), c
	})
	out := s.ask("StartTask", Object{{"cluster", s.cluster}, {"taskDefinition", def}, {"containerInstances", []string{a.Instance}},
		{"overrides", Object{{"containerOverrides", []Object{{{"name", "c"}, {"command", []string{"sleep", "2"}}, {"environment", []Object{{{"name", "B"}, {"value", "2"}}}}}}}}}})
	task := fmt.Sprint(at(out, "tasks", 0, "taskArn"))
	m := s.told(a, task, "RUNNING") // decoded as strictly as the agent does
	t := m.Tasks[0]
	s.is("family and version", t.Family+" "+t.Version, s.cluster+" 1")
	s.is("cpu in vCPUs", t.CPU, 0.5)
	s.is("memory in MiB", t.Memory, 256)
	s.is("networkMode", t.NetworkMode, "bridge")
	s.is("cluster", t.Cluster, a.ClusterARN())
	c := t.Containers[0]
	s.is("container cpu in units", c.CPU, 128)
	s.is("container memory", c.Memory, 64)
	s.is("command", c.Command, "[sleep 2]")
	s.is("environment", c.Environment, "map[A:1 AWS_EXECUTION_ENV:AWS_ECS_EC2 B:2]")
	s.is("overrides", c.Overrides, "{}")
	s.is("ports", c.PortMappings, "[{8080 0  tcp} {53 5353  udp}]")
	s.is("mounts", c.MountPoints, "[{data /data true} {scratch /tmp false}]")
	s.is("hostConfig", c.HostConfig(), "map[MemoryReservation:3.3554432e+07 NetworkMode:bridge]")
	s.is("config", c.Config(), "map[Healthcheck:map[Interval:1e+10 Retries:3 Test:[CMD true] Timeout:5e+09] User:1000]")
	s.is("stopTimeout", *c.StopTimeout, 2)
	s.is("dependsOn", t.Containers[1].DependsOn, "[{c HEALTHY}]")
	if strings.Contains(string(m.Raw[0]), "null") {
		s.Errorf("the payload has nulls: %s", m.Raw[0])
	}
}

func payloadHost(s *stage) {
	a := s.connected()
	task := s.start(a, s.definition(func(d, c Object) (Object, Object) {
		return d.With("networkMode", "host"), append(c, Member{"portMappings", []Object{{{"containerPort", 8080}}}})
	}))
	t := s.told(a, task, "RUNNING").Tasks[0]
	s.is("modes", t.NetworkMode+" "+fmt.Sprint(t.Containers[0].HostConfig()["NetworkMode"]), "host host")
	s.running(a, task)
	s.is("the task", at(s.described(task), "lastStatus"), "RUNNING")
	s.stopped(a, task)
	s.is("the task", at(s.described(task), "lastStatus"), "STOPPED")
}

// next reads messages without doing anything about them until one of that type.
func (s *stage) next(a *Agent, kind string) Message {
	s.Helper()
	for limit := Limit(); ; {
		m, err := a.ACS.ReadMessage(limit)
		s.ok(err)
		if m.Type == kind {
			return m
		}
	}
}

func payloadUntilAcked(s *stage) {
	a := s.connected()
	task := s.start(a, s.definition(nil))
	lost := s.next(a, "PayloadMessage") // the agent's machine fails before it writes it down
	s.connect(a)
	again := s.told(a, task, "RUNNING")
	if again.MessageID == lost.MessageID || again.SeqNum < lost.SeqNum {
		s.Errorf("payload %s of %d, then %s of %d", lost.MessageID, lost.SeqNum, again.MessageID, again.SeqNum)
	}
	s.connect(a) // acked, but no report has come: it is sent again, which is harmless
	s.told(a, task, "RUNNING")
	s.is("the task", at(s.described(task), "lastStatus"), "PENDING")
	s.is("the acks wrote nothing", at(s.described(task), "version"), 1)
}

// quiet checks that nothing about a task comes before another task's payload.
func (s *stage) quiet(a *Agent, task string) {
	s.Helper()
	probe := s.start(a, s.definition(nil))
	for {
		m, err := a.Until("PayloadMessage")
		s.ok(err)
		for _, t := range m.Tasks {
			if t.ARN == task {
				s.Fatalf("task is told %s again", t.DesiredStatus)
			}
			if t.ARN == probe {
				return
			}
		}
	}
}

func payloadNotAfterRunning(s *stage) {
	a := s.connected()
	task := s.task(a)
	s.running(a, task)
	m := s.connect(a)
	s.is("manifest", m.Listed, fmt.Sprintf("[{%s %s RUNNING}]", task, a.ClusterARN()))
	s.quiet(a, task)
}

func payloadNeverAgain(s *stage) {
	a := s.connected()
	task := s.task(a)
	s.stopped(a, task) // straight from nothing
	a.Tasks[task].Cleaned = true
	m := s.connect(a)
	s.is("the manifest's tasks", len(m.Listed), 0)
	s.quiet(a, task)
	b := s.restarted(a)
	s.connect(b)
	s.quiet(b, task)
}

func payloadMany(s *stage) {
	a := s.connected()
	def := s.definition(func(d, c Object) (Object, Object) { return d, c.With("cpu", 2).With("memory", 6) })
	want := map[string]bool{}
	for range 13 {
		out := s.ask("RunTask", Object{{"cluster", s.cluster}, {"taskDefinition", def}, {"launchType", "EXTERNAL"}, {"count", 10}})
		for _, t := range at(out, "tasks").([]any) {
			want[fmt.Sprint(at(t, "taskArn"))] = true
		}
	}
	s.is("placed", len(want), 130)
	for len(want) > 0 {
		m, err := a.Until("PayloadMessage")
		s.ok(err)
		for _, t := range m.Tasks {
			delete(want, t.ARN)
		}
	}
	m := s.connect(a)
	s.is("the manifest's tasks", len(m.Listed), 130)
}

func payloadUnparsable(s *stage) {
	a := s.connected()
	task := s.start(a, s.definition(nil))
	s.next(a, "PayloadMessage") // no ack
	s.ok(a.Report(TaskChange{Task: task, Status: "STOPPED", Reason: "UnrecogniedTaskError: Error loading task - json: cannot unmarshal"}))
	x := s.described(task)
	s.is("the task", at(x, "lastStatus"), "STOPPED")
	s.is("stopCode", at(x, "stopCode"), "TaskFailedToStart")
	s.is("stoppedReason", at(x, "stoppedReason"), "UnrecogniedTaskError: Error loading task - json: cannot unmarshal")
	s.connect(a)
	s.quiet(a, task)
}

func acksAnyOrder(s *stage) {
	a := s.connected()
	def := s.definition(nil)
	one := s.start(a, def)
	m1 := s.next(a, "PayloadMessage")
	two := s.start(a, def)
	m2 := s.next(a, "PayloadMessage")
	for _, id := range []string{m2.MessageID, "nobody-sent-this", m1.MessageID, m1.MessageID, "", m2.MessageID, a.manifest} {
		s.ok(a.Ack(id))
	}
	s.ok(a.Say("HeartbeatAckRequest", Object{{"messageId", "old"}}))
	s.ok(a.Say("NackRequest", Object{{"cluster", a.ClusterARN()}, {"containerInstance", a.Instance}, {"messageId", "upd-1"}, {"reason", "Updates are disabled"}}))
	s.ok(a.Say("AckRequest", Object{{"cluster", "x"}, {"containerInstance", "y"}, {"messageId", m1.MessageID}}))
	s.ok(a.Say("IAMRoleCredentialsAckRequest", Object{{"credentialsId", "x"}, {"expiration", "2031-01-01T00:00:00Z"}, {"messageId", "cred-1"}}))
	s.running(a, two)
	s.running(a, one)
	s.is("one", at(s.described(one), "lastStatus"), "RUNNING")
	s.running(a, s.task(a)) // the session has lived on
	third := s.start(a, def)
	m := s.next(a, "PayloadMessage")
	s.running(a, third) // reported before it is acked
	s.ok(a.Ack(m.MessageID))
	s.is("third", at(s.described(third), "lastStatus"), "RUNNING")
	s.connect(a)
	s.quiet(a, third)
}

func stopUntilReported(s *stage) {
	a := s.connected()
	task := s.task(a)
	s.running(a, task)
	s.ask("StopTask", Object{{"cluster", s.cluster}, {"task", task}, {"reason", "enough"}})
	m := s.told(a, task, "STOPPED")
	if text := string(m.Raw[0]); !strings.Contains(text, `"desiredStatus":"STOPPED"`) || strings.Contains(text, "containers") {
		s.Errorf("a stop needs no more than the ARN and the status: %s", text)
	}
	s.is("desiredStatus", at(s.described(task), "desiredStatus"), "STOPPED")
	s.is("lastStatus until it is reported", at(s.described(task), "lastStatus"), "RUNNING")
	m = s.connect(a)
	s.is("the manifest's tasks", len(m.Listed), 0)
	s.told(a, task, "STOPPED") // again, since nothing was reported
	s.ok(a.Report(TaskChange{Task: task, Status: "STOPPED", ExecutionStopped: time.Now(), Containers: []Object{Exited("c", 137)}}))
	x := s.described(task)
	s.is("lastStatus", at(x, "lastStatus"), "STOPPED")
	s.is("stopCode", at(x, "stopCode"), "UserInitiated")
	s.is("stoppedReason", at(x, "stoppedReason"), "enough")
	s.is("exitCode", at(x, "containers", 0, "exitCode"), 137)
	s.is("CPU is free", resource(s.instance(a), "remainingResources", "CPU"), 2048)
	s.connect(a)
	s.quiet(a, task)
}

func stopBeforeStart(s *stage) {
	a := s.connected()
	task := s.task(a) // it waits in the agent's queue
	s.ask("StopTask", Object{{"cluster", s.cluster}, {"task", task}})
	s.told(a, task, "STOPPED")
	s.ok(a.Report(TaskChange{Task: task, Status: "STOPPED"}))
	x := s.described(task)
	s.is("lastStatus", at(x, "lastStatus"), "STOPPED")
	s.is("stopCode", at(x, "stopCode"), "UserInitiated")
	s.is("startedAt", at(x, "startedAt"), nil)
}

func stopUnknown(s *stage) {
	a := s.connected()
	task := s.start(a, s.definition(nil))
	s.next(a, "PayloadMessage") // lost with the agent
	s.ask("StopTask", Object{{"cluster", s.cluster}, {"task", task}})
	s.connect(a)
	s.told(a, task, "STOPPED")
	s.ok(a.Report(TaskChange{Task: task, Status: "STOPPED", Reason: "TaskStateError: Agent could not progress task's state to stopped"}))
	s.is("lastStatus", at(s.described(task), "lastStatus"), "STOPPED")
	s.is("stopCode", at(s.described(task), "stopCode"), "UserInitiated")
}

func manifestStops(s *stage) {
	a := s.connected()
	wanted, over := s.task(a), s.task(a)
	s.running(a, wanted)
	s.running(a, over)
	foreign := string(scope.Cluster(s.cluster).Task(strings.Repeat("f", 32)))
	a.Tasks[foreign] = &Local{Desired: "RUNNING", Reported: "RUNNING"}
	s.ok(a.Report(TaskChange{Task: foreign, Status: "RUNNING", Containers: []Object{Started("c")}})) // OK, and the manifest stops it
	s.ask("StopTask", Object{{"cluster", s.cluster}, {"task", over}})
	m := s.connect(a)
	s.is("the manifest's tasks", len(m.Listed), 1)
	v, err := a.Until("TaskStopVerificationAck")
	s.ok(err)
	stops := fmt.Sprint(v.Stops)
	if len(v.Stops) != 2 || !strings.Contains(stops, foreign) || !strings.Contains(stops, over) {
		s.Errorf("told to stop %v", v.Stops)
	}
	s.is("wanted", a.Tasks[wanted].Desired, "RUNNING")
	s.ok(a.Report(TaskChange{Task: foreign, Status: "STOPPED", Containers: []Object{Exited("c", 137)}}))
	s.stopped(a, over)
	s.connect(a)
	s.quiet(a, over)
}

func manifestOlder(s *stage) {
	a := s.connected()
	task := s.task(a)
	s.running(a, task)
	ask := func(id, task string) {
		s.ok(a.Say("TaskStopVerificationMessage", Object{{"messageId", id},
			{"stopCandidates", []Object{{{"desiredStatus", "STOPPED"}, {"taskArn", task}, {"taskClusterArn", a.ClusterARN()}}}}}))
	}
	ask("an-older-manifest", task) // not answered
	ask(a.manifest, task)          // answered, but the task is wanted
	v, err := a.Until("TaskStopVerificationAck")
	s.ok(err)
	s.is("to stop", len(v.Stops), 0)
	s.running(a, s.task(a)) // no second answer has come: Step would have failed
}

func manifestTimelines(s *stage) {
	a := s.connected()
	last := a.Timeline
	for range 5 {
		s.running(a, s.task(a))
		s.connect(a) // fails on a manifest that is not above all manifests and payloads
		if a.Timeline <= last {
			s.Errorf("timeline %d after %d", a.Timeline, last)
		}
		last = a.Timeline
	}
	b := s.restarted(a) // it remembers the last manifest's timeline
	r := NewRegistration(s.cluster)
	r.Instance = a.Instance
	s.ok(b.Register(r))
	s.connect(b)
}

// reserves: the agent's queue lets nothing pass a task that does not fit, so the server must count as the agent does.
func reserves(s *stage) {
	a := s.connected()
	const fixed = "[22 2375 2376 51678 51679]"
	port := Member{"portMappings", []Object{{{"containerPort", 80}, {"hostPort", 8080}}, {{"containerPort", 81}}, {{"containerPort", 22}, {"hostPort", 53}, {"protocol", "udp"}}}}
	for _, x := range []struct {
		name, cpu, memory, ports, udp string
		change                        func(d, c Object) (Object, Object)
	}{
		{"of the containers", "256", "80", fixed, "[]", func(d, c Object) (Object, Object) {
			side := c.With("name", "side").With("memoryReservation", 16)
			return append(d, Member{"containerDefinitions", []Object{c, side}}), c
		}},
		{"of the task", "512", "256", fixed, "[]", func(d, c Object) (Object, Object) {
			return append(d, Member{"cpu", "0.5 vCPU"}, Member{"memory", "256"}), c
		}},
		{"with ports", "128", "64", "[22 2375 2376 8080 51678 51679]", "[53]", func(d, c Object) (Object, Object) { return d, append(c, port) }},
	} {
		task := s.start(a, s.definition(x.change))
		s.told(a, task, "RUNNING")
		i := s.instance(a)
		left := func(name string, of int) string {
			return fmt.Sprint(of - number(resource(i, "remainingResources", name)))
		}
		s.is(x.name+": CPU", left("CPU", 2048), x.cpu)
		s.is(x.name+": MEMORY", left("MEMORY", 24105), x.memory)
		s.is(x.name+": PORTS", resource(i, "remainingResources", "PORTS"), x.ports)
		s.is(x.name+": PORTS_UDP", resource(i, "remainingResources", "PORTS_UDP"), x.udp)
		if x.ports != fixed {
			out := s.ask("RunTask", Object{{"cluster", s.cluster}, {"taskDefinition", s.definition(x.change)}, {"launchType", "EXTERNAL"}})
			s.is("a second task on the port", len(at(out, "tasks").([]any)), 0)
		}
		s.ask("StopTask", Object{{"cluster", s.cluster}, {"task", task}})
		s.told(a, task, "STOPPED")
		s.is(x.name+": CPU while it stops", fmt.Sprint(2048-number(resource(s.instance(a), "remainingResources", "CPU"))), x.cpu) // the agent keeps it so long
		s.ok(a.Report(TaskChange{Task: task, Status: "STOPPED"}))
		s.is(x.name+": CPU is free", resource(s.instance(a), "remainingResources", "CPU"), 2048)
	}
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return -1
	}
	return n
}
