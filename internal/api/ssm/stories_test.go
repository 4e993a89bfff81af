package ssm

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"berth/internal/ecs"
	"berth/internal/golden"
	"berth/internal/iam"
)

// Stories, a request a line and a second a request. "wait 24h" lets more time pass; "redeem ID CODE" registers a machine, and "connect ID" is its agent's
// container instance; "#1" is the first id that an answer showed. The roles Hybrid and Other are there.
func TestStories(t *testing.T) {
	golden.Run(t, "testdata/*.txtar", func(t *testing.T, in map[string]string) (out string) {
		synctest.Test(t, func(t *testing.T) {
			a := seeded(t)
			a.put(t, roles()...)
			for line := range strings.Lines(in["requests"]) {
				out += a.hear(t, strings.TrimSpace(line))
			}
		})
		return out
	})
}

func roles() []ecs.Record {
	trust := func(service string) string {
		return `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"` + service + `"},"Action":"sts:AssumeRole"}}`
	}
	role := func(name, service string) *iam.Role {
		return &iam.Role{Entity: iam.Entity{Account: testScope.Account, Name: name, Path: "/"}, Trust: trust(service)}
	}
	return []ecs.Record{role("Hybrid", "ssm.amazonaws.com"), role("Other", "ec2.amazonaws.com")}
}

func (a *account) hear(t *testing.T, line string) string {
	t.Helper()
	verb, rest, _ := strings.Cut(line, " ")
	switch verb {
	case "wait":
		d, err := time.ParseDuration(rest)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(d)
		return ""
	case "redeem":
		return "> " + line + "\n" + a.redeem(t, rest)
	case "connect":
		a.put(t, &ecs.Instance{ContainerInstanceArn: testScope.Cluster("c").Instance("i"), Connected: true, Ec2InstanceID: a.id(rest)})
		return ""
	}
	time.Sleep(time.Second)
	return "> " + line + "\n" + a.tell(t, line)
}

func (a *account) id(name string) string { return strings.Trim(a.known(`"`+name+`"`), `"`) }

func (a *account) redeem(t *testing.T, line string) string {
	id, code, _ := strings.Cut(line, " ")
	if code == "CODE" {
		code = a.code
	}
	m, err := a.api.Redeem(t.Context(), a.id(id), code, Machine{ComputerName: "rack1", IPAddress: "192.0.2.1", PlatformName: "Debian", AgentVersion: "1.2.3"})
	if err != nil {
		return a.named(err.Error() + "\n")
	}
	return a.named(m.InstanceID + " " + m.IAMRole + "\n")
}
