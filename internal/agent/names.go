package agent

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"

	"berth/internal/acsproto"
	"berth/internal/arn"
)

// A pause container has no network that the engine knows of: it would set that up by two more processes of its own, in as much time as all the rest of a
// start takes. What the engine does for such a network besides, the agent does here: the files by which the task's containers know names, and IPv6, which
// a VPC has not, switched off. The engine gives a container that joins another one's network the same files.

// Names keeps the files by which the containers of a task with a network interface know names, on the machine.
type Names interface {
	// Write writes a task's files, those that are not there yet: containers may have written into them since.
	Write(task string, texts NameTexts) (NameFiles, error)
	// Remove removes a task's files. None is no error.
	Remove(task string) error
}

// NameTexts is what is in the files.
type NameTexts struct {
	Hosts    string // of /etc/hosts
	Resolver string // of /etc/resolv.conf
}

// NameFiles are a task's files. The zero value: there are none, and the engine makes its own.
type NameFiles struct {
	Hosts    string // path on the machine
	Resolver string // path on the machine
	IPv6     bool   // the machine's kernel has IPv6
}

// Where a container has the files.
const (
	hostsFile    = "/etc/hosts"
	resolverFile = "/etc/resolv.conf"
)

// noIPv6 is the kernel parameter that switches IPv6 off in a network namespace.
const noIPv6 = "net.ipv6.conf.all.disable_ipv6"

// localNames is how each hosts file begins, as the engine writes it.
const localNames = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::0\tip6-localnet\nff00::0\tip6-mcastprefix\n" +
	"ff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n"

// nameTexts are the files of a task with an interface: it knows itself by the interface's name, and asks the VPC for all others.
func nameTexts(e acsproto.ElasticNetworkInterface) NameTexts {
	n := NameTexts{Hosts: localNames}
	if e.PrivateDNSName != "" {
		n.Hosts += fmt.Sprintf("%s\t%s %s\n", e.IPv4Addresses[0].PrivateAddress, e.PrivateDNSName, hostname(e))
	}
	if len(e.DomainName) > 0 {
		n.Resolver = "search " + strings.Join(e.DomainName, " ") + "\n"
	}
	for _, s := range e.DomainNameServers {
		n.Resolver += "nameserver " + s + "\n"
	}
	return n
}

// hostname is that of a task with an interface, "" leaves it to the engine.
func hostname(e acsproto.ElasticNetworkInterface) string {
	name, _, _ := strings.Cut(e.PrivateDNSName, ".")
	return name
}

// writeNames has the task's files written for its pause container.
func (t *task) writeNames(name string, at *place) (err error) {
	var texts NameTexts
	needs := false
	t.view(func(r *Record) {
		if needs = t.agent.Names != nil && hidden(name) && r.networked() && len(r.Task.Interfaces) > 0; needs {
			texts = nameTexts(r.Task.Interfaces[0])
		}
	})
	if !needs {
		return nil
	}
	if at.Names, err = t.agent.Names.Write(arn.Task(t.arn).ID(), texts); err != nil {
		return fmt.Errorf("write the task's hosts and resolv.conf: %w", err)
	}
	return nil
}

// removeNames removes the files of a task whose containers are gone.
func (t *task) removeNames() error {
	if t.agent.Names == nil {
		return nil
	}
	if err := t.agent.Names.Remove(arn.Task(t.arn).ID()); err != nil {
		return fmt.Errorf("remove the task's hosts and resolv.conf: %w", err)
	}
	return nil
}

// names gives a pause container the task's files, and leaves its network to the agent. Where there are no files the engine makes its own.
func names(e acsproto.ElasticNetworkInterface, files NameFiles, config *container.Config, host *container.HostConfig) error {
	for _, s := range e.DomainNameServers {
		a, err := netip.ParseAddr(s)
		if err != nil {
			return fmt.Errorf("name server: %w", err)
		}
		host.DNS = append(host.DNS, a)
	}
	config.Hostname = hostname(e)
	if files != (NameFiles{}) {
		host.DNS, config.NetworkDisabled = nil, true
		host.Mounts = []mount.Mount{
			{Type: mount.TypeBind, Source: files.Hosts, Target: hostsFile},
			{Type: mount.TypeBind, Source: files.Resolver, Target: resolverFile},
		}
		if files.IPv6 {
			host.Sysctls = map[string]string{noIPv6: "1"}
		}
		return nil
	}
	host.DNSSearch = e.DomainName
	if e.PrivateDNSName != "" {
		host.ExtraHosts = []string{e.PrivateDNSName + ":" + e.IPv4Addresses[0].PrivateAddress, config.Hostname + ":" + e.IPv4Addresses[0].PrivateAddress}
	}
	return nil
}
