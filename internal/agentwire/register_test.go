package agentwire

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

func registering() []statement {
	return []statement{
		{"RegisterEchoesAttributes", registerEchoes},
		{"RegisterTakesAnyMemberOrder", registerOrders},
		{"RegisterResources", registerResources},
		{"RegisterOnEC2", registerOnEC2},
		{"RegisterTokenIsIdempotent", registerToken},
		{"RegisterAgainKeepsWhatIsKept", registerAgain},
		{"RegisterAgainWithLess", registerLess},
		{"RegisterRepeatedCapability", registerRepeated},
		{"RegisterRefusals", registerRefusals},
		{"RegisterByClusterARN", registerByARN},
		{"RegisterAfterDeregistration", registerAfterDeregistration},
		{"RegisterWithTheAdministratorsKey", registerAdmin},
		{"Discover", discover},
		{"CallErrors", callErrors},
		{"CallHeaderCasing", callCasing},
	}
}

func (s *stage) newAgent() *Agent {
	a := NewAgent(s.w.client(s.T, s.w.join(s.T, s.cluster)), s.cluster)
	s.Cleanup(a.Drop)
	return a
}

func (s *stage) exit(err error, code int, text string) {
	s.Helper()
	var e *Exit
	if !errors.As(err, &e) || e.Code != code || !strings.Contains(e.Why, text) {
		s.Errorf("got %v, want exit %d with %q", err, code, text)
	}
}

func registerEchoes(s *stage) {
	a, r := s.newAgent(), NewRegistration(s.cluster)
	r.Custom = Object{{"rack", "7"}, {"stack", "blue"}}
	r.Tags = Object{{"k", "v"}}
	s.ok(a.Register(r)) // compares every attribute as the agent does
	i := s.instance(a)
	s.is("status", at(i, "status"), "ACTIVE")
	s.is("agentConnected", at(i, "agentConnected"), false)
	s.is("tags", at(i, "tags"), "[map[key:k value:v]]")
	for _, x := range at(i, "attributes").([]any) {
		if at(x, "name") == "ecs.availability-zone" {
			s.Errorf("an external instance is in the zone %v", at(x, "value"))
		}
	}
	if id := fmt.Sprint(at(i, "ec2InstanceId")); !strings.HasPrefix(id, "mi-") {
		s.Errorf("the external instance's ec2InstanceId is %s", id)
	}
	id := a.Instance[strings.LastIndexByte(a.Instance, '/')+1:]
	if want := ":container-instance/" + s.cluster + "/" + id; !strings.HasSuffix(a.Instance, want) || len(id) != 32 || strings.Trim(id, "0123456789abcdef") != "" {
		s.Errorf("the ARN is %s", a.Instance)
	}
}

func registerOrders(s *stage) {
	for _, order := range []Order{As, Alphabetical, Reversed} {
		a, r := s.newAgent(), NewRegistration(s.cluster)
		r.Custom = Object{{"rack", "7"}}
		s.ok(a.RegisterBytes(r, r.Body().JSON(order)))
	}
}

func registerResources(s *stage) {
	a, r := s.newAgent(), NewRegistration(s.cluster)
	r.PortsUDP, r.NeuronCores, r.GPUs = []string{"53"}, []string{"0", "1"}, []string{"GPU-aaaa"}
	s.ok(a.Register(r))
	i := s.instance(a)
	for _, list := range []string{"registeredResources", "remainingResources"} {
		s.is(list+" CPU", resource(i, list, "CPU"), "2048")
		s.is(list+" MEMORY", resource(i, list, "MEMORY"), "24105")
		s.is(list+" PORTS", resource(i, list, "PORTS"), "[22 2375 2376 51678 51679]")
		s.is(list+" PORTS_UDP", resource(i, list, "PORTS_UDP"), "[53]")
		s.is(list+" GPU", resource(i, list, "GPU"), "[GPU-aaaa]")
	}
}

