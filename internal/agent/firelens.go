package agent

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/moby/moby/api/types/container"

	"berth/internal/acsproto"
	"berth/internal/arn"
)

// FireLens: one container of the task is its log router, Fluentd or Fluent Bit. The agent writes the router's configuration, and has the
// engine log for the others, with its driver fluentd, into the router's socket.

// Routers keeps the files of tasks' log routers on the machine.
type Routers interface {
	// Files are where a task's are.
	Files(task string) RouterFiles
	// Prepare writes a router's configuration, and makes the directory of its socket.
	Prepare(task string, config []byte) error
	// Remove removes a task's files. None is no error.
	Remove(task string) error
}

// RouterFiles are paths on the machine.
type RouterFiles struct {
	Config string // the router's configuration
	Socket string // the directory of its socket, writable for its user
}

const (
	firelensDriver = "awsfirelens"
	routerSocket   = "fluent.sock"
	socketFolder   = "/var/run" // where the socket's directory is in the router
	routerPort     = "24224"    // where it takes lines over the network
)

// routerKind is what differs between the two programs.
type routerKind struct {
	variable func(name string) string                                  // a value that is a variable of the router's environment
	config   string                                                    // path of the configuration in the container
	text     func(r *Record, o acsproto.Container, to []routed) string // the configuration
}

func routerKinds() map[string]routerKind {
	return map[string]routerKind{
		"fluentbit": {func(name string) string { return "${" + name + "}" }, "/fluent-bit/etc/fluent-bit.conf", fluentBitConfig},
		"fluentd":   {func(name string) string { return `"#{ENV['` + name + `']}"` }, "/fluentd/etc/fluent.conf", fluentdConfig},
	}
}

// routed is a container that logs through the router, and the options of its output.
type routed struct {
	name    string
	options map[string]string
}

// tag is that of a container's log lines, without the task.
func (r routed) tag() string { return r.name + "-firelens" }

// output are the options of the router's output: not those that are the agent's own.
func (r routed) output() map[string]string {
	out := maps.Clone(r.options)
	maps.DeleteFunc(out, func(k, _ string) bool {
		return slices.Contains([]string{"include-pattern", "exclude-pattern", "log-driver-buffer-limit"}, k)
	})
	return out
}

// routerOf is the task's log router, nil where it has none.
func routerOf(t acsproto.Task) *acsproto.Container {
	for i := range t.Containers {
		if t.Containers[i].Firelens != nil {
			return &t.Containers[i]
		}
	}
	return nil
}

// routedLogs says whether a container logs through the router, and with which options.
func routedLogs(c acsproto.Container) (options map[string]string, is bool, err error) {
	var host container.HostConfig
	if err := overlay(&host, c.DockerConfig.HostConfig); err != nil {
		return nil, false, fmt.Errorf("read dockerConfig.hostConfig: %w", err)
	}
	return host.LogConfig.Config, host.LogConfig.Type == firelensDriver, nil
}

// withRouter checks a task's log router, and has those wait for it that log through it.
func withRouter(t acsproto.Task) (acsproto.Task, error) {
	router, list := routerOf(t), []acsproto.Container{}
	for _, c := range t.Containers {
		if c.Firelens != nil && (c.Name != router.Name || routerKinds()[c.Firelens.Type].config == "") {
			return t, fmt.Errorf("container %s: a task has one log router, of type fluentd or fluentbit", c.Name)
		}
		options, is, err := routedLogs(c)
		if err != nil {
			return t, fmt.Errorf("container %s: %w", c.Name, err)
		}
		if is && (router == nil || c.Name == router.Name) {
			return t, fmt.Errorf("container %s logs to %s, and no other container is a log router", c.Name, firelensDriver)
		}
		for k, v := range options {
			if is && strings.ContainsAny(k+v, "\r\n") {
				return t, fmt.Errorf("container %s: log option %q has more than one line", c.Name, k)
			}
		}
		if is {
			c.DependsOn = append([]acsproto.DependsOn{{ContainerName: router.Name, Condition: "START"}}, c.DependsOn...)
		}
		list = append(list, c)
	}
	t.Containers = list
	return t, nil
}

// routerConfig is the configuration of the task's log router, nil where it has none.
func routerConfig(r *Record) []byte {
	router := routerOf(r.Task)
	if router == nil {
		return nil
	}
	kind := routerKinds()[router.Firelens.Type]
	var list []routed
	for n, c := range r.Task.Containers {
		if options, is, err := routedLogs(c); is && err == nil {
			list = append(list, routed{c.Name, withSecretOptions(options, n, c, kind.variable)})
		}
	}
	return []byte(kind.text(r, *router, list))
}

