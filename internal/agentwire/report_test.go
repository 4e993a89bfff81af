package agentwire

import (
	"fmt"
	"strings"
	"time"
)

func reporting() []statement {
	return []statement{
		{"ReportLife", reportLife},
		{"ReportOrders", reportOrders},
		{"ReportRegressions", reportRegressions},
		{"ReportUnknownTask", reportUnknown},
		{"ReportSameContainerTwice", reportTwice},
		{"ReportNumbersAndNulls", reportNumbers},
		{"ReportReasons", reportReasons},
		{"ReportLongTexts", reportLong},
		{"ReportNonEssentialContainer", reportNonEssential},
		{"ReportPorts", reportPorts},
		{"ReportManagedAgentsAndAttachments", reportManaged},
		{"ReportOfOlderAgents", reportOlder},
		{"ReportOfAnotherInstance", reportAnother},
		{"ReportThatCannotBe", reportWrong},
	}
}

// change sends a body as it is and returns the API's error.
func (s *stage) change(a *Agent, operation string, body string) string {
	s.Helper()
	answer, err := a.Call(operation, []byte(body))
	s.ok(err)
	if answer.Status == 200 {
		s.is("answer", string(answer.Body), `{"acknowledgment":"OK"}`)
	}
	return answer.Error()
}

func reportLife(s *stage) {
	a := s.connected()
	task := s.task(a)
	pulled := time.Now().Add(-3 * time.Second)
	s.ok(a.Report(TaskChange{Task: task, Status: "PENDING", Containers: []Object{Pulled("c")}}))
	x := s.described(task)
	s.is("lastStatus", at(x, "lastStatus"), "PENDING")
	s.is("imageDigest", at(x, "containers", 0, "imageDigest"), Digest)
	s.ok(a.Report(TaskChange{Task: task, Status: "RUNNING", PullStarted: pulled, PullStopped: pulled.Add(46 * time.Millisecond),
		Containers: []Object{Started("c", [2]int{8080, 32768})}}))
	x = s.described(task)
	s.is("lastStatus", at(x, "lastStatus"), "RUNNING")
	s.is("runtimeId", at(x, "containers", 0, "runtimeId"), RuntimeID)
	s.is("networkBindings", at(x, "containers", 0, "networkBindings"), "[map[bindIP:0.0.0.0 containerPort:8080 hostPort:32768 protocol:tcp]]")
	s.is("pullStartedAt", at(x, "pullStartedAt"), Seconds(pulled))
	if at(x, "startedAt") == nil {
		s.Error("no startedAt: the server derives it")
	}
	ended := time.Now()
	s.ok(a.Report(TaskChange{Task: task, Status: "STOPPED", PullStarted: pulled, PullStopped: pulled, ExecutionStopped: ended, Containers: []Object{Exited("c", 0)}}))
	x = s.described(task)
	s.is("lastStatus", at(x, "lastStatus"), "STOPPED")
	s.is("desiredStatus", at(x, "desiredStatus"), "STOPPED")
	s.is("stopCode", at(x, "stopCode"), "EssentialContainerExited")
	s.is("stoppedReason", at(x, "stoppedReason"), "Essential container in task exited")
	s.is("exitCode", at(x, "containers", 0, "exitCode"), 0)
	s.is("executionStoppedAt", at(x, "executionStoppedAt"), Seconds(ended))
	if at(x, "stoppedAt") == nil || at(x, "stoppingAt") == nil {
		s.Error("no stoppedAt or stoppingAt: the server derives them")
	}
}

func reportOrders(s *stage) {
	a := s.connected()
	for _, order := range []Order{As, Alphabetical, Reversed} {
		task := s.task(a)
		body := TaskChange{Cluster: s.cluster, Task: task, Status: "RUNNING", PullStarted: time.Now(), Containers: []Object{Started("c", [2]int{80, 32768})}}.Body()
		s.is("error", s.change(a, "SubmitTaskStateChange", string(body.JSON(order))), "")
		s.is("lastStatus", at(s.described(task), "lastStatus"), "RUNNING")
		s.stopped(a, task)
	}
}