const document = `{"instanceId":"i-0123456789abcdef0","instanceType":"m5.large","region":"us-east-1","availabilityZone":"us-east-1c",` +
	`"accountId":"123456789012","architecture":"x86_64","privateIp":"10.0.0.7","version":"2017-09-30"}`

func onEC2(cluster string) Registration {
	r := NewRegistration(cluster)
	r.Document, r.DocumentSignature = document, "c2lnbmF0dXJl"
	r.Values = Object{{"ecs.os-type", "linux"}, {"ecs.os-family", "LINUX"}, {"ecs.os-type-detailed", "LINUX"}, {"ecs.vpc-id", "vpc-1"},
		{"ecs.subnet-id", "subnet-1"}, {"ecs.capability.cni-plugin-version", "55ddcd3a-2023.06.0"}}
	external := func(c string) bool { return c == "ecs.capability.external" }
	r.Capabilities = append(slices.DeleteFunc(r.Capabilities, external), "ecs.capability.task-eni", "ecs.capability.task-eni-block-instance-metadata")
	return r
}

func registerOnEC2(s *stage) {
	a := s.newAgent()
	s.ok(a.Register(onEC2(s.cluster)))
	i := s.instance(a)
	s.is("ec2InstanceId", at(i, "ec2InstanceId"), "i-0123456789abcdef0")
	got := map[any]any{}
	for _, x := range at(i, "attributes").([]any) {
		got[at(x, "name")] = at(x, "value")
	}
	for name, want := range map[string]string{
		"ecs.availability-zone": "us-east-1c", "ecs.instance-type": "m5.large", "ecs.cpu-architecture": "x86_64", "ecs.vpc-id": "vpc-1",
	} {
		s.is(name, got[name], want)
	}
	b, r := s.restarted(a), onEC2(s.cluster)
	r.Instance, r.Document = a.Instance, strings.Replace(document, "m5.large", "m5.xlarge", 1)
	s.exit(b.Register(r), 5, "Container instance type changes are not supported.")
}

func registerToken(s *stage) {
	a, r := s.newAgent(), NewRegistration(s.cluster)
	s.ok(a.Register(r))
	first := a.Instance
	s.ok(a.Register(r)) // the answer was lost
	s.is("instance", a.Instance, first)
	out := s.ask("ListContainerInstances", Object{{"cluster", s.cluster}})
	s.is("instances", at(out, "containerInstanceArns"), "["+first+"]")
}

func registerAgain(s *stage) {
	a, r := s.newAgent(), NewRegistration(s.cluster)
	r.Custom, r.Tags = Object{{"rack", "7"}}, Object{{"k", "v"}}
	s.ok(a.Register(r))
	s.ok(a.Discover())
	s.connect(a)
	task := s.task(a)
	s.running(a, task)
	s.ask("UpdateContainerInstancesState", Object{{"cluster", s.cluster}, {"containerInstances", []string{a.Instance}}, {"status", "DRAINING"}})
	b, again := s.restarted(a), NewRegistration(s.cluster) // a new clientToken, no custom attributes, no tags
	again.Instance, again.CPU, again.Ports = a.Instance, 4096, []string{"22"}
	again.Capabilities = again.Capabilities[1:]
	b.Version, b.Docker = "1.105.2", "27.0.1"
	s.ok(b.Register(again))
	s.is("instance", b.Instance, a.Instance)
	s.connect(b)
	i := s.instance(b)
	s.is("status", at(i, "status"), "DRAINING")
	s.is("tags", at(i, "tags"), "[map[key:k value:v]]")
	s.is("CPU", resource(i, "registeredResources", "CPU"), "4096")
	s.is("remaining CPU", resource(i, "remainingResources", "CPU"), "3968")
	s.is("PORTS", resource(i, "registeredResources", "PORTS"), "[22]")
	s.is("versionInfo", at(i, "versionInfo"), "map[agentHash:a8b3e7d3 agentVersion:1.105.2 dockerVersion:DockerVersion: 27.0.1]")
	names := fmt.Sprint(at(i, "attributes"))
	if !strings.Contains(names, "name:rack") {
		s.Error("the custom attribute is lost")
	}
	if strings.Contains(names, "privileged-container") {
		s.Error("a capability that is gone is kept")
	}
	s.is("the task", at(s.described(task), "lastStatus"), "RUNNING")
}