// routing sets what a task's log router makes of a container: the router's own mounts, or another's log driver, and where it reaches the router
// itself on the bridge.
func routing(r *Record, c acsproto.Container, at place, config *container.Config, host *container.HostConfig) {
	if c.Firelens != nil {
		host.Binds = append(host.Binds, at.Router.Config+":"+routerKinds()[c.Firelens.Type].config+":ro", at.Router.Socket+":"+socketFolder)
	}
	if host.LogConfig.Type != firelensDriver {
		return
	}
	if r.Network == "bridge" && at.RouterIP != "" {
		setVariable(config, "FLUENT_HOST", at.RouterIP)
		setVariable(config, "FLUENT_PORT", routerPort)
	}
	to := routed{c.Name, host.LogConfig.Config}
	host.LogConfig = container.LogConfig{Type: "fluentd", Config: map[string]string{
		"fluentd-address": "unix://" + at.Router.Socket + "/" + routerSocket, "fluentd-sub-second-precision": "true",
		"tag": to.tag() + "-" + arn.Task(r.Task.ARN).ID(), at.AsyncOption(): "true",
	}}
	if limit := to.options["log-driver-buffer-limit"]; limit != "" {
		host.LogConfig.Config["fluentd-buffer-limit"] = limit
	}
}

// ecsMetadata is what a router adds to each line, empty where it is told not to.
func ecsMetadata(r *Record, o acsproto.Container) [][2]string {
	if o.Firelens.Options["enable-ecs-log-metadata"] == "false" {
		return nil
	}
	return [][2]string{{"ecs_cluster", r.Task.Cluster}, {"ecs_task_arn", r.Task.ARN}, {"ecs_task_definition", r.Task.Family + ":" + r.Task.Version}}
}

// section writes a part of Fluent Bit's configuration.
func section(b *strings.Builder, name string, entries ...[2]string) {
	fmt.Fprintf(b, "[%s]\n", name)
	for _, e := range entries {
		fmt.Fprintf(b, "    %s %s\n", e[0], e[1])
	}
	b.WriteByte('\n')
}

func fluentBitConfig(r *Record, o acsproto.Container, to []routed) string {
	var b strings.Builder
	section(&b, "INPUT", [2]string{"Name", "forward"}, [2]string{"unix_path", socketFolder + "/" + routerSocket})
	section(&b, "INPUT", [2]string{"Name", "forward"}, [2]string{"Listen", "0.0.0.0"}, [2]string{"Port", routerPort})
	for _, t := range to {
		for _, rule := range [][2]string{{"include-pattern", "Regex"}, {"exclude-pattern", "Exclude"}} {
			if p := t.options[rule[0]]; p != "" {
				section(&b, "FILTER", [2]string{"Name", "grep"}, [2]string{"Match", t.tag() + "*"}, [2]string{rule[1], "log " + p})
			}
		}
	}
	if meta := ecsMetadata(r, o); len(meta) > 0 {
		entries := [][2]string{{"Name", "record_modifier"}, {"Match", "*"}}
		for _, m := range meta {
			entries = append(entries, [2]string{"Record", m[0] + " " + m[1]})
		}
		section(&b, "FILTER", entries...)
	}
	if file := o.Firelens.Options["config-file-value"]; file != "" {
		b.WriteString("@INCLUDE " + file + "\n\n")
	}
	for _, t := range to {
		out := t.output()
		if out["Name"] == "" {
			continue // the included file says where its lines go
		}
		entries := [][2]string{{"Name", out["Name"]}, {"Match", t.tag() + "*"}}
		for _, k := range slices.Sorted(maps.Keys(out)) {
			if k != "Name" {
				entries = append(entries, [2]string{k, out[k]})
			}
		}
		section(&b, "OUTPUT", entries...)
	}
	return b.String()
}

// directive writes a part of Fluentd's configuration.
func directive(b *strings.Builder, name, pattern string, lines ...string) {
	fmt.Fprintf(b, "<%s>\n", strings.TrimSpace(name+" "+pattern))
	for _, l := range lines {
		b.WriteString("  " + l + "\n")
	}
	fmt.Fprintf(b, "</%s>\n\n", name)
}

func fluentdConfig(r *Record, o acsproto.Container, to []routed) string {
	var b strings.Builder
	directive(&b, "source", "", "@type unix", "path "+socketFolder+"/"+routerSocket)
	directive(&b, "source", "", "@type forward", "bind 0.0.0.0", "port "+routerPort)
	for _, t := range to {
		for _, rule := range [][2]string{{"include-pattern", "regexp"}, {"exclude-pattern", "exclude"}} {
			if p := t.options[rule[0]]; p != "" {
				directive(&b, "filter", t.tag()+"**", "@type grep", "<"+rule[1]+">", "  key log", "  pattern "+p, "</"+rule[1]+">")
			}
		}
	}
	if meta := ecsMetadata(r, o); len(meta) > 0 {
		lines := []string{"@type record_transformer", "<record>"}
		for _, m := range meta {
			lines = append(lines, "  "+m[0]+" "+m[1])
		}
		directive(&b, "filter", "**", append(lines, "</record>")...)
	}
	if file := o.Firelens.Options["config-file-value"]; file != "" {
		b.WriteString("@include " + file + "\n\n")
	}
	for _, t := range to {
		out := t.output()
		if out["@type"] == "" {
			continue
		}
		lines := []string{"@type " + out["@type"]}
		for _, k := range slices.Sorted(maps.Keys(out)) {
			if k != "@type" {
				lines = append(lines, k+" "+out[k])
			}
		}
		directive(&b, "match", t.tag()+"**", lines...)
	}
	return b.String()
}