func reportRegressions(s *stage) {
	a := s.connected()
	task := s.task(a)
	s.running(a, task)
	version := at(s.described(task), "version")
	s.ok(a.Report(TaskChange{Task: task, Status: "PENDING", Containers: []Object{Pulled("c")}}))
	s.running(a, task)
	x := s.described(task)
	s.is("lastStatus after a late PENDING", at(x, "lastStatus"), "RUNNING")
	s.is("container", at(x, "containers", 0, "lastStatus"), "RUNNING")
	s.is("version", at(x, "version"), version)
	s.stopped(a, task)
	before := fmt.Sprint(s.described(task))
	s.running(a, task)
	s.ok(a.Report(TaskChange{Task: task, Status: "STOPPED", Reason: "again", ExecutionStopped: time.Now(), Containers: []Object{Exited("c", 9)}}))
	s.is("after STOPPED", s.described(task), before)
	s.is("runningTasksCount", at(s.instance(a), "runningTasksCount"), 0)
}

func reportUnknown(s *stage) {
	a := s.connected()
	for _, task := range []string{
		string(scope.Cluster(s.cluster).Task(strings.Repeat("e", 32))), strings.Repeat("d", 32), string(scope.Cluster("gone").Task("x")),
		"arn:aws:ecs:us-east-1:" + testAccount + ":task/" + strings.Repeat("c", 32), // the form without a cluster
	} {
		for _, status := range []string{"PENDING", "RUNNING", "STOPPED"} {
			s.ok(a.Report(TaskChange{Task: task, Status: status, Containers: []Object{Started("c")}}))
		}
	}
	s.is("tasks", len(at(s.ask("ListTasks", Object{{"cluster", s.cluster}}), "taskArns").([]any)), 0)
}

func reportTwice(s *stage) {
	a := s.connected()
	task := s.task(a)
	s.ok(a.Report(TaskChange{Task: task, Status: "STOPPED", Containers: []Object{Started("c", [2]int{80, 32768}), Exited("c", 3)}}))
	x := s.described(task)
	s.is("container", at(x, "containers", 0, "lastStatus"), "STOPPED")
	s.is("exitCode", at(x, "containers", 0, "exitCode"), 3)
	s.is("hostPort", at(x, "containers", 0, "networkBindings", 0, "hostPort"), 32768)
	s.is("stopCode", at(x, "stopCode"), "EssentialContainerExited")
	if at(x, "startedAt") == nil {
		s.Error("it ran, but has no startedAt")
	}
}

func reportNumbers(s *stage) {
	a := s.connected()
	started := time.Now().Add(-time.Minute).Truncate(time.Second)
	for _, form := range []string{"%d.126", "%d", "%d.0", "%de0", "%d.126e+0"} {
		task := s.task(a)
		number := fmt.Sprintf(form, started.Unix())
		s.is(number, s.change(a, "SubmitTaskStateChange", `{"cluster":"`+s.cluster+`","task":"`+task+`","status":"STOPPED","reason":null,"pullStartedAt":`+number+
			`,"pullStoppedAt":null,"attachments":null,"managedAgents":[],"futureMember":{"x":[1,null]},"containers":[{"containerName":"c","exitCode":null,`+
			`"runtimeId":null,"status":"STOPPED","networkBindings":null,"reason":""}]}`), "")
		x := s.described(task)
		s.is("lastStatus", at(x, "lastStatus"), "STOPPED")
		if got, _ := at(x, "pullStartedAt").(float64); int64(got) != started.Unix() {
			s.Errorf("%s is %v", number, got)
		}
	}
}

