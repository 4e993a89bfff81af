package agent

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/acsproto"
	"berth/internal/ecs"
)

// Prefixes of capability attributes.
const (
	capability    = "com.amazonaws.ecs.capability."
	ecsCapability = "ecs.capability."
)

// abilities are what an agent was given to work with, besides its engine.
type abilities struct {
	groups, ports, pause, routers, network, logs, secrets, registries, files, sessions, front bool
	underlay                                                                                  string
}

func (a *Agent) abilities() abilities {
	return abilities{groups: a.Groups != nil, ports: a.Ports != nil, pause: a.Pause != nil, routers: a.Routers != nil, network: a.Network != nil, logs: a.Logs != nil, secrets: a.Secrets != nil, registries: a.Registries != nil, files: a.EnvironmentFiles != nil, sessions: a.Sessions != nil, front: a.Front != nil,
		underlay: a.Underlay}
}

// awsvpc says whether tasks can have a network interface: it takes a pause container.
func (a abilities) awsvpc() bool { return a.network && a.pause }

// attributes are what an instance can do, and what it is. An attribute is there only if this agent acts on it. Custom attributes are sent
// at the first registration only: afterwards they are the control plane's.
func attributes(c InstanceConfig, m Machine, can abilities, first bool) (list []types.Attribute) {
	add := func(name, value string) {
		list = append(list, types.Attribute{Name: aws.String(name), Value: stringOrNil(value)})
	}
	if first {
		for _, name := range slices.Sorted(maps.Keys(c.Attributes)) {
			add(name, c.Attributes[name])
		}
	}
	for _, name := range capabilities(m, can) {
		add(name, "")
	}
	if c.External {
		add(ecsCapability+"external", "")
	}
	add("ecs.os-type", "linux")
	add("ecs.os-family", "LINUX")
	add("ecs.os-type-detailed", "LINUX")
	add("ecs.cpu-architecture", m.Architecture)
	if c.Zone != "" {
		add("ecs.availability-zone", c.Zone)
	}
	if can.awsvpc() {
		add(ecs.AttributeVPC, "")
		add(ecs.AttributeInterfaces, strconv.Itoa(cmp.Or(c.Interfaces, defaultInterfaces)))
		if can.underlay != "" {
			add(ecs.AttributeUnderlay, can.underlay)
		}
	}
	if can.sessions {
		add(ecs.AttributeExec, "")
		add(ecsCapability+"execute-command", "")
	}
	if c.Member != "" {
		add(ecs.AttributeMember, c.Member)
	}
	if c.HostAddress != "" {
		add("berth.host-address", c.HostAddress)
	}
	return list
}

func capabilities(m Machine, can abilities) []string {
	list := []string{capability + "privileged-container"}
	for minor := 17; minor <= 32; minor++ {
		if v := fmt.Sprintf("1.%d", minor); serves(m, minor) && v != "1.26" && v != "1.27" && v != "1.31" {
			list = append(list, capability+"docker-remote-api."+v)
		}
	}
	for _, d := range logDrivers(m) {
		list = append(list, capability+"logging-driver."+d)
	}
	if can.logs { // whatever the engine has: it is the agent who sends them
		list = append(list, capability+"logging-driver."+awslogsDriver, ecsCapability+"execution-role-awslogs")
	}
	if can.secrets {
		for _, store := range []string{acsproto.ProviderSecretsManager, acsproto.ProviderParameterStore} {
			list = append(list, ecsCapability+"secrets."+store+".environment-variables", ecsCapability+"secrets."+store+".bootstrap.log-driver")
		}
	}
	if can.files {
		list = append(list, ecsCapability+"env-files.s3")
	}
	if can.registries {
		list = append(list, capability+"ecr-auth", ecsCapability+"execution-role-ecr-pull", ecsCapability+"private-registry-authentication.secretsmanager")
	}
	for _, o := range []string{"selinux", "apparmor"} {
		if slices.Contains(m.SecurityOptions, o) {
			list = append(list, capability+o)
		}
	}
	if can.groups {
		list = append(list, ecsCapability+"task-cpu-mem-limit", ecsCapability+"increased-task-cpu-limit")
	}
	list = append(list, ecsCapability+"container-health-check", ecsCapability+"container-ordering", ecsCapability+"container-restart-policy",
		ecsCapability+"full-sync")
	if can.front { // containers find their credentials there
		list = append(list, capability+"task-iam-role", capability+"task-iam-role-network-host")
	}
	if can.ports {
		list = append(list, ecsCapability+"network.container-port-range")
	}
	if can.awsvpc() {
		list = append(list, ecsCapability+"task-eni", ecsCapability+"extensible-ephemeral-storage")
	}
	if can.pause {
		list = append(list, ecsCapability+"pid-ipc-namespace-sharing")
	}
	if can.routers && slices.Contains(m.LogDrivers, "fluentd") {
		list = append(list, capability+"logging-driver."+firelensDriver, ecsCapability+"firelens.fluentd", ecsCapability+"firelens.fluentbit",
			ecsCapability+"firelens.options.config.file", ecsCapability+"logging-driver.awsfirelens.log-driver-buffer-limit")
	}
	for _, d := range slices.Sorted(slices.Values(m.VolumeDrivers)) {
		list = append(list, ecsCapability+"docker-plugin."+strings.ReplaceAll(d, ":", "."))
	}
	return list
}

// serves says whether an engine serves API version 1.minor, or takes what was made for it: all newer engines do.
func serves(m Machine, minor int) bool {
	major, rest, ok := strings.Cut(m.APIVersion, ".")
	n, err := strconv.Atoi(rest)
	return ok && err == nil && (major != "1" || minor <= n)
}

// logDrivers are those of ECS that the engine has and that can work here: awslogs is the agent's own (Logs).
func logDrivers(m Machine) (list []string) {
	for _, d := range []string{"fluentd", "gelf", "journald", "json-file", "logentries", "splunk", "sumologic", "syslog"} {
		if slices.Contains(m.LogDrivers, d) {
			list = append(list, d)
		}
	}
	return append(list, "none")
}
