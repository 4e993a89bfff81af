package agentwire

// Registration is what the agent says of its machine.
type Registration struct {
	Cluster, Token, Instance    string // Instance is empty on the first start
	CPU, Memory                 int
	Ports, PortsUDP, GPUs       []string
	Custom                      Object // ECS_INSTANCE_ATTRIBUTES, names and values: sent at the first registration only
	Capabilities                []string
	Values                      Object // attributes with a value
	Tags                        Object
	Document, DocumentSignature string // of EC2; empty in external mode
	NeuronCores                 []string
}

// NewRegistration is the first registration of an external instance with 2 CPUs, as captured.
func NewRegistration(cluster string) Registration {
	return Registration{
		Cluster: cluster, Token: uuid(), CPU: 2048, Memory: 24105, Ports: []string{"22", "2375", "2376", "51678", "51679"}, PortsUDP: []string{},
		Capabilities: Capabilities(), Values: Object{
			{"ecs.os-type", "linux"}, {"ecs.os-family", "LINUX"}, {"ecs.os-type-detailed", "LINUX"}, {"ecs.cpu-architecture", "x86_64"},
		},
	}
}

// Body is the body of RegisterContainerInstance.
func (r Registration) Body() Object {
	o := Object{{"cluster", r.Cluster}, {"clientToken", r.Token}}
	if r.Instance != "" {
		o = append(o, Member{"containerInstanceArn", r.Instance})
	}
	o = append(o, Member{"instanceIdentityDocument", r.Document}, Member{"instanceIdentityDocumentSignature", r.DocumentSignature})
	resources := []Object{
		{{"name", "CPU"}, {"type", "INTEGER"}, {"integerValue", r.CPU}},
		{{"name", "MEMORY"}, {"type", "INTEGER"}, {"integerValue", r.Memory}},
		{{"name", "PORTS"}, {"type", "STRINGSET"}, {"stringSetValue", r.Ports}},
		{{"name", "PORTS_UDP"}, {"type", "STRINGSET"}, {"stringSetValue", r.PortsUDP}},
	}
	if len(r.NeuronCores) > 0 {
		resources = append(resources, Object{{"name", "NEURON_CORES"}, {"type", "STRINGSET"}, {"stringSetValue", r.NeuronCores}})
	}
	o = append(o, Member{"totalResources", resources}, Member{"attributes", r.attributes()})
	if len(r.Tags) > 0 {
		o = append(o, Member{"tags", pairs(r.Tags, "key")})
	}
	var devices []Object
	for _, id := range r.GPUs {
		devices = append(devices, Object{{"id", id}, {"type", "GPU"}})
	}
	if len(devices) > 0 {
		o = append(o, Member{"platformDevices", devices})
	}
	return o
}

// attributes are all, in the agent's order: custom ones before the capabilities, values at the end.
func (r Registration) attributes() []Object {
	out := pairs(r.Custom, "name")
	for _, c := range r.Capabilities {
		out = append(out, Object{{"name", c}})
	}
	return append(out, pairs(r.Values, "name")...)
}

// Attributes are the names and values that the agent must get back, or it gives up.
func (r Registration) Attributes() map[string]string {
	out := map[string]string{}
	for _, list := range []Object{r.Custom, r.Values} {
		for _, m := range list {
			out[m.Name] = m.Value.(string)
		}
	}
	for _, c := range r.Capabilities {
		out[c] = ""
	}
	return out
}

func pairs(o Object, name string) []Object {
	out := []Object{}
	for _, m := range o {
		out = append(out, Object{{name, m.Name}, {"value", m.Value}})
	}
	return out
}

// Capabilities are those of an external agent on Docker 20.10 with task roles, the common log drivers and execution role overrides.
func Capabilities() []string {
	const p, q = "com.amazonaws.ecs.capability.", "ecs.capability."
	out := []string{p + "privileged-container"}
	for _, v := range []string{"17", "18", "19", "20", "21", "22", "23", "24", "25", "28", "29", "30", "32"} {
		out = append(out, p+"docker-remote-api.1."+v)
	}
	for _, d := range []string{"json-file", "syslog", "awslogs", "fluentd", "none"} {
		out = append(out, p+"logging-driver."+d)
	}
	for _, c := range []string{"selinux", "apparmor", "task-iam-role", "task-iam-role-network-host", "ecr-auth", "logging-driver.awsfirelens"} {
		out = append(out, p+c)
	}
	for _, c := range []string{
		"execution-role-ecr-pull", "ecr-endpoint", "execution-role-awslogs", "task-cpu-mem-limit", "increased-task-cpu-limit", "container-health-check",
		"container-ordering", "container-restart-policy", "full-sync", "env-files.s3", "network.container-port-range",
		"private-registry-authentication.secretsmanager", "secrets.ssm.environment-variables", "secrets.asm.environment-variables",
		"secrets.ssm.bootstrap.log-driver", "secrets.asm.bootstrap.log-driver", "docker-plugin.local", "efs", "efsAuth", "storage.s3-files",
		"firelens.fluentd", "firelens.fluentbit", "firelens.options.config.file", "firelens.options.config.s3", "firelens.non-root-user",
		"logging-driver.awsfirelens.log-driver-buffer-limit", "external", "gmsa", "gmsa-domainless", "ipv6-only",
	} {
		out = append(out, q+c)
	}
	return out
}
