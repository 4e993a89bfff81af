package agentwire

import (
	"fmt"
	"strings"
	"time"
)

func living() []statement {
	return []statement{
		{"RestartWithState", restartWithState},
		{"RestartOfALostState", restartLost},
		{"DisconnectReplacesNothing", disconnectReplaces},
		{"DrainByTheAgent", drainByAgent},
		{"DrainReplacesServiceTasks", drainReplaces},
		{"UnhealthyTaskIsReplaced", unhealthyReplaced},
		{"StopBeforeDeregister", stopBeforeDeregister},
		{"TagsOfTaskAndInstance", tagsOf},
		{"DefaultCluster", defaultCluster},
		{"TaskProtection", taskProtection},
		{"NoCredentialsWithoutRoles", noCredentials},
		{"TaskWithARoleThatIsNotThere", roleNotAssumed},
		{"StrangersStayOut", strangers},
	}
}

func restartWithState(s *stage) {
	a := s.connected()
	runs, ends, late := s.task(a), s.task(a), s.start(a, s.definition(nil))
	s.running(a, runs)
	s.running(a, ends)
	a.Drop() // SIGTERM: nothing is sent
	delete(a.Tasks, late)
	s.awaitConnected(a, false)
	b := s.restarted(a)
	s.stopped(b, ends) // what happened meanwhile comes before the registration
	r := NewRegistration(s.cluster)
	r.Instance = a.Instance
	s.ok(b.Register(r))
	s.is("instance", b.Instance, a.Instance)
	s.ok(b.Discover())
	m := s.connect(b)
	s.is("the manifest's tasks", len(m.Listed), 2)
	s.told(b, late, "RUNNING") // it was not sent, or not acked
	s.running(b, late)
	s.is("runs", at(s.described(runs), "lastStatus"), "RUNNING")
	s.is("ends", at(s.described(ends), "lastStatus"), "STOPPED")
	s.is("runningTasksCount", at(s.instance(b), "runningTasksCount"), 2)
	s.quiet(b, runs)
}

// restartLost: the state file is gone, but the machine's credential says who it is: its tasks are stopped by the manifest, not run twice.
func restartLost(s *stage) {
	a := s.connected()
	task := s.task(a)
	s.running(a, task)
	a.Drop()
	b := NewAgent(a.Client, s.cluster)
	s.Cleanup(b.Drop)
	s.ok(b.Register(NewRegistration(s.cluster)))
	s.is("instance", b.Instance, a.Instance)
	s.connect(b)
	s.quiet(b, task)
}

// service makes a service of one task and returns its name.
func (s *stage) service(definition string, more ...Member) {
	s.Helper()
	s.ask("CreateService", append(Object{{"cluster", s.cluster}, {"serviceName", "web"}, {"taskDefinition", definition}, {"launchType", "EXTERNAL"},
		{"desiredCount", 1}}, more...))
}

// any steps until the agent was told to run a task that it did not know, and returns its ARN.
func (s *stage) any(a *Agent) string {
	s.Helper()
	for {
		known := map[string]bool{}
		for t := range a.Tasks {
			known[t] = true
		}
		m, err := a.Until("PayloadMessage")
		s.ok(err)
		for _, t := range m.Tasks {
			if !known[t.ARN] && t.DesiredStatus == "RUNNING" {
				return t.ARN
			}
		}
	}
}

func disconnectReplaces(s *stage) {
	a := s.connected()
	s.service(s.definition(nil))
	task := s.any(a)
	s.running(a, task)
	b := s.connected() // there would be room
	a.ACS.Conn.Close()
	s.awaitConnected(a, false)
	s.ask("UpdateService", Object{{"cluster", s.cluster}, {"service", "web"}, {"desiredCount", 2}}) // so that the service is looked at
	other := s.any(b)
	s.running(b, other)
	s.is("the task", at(s.described(task), "desiredStatus"), "RUNNING")
	m := s.connect(a)
	s.is("the manifest's tasks", len(m.Listed), 1)
}