func reportReasons(s *stage) {
	a := s.connected()
	stop := func(name string, c TaskChange, code, reason string) {
		s.Helper()
		c.Task, c.Status = s.task(a), "STOPPED"
		s.ok(a.Report(c))
		x := s.described(c.Task)
		s.is(name+": stopCode", at(x, "stopCode"), code)
		s.is(name+": stoppedReason", at(x, "stoppedReason"), reason)
		if n := len(c.Containers); n > 0 {
			s.is(name+": reason", at(x, "containers", 0, "reason"), c.Containers[n-1].member("reason"))
		}
	}
	for _, reason := range []string{
		"CannotPullImageManifestError: Error response from daemon: dial tcp 10.0.0.1:443: connect: connection refused",
		"CannotPullContainerError: unauthorized", `CannotStartContainerError: Error response from daemon: exec: "/no/such": stat /no/such: no such file`,
		"CannotCreateContainerError: x", "DockerTimeoutError: Could not transition to started; timed out", "ContainerNetworkingError: x",
	} {
		stop(reason, TaskChange{Containers: []Object{Failed("c", reason)}}, "TaskFailedToStart", reason)
	}
	made := "CannotStartContainerError: dependency"
	stop("made-up exit code", TaskChange{Containers: []Object{append(Failed("c", made), Member{"exitCode", 143})}}, "TaskFailedToStart", made)
	secret := "Fetching secret data from SSM Parameter Store in us-east-1: AccessDeniedException"
	stop("task level", TaskChange{Reason: secret}, "TaskFailedToStart", secret)
	killed := append(Exited("c", 137), Member{"reason", "OutOfMemoryError: Container killed due to memory usage"})
	stop("out of memory", TaskChange{Containers: []Object{Started("c"), killed}}, "EssentialContainerExited", "Essential container in task exited")
	task := s.task(a)
	s.running(a, task)
	vanished := "ContainerVanishedError: No container matching saved ID found"
	s.ok(a.Report(TaskChange{Task: task, Status: "STOPPED", Containers: []Object{Failed("c", vanished)}}))
	s.is("vanished", at(s.described(task), "stopCode"), "EssentialContainerExited")
	s.is("vanished", at(s.described(task), "containers", 0, "reason"), vanished)
}

func reportLong(s *stage) {
	a := s.connected()
	task := s.task(a)
	long := strings.Repeat("ü", 600) // 1,200 bytes
	s.ok(a.Report(TaskChange{Task: task, Status: "STOPPED", Reason: long, Containers: []Object{append(Failed("c", long), Member{"runtimeId", strings.Repeat("r", 300)})}}))
	x := s.described(task)
	s.is("lastStatus", at(x, "lastStatus"), "STOPPED")
	if got := fmt.Sprint(at(x, "containers", 0, "reason")); len(got) > 1024 || !strings.HasPrefix(long, got) {
		s.Errorf("the reason is %d bytes", len(got))
	}
}

func reportNonEssential(s *stage) {
	a := s.connected()
	def := s.definition(func(d, c Object) (Object, Object) {
		return append(d, Member{"containerDefinitions", []Object{c, {{"name", "side"}, {"image", "side:1"}, {"essential", false}, {"memory", 16}}}}), c
	})
	task := s.start(a, def)
	s.told(a, task, "RUNNING")
	s.ok(a.Report(TaskChange{Task: task, Status: "RUNNING", Containers: []Object{Started("c"), Started("side")}}))
	s.ok(a.Report(TaskChange{Task: task, Status: "RUNNING", Containers: []Object{Exited("side", 4)}})) // seconds later, the status unchanged
	x := s.described(task)
	s.is("lastStatus", at(x, "lastStatus"), "RUNNING")
	s.is("desiredStatus", at(x, "desiredStatus"), "RUNNING")
	s.is("side", at(x, "containers", 1, "exitCode"), 4)
}

func reportPorts(s *stage) {
	a := s.connected()
	task := s.task(a)
	body := TaskChange{Cluster: s.cluster, Task: task, Status: "RUNNING", Containers: []Object{append(Started("c"), Member{"networkBindings", []Object{
		{{"bindIP", "0.0.0.0"}, {"containerPort", 53}, {"hostPort", 32770}, {"protocol", "udp"}},
		{{"bindIP", "0.0.0.0"}, {"containerPortRange", "8000-8002"}, {"hostPortRange", "40000-40002"}, {"protocol", "tcp"}},
	}})}}.Body()
	s.is("error", s.change(a, "SubmitTaskStateChange", string(body.JSON(As))), "")
	s.is("ranges", at(s.described(task), "containers", 0, "networkBindings", 1, "hostPortRange"), "40000-40002")
	i := s.instance(a)
	s.is("ports in use", resource(i, "remainingResources", "PORTS"), "[22 2375 2376 40000 40001 40002 51678 51679]")
	s.is("UDP ports in use", resource(i, "remainingResources", "PORTS_UDP"), "[32770]")
	s.stopped(a, task)
	s.is("ports are free", resource(s.instance(a), "remainingResources", "PORTS"), "[22 2375 2376 51678 51679]")
}

