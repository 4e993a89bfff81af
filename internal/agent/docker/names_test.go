package docker_test

import (
	"os"
	"path/filepath"
	"testing"

	"berth/internal/agent/machine"
)

// TestNames: all containers of a task with an interface know the same names, the task's own among them, and may write them down; IPv6 is off unless the task
// wants it. It stays so when an agent that was killed adopts the task, and the pause container shows none of it as its volumes.
func TestNames(t *testing.T) {
	for n, want := range []string{"1", "0"} {
		t.Run("disable_ipv6 "+want, func(t *testing.T) {
			h := newHostInVPC(t, open(t))
			names := h.config.Names.(machine.Names)
			h.start()
			const look = `has() { while read -r line; do test "$line" = "$2" && return 0; done < $1; return 1; }
tab="$(printf '\t')"
has /etc/hosts "10.77.1.9${tab}ip-10-77-1-9.ec2.internal ip-10-77-1-9" || exit 11
has /etc/hosts "127.0.0.1${tab}localhost" || exit 12
has /etc/resolv.conf "search ec2.internal" || exit 13
has /etc/resolv.conf "nameserver 10.77.0.2" || exit 14
has /etc/hostname ip-10-77-1-9 || exit 15
has /proc/sys/kernel/hostname ip-10-77-1-9 || exit 16
ipv6=/proc/sys/net/ipv6/conf/all/disable_ipv6
test ! -e $ipv6 || test "$(cat $ipv6)" = `
			one := withInterface(h.task(120+n,
				c("a", "/bin/sh", "-c", look+want+` || exit 17; echo "10.9.9.9 other" >> /etc/hosts || exit 18; trap 'exit 0' TERM; while :; do sleep 0.1; done`),
				c("b", "/bin/sh", "-c", look+want+` || exit 17; while :; do has /etc/hosts "10.9.9.9 other" && exit 5; sleep 0.1; done`)))
			one.Containers[1].Essential = false
			if want == "0" {
				one.Containers[1].DockerConfig.HostConfig = `{"Sysctls":{"net.ipv6.conf.all.disable_ipv6":"0"}}`
			}
			e := &one.Interfaces[0]
			e.PrivateDNSName, e.DomainName, e.DomainNameServers = "ip-10-77-1-9.ec2.internal", []string{"ec2.internal"}, []string{"10.77.0.2"}
			h.control.Run(one)
			h.expect(one.ARN, "RUNNING a:RUNNING b:STOPPED(5)")
			list, err := h.engine.List(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range list {
				if o, err = h.engine.Inspect(t.Context(), o.ID); err != nil || len(o.Facts.Mounts) != 0 {
					t.Errorf("%s has the volumes %v, %v", o.Name, o.Facts, err)
				}
			}
			h.kill()
			h.start()
			text, err := os.ReadFile(filepath.Join(names.Dir, taskID(120+n), "hosts"))
			if err != nil || len(text) == 0 {
				t.Errorf("the files of a task that runs: %q, %v", text, err)
			}
			h.control.Stop(one.ARN)
			h.expect(one.ARN, "STOPPED a:STOPPED(0) b:STOPPED(5)")
		})
	}
}