func drainByAgent(s *stage) {
	a := s.connected()
	task := s.task(a)
	s.running(a, task)
	answer, err := a.Call("UpdateContainerInstancesState", Object{{"cluster", s.cluster}, {"containerInstances", []string{a.Instance}}, {"status", "DRAINING"}}.JSON(As))
	s.ok(err)
	s.is("error", answer.Error()+answer.Message(), "")
	s.is("status", at(s.instance(a), "status"), "DRAINING")
	answer, err = s.admin.Call("RunTask", Object{{"cluster", s.cluster}, {"taskDefinition", s.definition(nil)}, {"launchType", "EXTERNAL"}}.JSON(As))
	s.ok(err)
	s.is("placing on a draining instance", answer.Message(), "No Container Instances were found in your cluster.")
	m := s.connect(a)
	s.is("the manifest's tasks", len(m.Listed), 1) // a task of nobody's is left alone
	s.is("status", at(s.instance(a), "status"), "DRAINING")
	s.is("the task", at(s.described(task), "desiredStatus"), "RUNNING")
	s.stopped(a, task)
}

func drainReplaces(s *stage) {
	a := s.connected()
	s.service(s.definition(nil))
	task := s.any(a)
	s.running(a, task)
	b := s.connected()
	s.ask("UpdateContainerInstancesState", Object{{"cluster", s.cluster}, {"containerInstances", []string{a.Instance}}, {"status", "DRAINING"}})
	other := s.any(b)
	s.is("the old task until the new one runs", at(s.described(task), "desiredStatus"), "RUNNING") // minimumHealthyPercent is 100
	s.running(b, other)
	s.told(a, task, "STOPPED")
	s.stopped(a, task)
	s.is("stopCode", at(s.described(task), "stopCode"), "ServiceSchedulerInitiated")
}

func unhealthyReplaced(s *stage) {
	a := s.connected()
	t, err := a.OpenTCS()
	s.ok(err)
	s.service(s.checked())
	task := s.any(a)
	s.running(a, task)
	s.published(t, "PublishHealthRequest", a.Health(time.Now(), task, s.cluster, "c", "HEALTHY"), "AckPublishHealth")
	s.published(t, "PublishHealthRequest", a.Health(time.Now(), task, s.cluster, "c", "UNHEALTHY"), "AckPublishHealth")
	for other := ""; a.Tasks[task].Desired == "RUNNING"; {
		m, err := a.Until("PayloadMessage")
		s.ok(err)
		for _, x := range m.Tasks {
			if x.ARN != task && other == "" {
				other = x.ARN
				s.running(a, other)
				s.published(t, "PublishHealthRequest", a.Health(time.Now(), other, s.cluster, "c", "HEALTHY"), "AckPublishHealth")
			}
		}
	}
	s.stopped(a, task)
}

func stopBeforeDeregister(s *stage) {
	a := s.connected()
	task := s.task(a)
	s.running(a, task)
	body := Object{{"cluster", s.cluster}, {"containerInstance", a.Instance}}
	answer, err := s.admin.Call("DeregisterContainerInstance", body.JSON(As))
	s.ok(err)
	s.is("with a running task", answer.Error(), "InvalidParameterException")
	s.ask("StopTask", Object{{"cluster", s.cluster}, {"task", task}})
	s.told(a, task, "STOPPED")
	s.stopped(a, task)
	s.ask("DeregisterContainerInstance", body)
	s.ended(a.ACS)
	_, err = a.OpenACS(nil)
	s.is("ACS", s.refused(err), "InactiveInstanceException")
}

func tagsOf(s *stage) {
	a, r := s.newAgent(), NewRegistration(s.cluster)
	r.Tags = Object{{"machine", "m1"}}
	s.ok(a.Register(r))
	s.connect(a)
	out := s.ask("StartTask", Object{{"cluster", s.cluster}, {"taskDefinition", s.definition(nil)}, {"containerInstances", []string{a.Instance}},
		{"tags", []Object{{{"key", "team"}, {"value", "blue"}}}}})
	task := fmt.Sprint(at(out, "tasks", 0, "taskArn"))
	s.told(a, task, "RUNNING")
	for resource, want := range map[string]string{task: `{"key":"team","value":"blue"}`, a.Instance: `{"key":"machine","value":"m1"}`} {
		answer, err := a.Call("ListTagsForResource", Object{{"resourceArn", resource}}.JSON(As))
		s.ok(err)
		if answer.Error() != "" || !strings.Contains(string(answer.Body), want) {
			s.Errorf("%s: %s %s", resource, answer.Error(), answer.Body)
		}
	}
	b := s.agent()
	for _, resource := range []string{task, a.Instance} {
		answer, err := b.Call("ListTagsForResource", Object{{"resourceArn", resource}}.JSON(As))
		s.ok(err)
		s.is("another's tags", answer.Error(), "AccessDeniedException")
	}
}

