package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"berth/internal/agent"
	"berth/internal/agent/managed"
	berthapi "berth/internal/api/berth"
	"berth/internal/arn"
)

// activate registers the machine with an activation, as ECS Anywhere's are, at any replica that can do it now; then it is an external instance.
func (o *agentOptions) activate(ctx context.Context) (i *localInstance, region string, err error) {
	id, code, ok := strings.Cut(o.activation, ":")
	if !ok || id == "" || code == "" {
		return nil, "", errors.New("--activation is not ID:CODE, the ActivationId and ActivationCode that `aws ssm create-activation` answered")
	}
	var m *managed.Machine
	err = o.anywhere(ctx, func(ctx context.Context, server string) (again bool, err error) {
		m, err = managed.Register(ctx, agentClient(), server, hardware(), id, code)
		refused := new(berthapi.Refused)
		return !errors.As(err, &refused) || refused.Unavailable(), err
	})
	if err != nil {
		return nil, "", err
	}
	return &localInstance{Cluster: clusterOf(m, cmp.Or(o.cluster, "default")), External: true, Managed: m}, m.Region, nil
}

// activated reports whether the machine has registered with the activation of --activation before: an activation may be spent many times, and a machine that starts
// again does not spend it again.
func (o *agentOptions) activated(list []localInstance) bool {
	id, _, _ := strings.Cut(o.activation, ":")
	return len(list) == 1 && list[0].Managed != nil && list[0].Managed.ActivationID == id
}

// clusterOf is the ARN of a cluster of a managed instance's account and region.
func clusterOf(m *managed.Machine, name string) string {
	if arn.Is(name) {
		return name
	}
	return string(arn.Scope{Region: m.Region, Account: m.Account}.Cluster(name))
}

// takeCluster has an instance with an activation take the cluster that was named now, and reports whether that is another one: one that has not registered yet may
// have been told a wrong one.
func (o *agentOptions) takeCluster(i *localInstance) (changed bool) {
	if o.cluster == "" || i.Managed == nil {
		return false
	}
	before := i.Cluster
	i.Cluster = clusterOf(i.Managed, o.cluster)
	return i.Cluster != before
}

// managedMachine is a managed instance, and the credentials of its role.
type managedMachine struct {
	*managed.Provider
	keys aws.CredentialsProvider
}

// managedKeys gives the managed instances among an agent's instances the credentials of their roles.
func managedKeys(c *agent.Config, list []localInstance, endpoint func() string) (machines []managedMachine) {
	for n, i := range list {
		if i.Managed != nil {
			p := &managed.Provider{Machine: *i.Managed, Hardware: hardware(), Endpoint: endpoint, HTTPClient: c.HTTPClient}
			m := managedMachine{p, p.Credentials()}
			c.Instances[n].Managed = m.keys
			machines = append(machines, m)
		}
	}
	return machines
}

// describe tells the control plane once what machine a managed instance is, for who lists machines. No task waits for it.
func (m managedMachine) describe(ctx context.Context, log *slog.Logger) {
	for pause := time.Second; ; pause = min(2*pause, time.Minute) {
		key, err := m.keys.Retrieve(ctx)
		if err == nil {
			err = m.Tell(ctx, key, facts(m.Endpoint()))
		}
		var refused *berthapi.Refused
		switch {
		case err == nil || ctx.Err() != nil:
			return
		case key.HasKeys() && errors.As(err, &refused) && !refused.Unavailable():
			log.Warn("Systems Manager does not know what machine this is", "err", err, "remedy", "attach AmazonSSMManagedInstanceCore to the activation's role")
			return
		}
		log.Debug("the machine is not described yet", "err", err, "in", pause)
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// hardware is this machine's id, "" where it has none.
func hardware() string {
	id, _ := os.ReadFile("/etc/machine-id") //nolint:errcheck // then it has none
	return strings.TrimSpace(string(id))
}

// facts are what this machine tells of itself. server is where its address is looked from.
func facts(server string) managed.Facts {
	f := managed.Facts{AgentVersion: version}
	f.ComputerName, _ = os.Hostname() //nolint:errcheck // then it has no name
	f.PlatformName, f.PlatformVersion = platform("/etc/os-release")
	if u, err := url.Parse(server); err == nil {
		if c, err := net.Dial("udp", u.Host); err == nil { // sends nothing
			f.IPAddress = c.LocalAddr().(*net.UDPAddr).IP.String()
			c.Close()
		}
	}
	return f
}

// platform is an operating system's name and version, as os-release(5) has them.
func platform(path string) (name, number string) {
	f, err := os.Open(path)
	if err != nil {
		return "Linux", ""
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		key, value, _ := strings.Cut(s.Text(), "=")
		switch value = strings.Trim(value, `"'`); key {
		case "NAME":
			name = value
		case "VERSION_ID":
			number = value
		}
	}
	return cmp.Or(name, "Linux"), number
}