func registerLess(s *stage) {
	a := s.connected()
	task := s.task(a)
	s.running(a, task)
	b, r := s.restarted(a), NewRegistration(s.cluster)
	r.Instance, r.CPU, r.Memory = a.Instance, 64, 32 // less than the task holds
	s.ok(b.Register(r))
	m := s.connect(b)
	s.is("the manifest's tasks", len(m.Listed), 1)
	s.is("the task", at(s.described(task), "lastStatus"), "RUNNING")
	out := s.ask("StartTask", Object{{"cluster", s.cluster}, {"taskDefinition", s.definition(nil)}, {"containerInstances", []string{a.Instance}}})
	s.is("tasks placed where there is no room", len(at(out, "tasks").([]any)), 0)
}

// registerRepeated: a driver in ECS_AVAILABLE_LOGGING_DRIVERS that the agent adds by itself as well comes twice.
func registerRepeated(s *stage) {
	a, r := s.newAgent(), NewRegistration(s.cluster)
	r.Capabilities = append(r.Capabilities, "com.amazonaws.ecs.capability.logging-driver.awsfirelens")
	s.ok(a.Register(r))
	if n := strings.Count(fmt.Sprint(at(s.instance(a), "attributes")), "name:com.amazonaws.ecs.capability.logging-driver.awsfirelens"); n != 1 {
		s.Errorf("the capability is there %d times", n)
	}
}

func registerRefusals(s *stage) {
	a := s.newAgent()
	r := NewRegistration("nobody-" + s.cluster)
	s.exit(a.Register(r), 1, "") // ClusterNotFoundException, or AccessDeniedException for the key of another cluster
	r = NewRegistration(s.cluster)
	r.Instance = "arn:aws:ecs:us-east-1:" + testAccount + ":container-instance/" + s.cluster + "/" + strings.Repeat("0", 32)
	s.exit(a.Register(r), 5, "ClientException")
	s.ok(a.Register(NewRegistration(s.cluster)))
	s.ask("DeregisterContainerInstance", Object{{"cluster", s.cluster}, {"containerInstance", a.Instance}})
	r.Instance = a.Instance
	s.exit(a.Register(r), 5, "ClientException")

	admin := NewAgent(s.admin, "nobody-"+s.cluster)
	s.exit(admin.Register(NewRegistration("nobody-"+s.cluster)), 1, "ClusterNotFoundException")
}

func registerByARN(s *stage) {
	arn := string(scope.Cluster(s.cluster))
	a := s.newAgent()
	a.Cluster = arn
	s.ok(a.Register(NewRegistration(arn)))
	s.ok(a.Discover())
	s.connect(a)
	s.is("agentConnected", at(s.instance(a), "agentConnected"), true)
	task := s.task(a)
	s.running(a, task)
	s.is("the task", at(s.described(task), "lastStatus"), "RUNNING")
}

// registerAdmin: ECS_CLUSTER and an operator's keys are all that the agent needs; two machines with the same keys are two instances.
func registerAdmin(s *stage) {
	a, b := NewAgent(s.w.client(s.T, s.w.admin), s.cluster), NewAgent(s.w.client(s.T, s.w.admin), s.cluster)
	for _, x := range []*Agent{a, b} {
		s.Cleanup(x.Drop)
		r := NewRegistration(s.cluster)
		s.ok(x.Register(r))
		first := x.Instance
		s.ok(x.Register(r)) // the clientToken makes it one instance
		s.is("instance", x.Instance, first)
		s.connect(x)
	}
	if a.Instance == b.Instance {
		s.Error("two machines are one instance")
	}
	for _, x := range []*Agent{a, b} {
		s.is("agentConnected", at(s.instance(x), "agentConnected"), true)
		s.running(x, s.task(x))
	}
}