// defaultCluster: without ECS_CLUSTER the agent makes the cluster and registers in it.
func defaultCluster(s *stage) {
	a := NewAgent(s.w.client(s.T, s.w.admin), "default")
	s.Cleanup(a.Drop)
	s.ask("CreateCluster", Object{{"clusterName", "default"}})
	s.ok(a.Register(NewRegistration("default")))
	s.connect(a)
	if !strings.Contains(a.Instance, ":container-instance/default/") {
		s.Errorf("the instance is %s", a.Instance)
	}
	s.ask("DeregisterContainerInstance", Object{{"cluster", "default"}, {"containerInstance", a.Instance}})
}

// taskProtection is signed with a task's own credentials. An instance's key is not enough, for its own tasks neither; who signs with it is told so quickly.
func taskProtection(s *stage) {
	a := s.connected()
	task := s.task(a)
	for operation, more := range map[string]Object{"GetTaskProtection": nil, "UpdateTaskProtection": {{"protectionEnabled", true}, {"expiresInMinutes", 60}}} {
		body := append(Object{{"cluster", s.cluster}, {"tasks", []string{task}}}, more...).JSON(As)
		answer, err := a.Call(operation, body)
		s.ok(err)
		if answer.Status != 400 || answer.Error() != "AccessDeniedException" {
			s.Errorf("%s: %d %s", operation, answer.Status, answer.Body)
		}
	}
}

// noCredentials: Step takes IAMRoleCredentialsMessage, but none comes, and no payload promises any.
func noCredentials(s *stage) {
	a := s.connected()
	task := s.task(a)
	t := a.Tasks[task].Task
	if t.Role != nil || t.ExecutionRole != nil {
		s.Errorf("credentials %+v %+v", t.Role, t.ExecutionRole)
	}
	s.running(a, task)
	b := s.restarted(a) // sendCredentials=true
	m := s.connect(b)
	s.is("the manifest's tasks", len(m.Listed), 1)
	s.quiet(b, task) // Step would have failed at credentials without an id or for an unknown task
}

// roleNotAssumed: a task whose role is not there does not run: without its credentials it would be somebody else.
func roleNotAssumed(s *stage) {
	a := s.connected()
	role := "arn:aws:iam::" + testAccount + ":role/task"
	def := s.definition(func(d, c Object) (Object, Object) { return append(d, Member{"taskRoleArn", role}), c })
	for operation, more := range map[string]Object{"StartTask": {{"containerInstances", []string{a.Instance}}}, "RunTask": {{"launchType", "EXTERNAL"}}} {
		answer, err := s.admin.Call(operation, append(Object{{"cluster", s.cluster}, {"taskDefinition", def}}, more...).JSON(As))
		s.ok(err)
		s.is(operation, answer.Error(), "ClientException")
		if !strings.HasPrefix(answer.Message(), "ECS was unable to assume the role '"+role+"' that was provided for this task.") {
			s.Errorf("%s: %s", operation, answer.Message())
		}
	}
}

// strangers: an instance's credential does what an agent does, and nothing else.
func strangers(s *stage) {
	a, b := s.agent(), s.agent()
	for operation, body := range map[string]Object{
		"DeregisterContainerInstance":   {{"cluster", s.cluster}, {"containerInstance", b.Instance}},
		"UpdateContainerInstancesState": {{"cluster", s.cluster}, {"containerInstances", []string{b.Instance}}, {"status", "DRAINING"}},
		"DiscoverPollEndpoint":          {{"cluster", s.cluster}, {"containerInstance", b.Instance}},
		"RunTask":                       {{"cluster", s.cluster}, {"taskDefinition", "x"}},
		"ListTasks":                     {{"cluster", s.cluster}},
		"DeleteCluster":                 {{"cluster", s.cluster}},
	} {
		answer, err := a.Call(operation, body.JSON(As))
		s.ok(err)
		s.is(operation, answer.Error(), "AccessDeniedException")
	}
	r := NewRegistration(s.cluster)
	r.Instance = b.Instance
	s.exit(a.Register(r), 5, "ClientException")
}
