package agent

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"berth/internal/acsproto"
)

func TestCapabilities(t *testing.T) {
	old := Machine{APIVersion: "1.24", LogDrivers: []string{"json-file", "gcplogs", "syslog"}, VolumeDrivers: []string{"local", "rexray:ebs"},
		SecurityOptions: []string{"seccomp", "apparmor"}, Architecture: "arm64"}
	want := []string{
		"com.amazonaws.ecs.capability.privileged-container",
		"com.amazonaws.ecs.capability.docker-remote-api.1.17", "com.amazonaws.ecs.capability.docker-remote-api.1.18",
		"com.amazonaws.ecs.capability.docker-remote-api.1.19", "com.amazonaws.ecs.capability.docker-remote-api.1.20",
		"com.amazonaws.ecs.capability.docker-remote-api.1.21", "com.amazonaws.ecs.capability.docker-remote-api.1.22",
		"com.amazonaws.ecs.capability.docker-remote-api.1.23", "com.amazonaws.ecs.capability.docker-remote-api.1.24",
		"com.amazonaws.ecs.capability.logging-driver.json-file", "com.amazonaws.ecs.capability.logging-driver.syslog",
		"com.amazonaws.ecs.capability.logging-driver.none", "com.amazonaws.ecs.capability.apparmor",
		"ecs.capability.container-health-check", "ecs.capability.container-ordering", "ecs.capability.container-restart-policy", "ecs.capability.full-sync",
		"ecs.capability.docker-plugin.local", "ecs.capability.docker-plugin.rexray.ebs",
	}
	if diff := cmp.Diff(want, capabilities(old, abilities{})); diff != "" {
		t.Error(diff)
	}
	if roles := capabilities(old, abilities{front: true}); !slices.Contains(roles, "com.amazonaws.ecs.capability.task-iam-role") ||
		!slices.Contains(roles, "com.amazonaws.ecs.capability.task-iam-role-network-host") {
		t.Errorf("containers that reach the agent have no roles: %q", roles)
	}
	newer := capabilities(Machine{APIVersion: "1.50"}, abilities{groups: true, ports: true})
	for _, c := range []string{"com.amazonaws.ecs.capability.docker-remote-api.1.32", "ecs.capability.task-cpu-mem-limit",
		"ecs.capability.network.container-port-range"} {
		if !slices.Contains(newer, c) {
			t.Errorf("no %s", c)
		}
	}
	for _, c := range newer {
		if strings.HasSuffix(c, ".1.26") || strings.Contains(c, "task-iam-role") {
			t.Errorf("has %s", c)
		}
	}
}

// TestExternalAttribute: an external instance says so, and no other does.
func TestExternalAttribute(t *testing.T) {
	for _, external := range []bool{true, false} {
		is := slices.ContainsFunc(attributes(InstanceConfig{External: external}, Machine{}, abilities{}, false), func(a types.Attribute) bool {
			return *a.Name == "ecs.capability.external"
		})
		if is != external {
			t.Errorf("External %v: the attribute is there: %v", external, is)
		}
	}
}

func TestAttributes(t *testing.T) {
	c := InstanceConfig{HostAddress: "127.0.1.2", Zone: "us-east-1b", Attributes: map[string]string{"stack": "blue"}}
	for _, first := range []bool{true, false} {
		got := map[string]string{}
		for _, a := range attributes(c, Machine{Architecture: "x86_64"}, abilities{}, first) {
			if a.Value != nil {
				got[*a.Name] = *a.Value
			}
		}
		want := map[string]string{"ecs.os-type": "linux", "ecs.os-family": "LINUX", "ecs.os-type-detailed": "LINUX", "ecs.cpu-architecture": "x86_64",
			"ecs.availability-zone": "us-east-1b", "berth.host-address": "127.0.1.2"}
		if first {
			want["stack"] = "blue"
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestResources(t *testing.T) {
	m := Machine{CPUs: 2, MemoryBytes: 1 << 30}
	for _, c := range []struct {
		config      InstanceConfig
		cpu, memory int32
	}{{InstanceConfig{}, 2048, 768}, {InstanceConfig{CPUUnits: 512, MemoryMiB: 100}, 512, 100}} {
		r := resources(c.config, m)
		if r[0].IntegerValue != c.cpu || r[1].IntegerValue != c.memory || len(r[2].StringSetValue) != 6 || *r[3].Name != "PORTS_UDP" {
			t.Errorf("%+v has %+v", c.config, r)
		}
	}
}

// meter is groups that only measure.
type meter struct {
	Groups
	used map[string]Usage
}

func (m meter) Usage(_ Group, id string) (Usage, error) {
	u, ok := m.used[id]
	if !ok {
		return u, errors.New("gone")
	}
	return u, nil
}

func TestSampler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s sampler
		m := meter{used: map[string]Usage{}}
		list := []running{{id: "x"}, {id: "gone"}}
		for i, ms := range []int{100, 600, 1600} { // half a core, then a whole one, of two
			m.used["x"] = Usage{CPU: time.Duration(ms) * time.Millisecond, MemoryBytes: int64(i+1) << 20}
			s.take(list, m, 2)
			if _, ok := s.drain("gone", "g"); ok {
				t.Error("samples of what is gone")
			}
			time.Sleep(time.Second)
		}
		got, ok := s.drain("x", "a")
		want := acsproto.ContainerMetrics{Name: "a", CPU: acsproto.StatsSet{Max: 50, Min: 25, SampleCount: 2, Sum: 75},
			Memory: acsproto.StatsSet{Max: 3, Min: 2, SampleCount: 2, Sum: 5}}
		if diff := cmp.Diff(want, got); !ok || diff != "" {
			t.Error(diff)
		}
		if _, ok := s.drain("x", "a"); ok {
			t.Error("samples were told twice")
		}
		s.take(nil, m, 2)
		if len(s.series) != 0 {
			t.Errorf("%d containers are not forgotten", len(s.series))
		}
	})
}

func TestReasonsAreBounded(t *testing.T) {
	r := parseRecord("stop a!=stopped+exit1")
	r.Containers[0].Reason = strings.Repeat("x", 3000)
	Settle(r, noon)
	if n := len(*reportOf(r, "demo").Input.Containers[0].Reason); n != 1024 {
		t.Errorf("a reason of %d characters", n)
	}
}

func TestReportStatus(t *testing.T) {
	for record, want := range map[string]string{
		"a!=waiting":                         "",
		"a!=running b!=waiting":              "PENDING",
		"a!=running b!=running":              "RUNNING",
		"a=stopped+never b!=running":         "RUNNING",
		"a!=stopped+exit1 b!=running":        "RUNNING",
		"stop a!=running b!=stopped+never":   "PENDING",
		"stop a!=stopped+exit0 b!=stopped":   "STOPPED",
		"stop":                               "STOPPED",
		"a!=created":                         "",
		"a=stopped+exit0 b=stopped+exit0":    "STOPPED",
		"a=stopped+exit0 b!=waiting<a:START": "PENDING",
	} {
		r := parseRecord(record)
		Settle(r, noon)
		got := ""
		if rep := reportOf(r, "demo"); rep != nil {
			got = *rep.Input.Status
		}
		if got != want {
			t.Errorf("%s: %q, want %q", record, got, want)
		}
	}
}