func discover(s *stage) {
	a := s.agent()
	acs, tcs := a.Endpoint, a.TelemetryEndpoint
	s.is("endpoint", acs, "http://"+s.w.host+"/acs/")
	s.is("telemetryEndpoint", tcs, "http://"+s.w.host+"/tcs/")
	s.ok(a.Discover())
	if a.Endpoint != acs || a.TelemetryEndpoint != tcs {
		s.Errorf("the endpoints change: %s %s", a.Endpoint, a.TelemetryEndpoint)
	}
	a.Endpoint = strings.TrimSuffix(acs, "/") // the agent adds it
	s.connect(a)
}

func callErrors(s *stage) {
	a := s.agent()
	body := Object{{"cluster", s.cluster}, {"containerInstance", a.Instance}}.JSON(As)
	for _, x := range []struct {
		name   string
		change func(*Client)
		want   string
	}{
		{"wrong secret", func(c *Client) { c.Keys.SecretAccessKey += "x" }, "InvalidSignatureException"},
		{"unknown key", func(c *Client) { c.Keys.AccessKeyID = "AKIAUNKNOWN234567ABC" }, "UnrecognizedClientException"},
		{"a token that its key has not", func(c *Client) { c.Keys.SessionToken = "token" }, "UnrecognizedClientException"},
		{"clock behind", func(c *Client) { c.Skew = -skewed }, "InvalidSignatureException"},
		{"clock ahead", func(c *Client) { c.Skew = skewed }, "InvalidSignatureException"},
		{"other region", func(c *Client) { c.Keys.Region = "eu-west-1" }, ""},
	} {
		c := s.w.client(s.T, a.Keys)
		x.change(c)
		answer, err := c.Call("DiscoverPollEndpoint", body)
		s.ok(err)
		if x.want != "" {
			s.is(x.name, answer.Error(), x.want)
			s.is(x.name+": HTTP status", answer.Status, 400)
		}
		s.is(x.name+": content type", answer.Header.Get("Content-Type"), "application/x-amz-json-1.1")
	}
	tampered := s.w.client(s.T, a.Keys)
	answer, err := tampered.Send([]byte(strings.Replace(string(tampered.Request("AmazonEC2ContainerServiceV20141113.DiscoverPollEndpoint", body)),
		`"cluster"`, `"Cluster"`, 1)))
	s.ok(err)
	s.is("a body that was not signed", answer.Error(), "InvalidSignatureException")
}

// registerAfterDeregistration: the operator has wiped the agent's state, so that the machine begins anew under its own credential.
func registerAfterDeregistration(s *stage) {
	a := s.connected()
	s.ask("DeregisterContainerInstance", Object{{"cluster", s.cluster}, {"containerInstance", a.Instance}})
	b := NewAgent(a.Client, s.cluster)
	s.Cleanup(b.Drop)
	s.ok(b.Register(NewRegistration(s.cluster)))
	if b.Instance == a.Instance {
		s.Error("an INACTIVE instance came back")
	}
	s.connect(b)
	s.running(b, s.task(b))
	_, err := a.OpenACS(nil)
	s.is("the old instance", s.refused(err), "AccessDeniedException") // the credential is the new one's
}

// callCasing: names of headers have no case, and an intermediary may rewrite them.
func callCasing(s *stage) {
	a := s.agent()
	request := string(a.Request("AmazonEC2ContainerServiceV20141113.DiscoverPollEndpoint", Object{{"cluster", s.cluster}, {"containerInstance", a.Instance}}.JSON(As)))
	top, body, _ := strings.Cut(request, "\r\n\r\n")
	lines := strings.Split(top, "\r\n")
	for _, change := range []func(string) string{strings.ToLower, strings.ToUpper} {
		changed := []string{lines[0]}
		for _, l := range lines[1:] {
			name, value, _ := strings.Cut(l, ":")
			changed = append(changed, change(name)+":"+value)
		}
		answer, err := a.Send([]byte(strings.Join(changed, "\r\n") + "\r\n\r\n" + body))
		s.ok(err)
		s.is("error", answer.Error(), "")
	}
}