func reportManaged(s *stage) {
	a := s.connected()
	task := s.task(a)
	s.running(a, task)
	s.ok(a.Report(TaskChange{Task: task, Status: "RUNNING", ManagedAgents: []Object{{{"containerName", "c"}, {"managedAgentName", "ExecuteCommandAgent"},
		{"status", "RUNNING"}, {"reason", "ExecuteCommandAgent started"}}}}))
	attachment := "arn:aws:ecs:us-east-1:" + testAccount + ":attachment/" + uuid()
	list := `"attachments":[{"attachmentArn":"` + attachment + `","status":"ATTACHED"}]}`
	s.is("attachment", s.change(a, "SubmitTaskStateChange", `{"cluster":"`+s.cluster+`","task":"`+task+`",`+list), "")
	s.is("instance's attachment", s.change(a, "SubmitAttachmentStateChanges", `{"cluster":"`+s.cluster+`",`+list), "")
	s.is("lastStatus", at(s.described(task), "lastStatus"), "RUNNING")
}

func reportOlder(s *stage) {
	a := s.connected()
	task := s.task(a)
	s.is("error", s.change(a, "SubmitContainerStateChange", `{"cluster":"`+s.cluster+`","task":"`+task+`","containerName":"c","status":"RUNNING","runtimeId":"r",`+
		`"networkBindings":[{"bindIP":"0.0.0.0","containerPort":80,"hostPort":32768,"protocol":"tcp"}]}`), "")
	x := s.described(task)
	s.is("container", at(x, "containers", 0, "lastStatus"), "RUNNING")
	s.is("task", at(x, "lastStatus"), "PENDING")
	s.is("unknown", s.change(a, "SubmitContainerStateChange", `{"cluster":"`+s.cluster+`","task":"`+strings.Repeat("0", 32)+`","containerName":"c","status":"STOPPED","exitCode":1}`), "")
}

func reportAnother(s *stage) {
	a, b := s.connected(), s.connected()
	task := s.task(a)
	body := TaskChange{Cluster: s.cluster, Task: task, Status: "STOPPED"}.Body()
	s.is("error", s.change(b, "SubmitTaskStateChange", string(body.JSON(As))), "AccessDeniedException")
	s.is("lastStatus", at(s.described(task), "lastStatus"), "PENDING")
}

// reportWrong: the agent drops a report that is an InvalidParameterException; anything else it would repeat for ever.
func reportWrong(s *stage) {
	a := s.connected()
	task := s.task(a)
	for _, body := range []string{
		`{"cluster":"` + s.cluster + `","task":"` + task + `","status":"CREATED"}`,
		`{"cluster":"` + s.cluster + `","task":"` + task + `","status":"RUNNING","containers":[{"containerName":"c","status":"RESOURCES_PROVISIONED"}]}`,
		`{"cluster":"` + s.cluster + `","task":"arn:aws:ecs:us-east-1:` + testAccount + `:service/x","status":"RUNNING"}`,
		`{"cluster":"` + s.cluster + `","status":"RUNNING"}`,
	} {
		s.is(body, s.change(a, "SubmitTaskStateChange", body), "InvalidParameterException")
	}
	s.is("a container of another name", s.change(a, "SubmitTaskStateChange", `{"cluster":"`+s.cluster+`","task":"`+task+
		`","status":"RUNNING","containers":[{"containerName":"nobody","status":"STOPPED","exitCode":1}]}`), "")
	s.is("lastStatus", at(s.described(task), "lastStatus"), "RUNNING")
}
