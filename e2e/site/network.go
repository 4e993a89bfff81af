package site

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Network is namespaces of their own for the machines of one test, joined by a bridge in one more. The test reaches them all over a link that
// no fault touches.
type Network struct {
	t      testing.TB
	name   string // of this process and this network
	subnet string // its first three numbers
	size   int
}

// prefix begins the names of everything that a process adds to the machine.
func prefix(pid int) string { return fmt.Sprintf("bf%d-", pid) }

// NewNetwork makes namespaces for machines 1 to n.
func NewNetwork(t testing.TB, n int) *Network {
	t.Helper()
	if err := allowed(); err != nil {
		t.Skipf("this kernel gives no network namespaces: %v", err)
	}
	w := &Network{t: t, size: n}
	w.claim()
	t.Cleanup(func() { removeNetworks(w.name) })
	w.switched("link", "add", "bridge", "type", "bridge")
	w.switched("link", "set", "bridge", "up")
	run(t, "ip", "link", "add", w.name, "type", "veth", "peer", "name", "test", "netns", w.name+"s")
	w.address()
	run(t, "ip", "link", "set", w.name, "up")
	w.switched("link", "set", "test", "master", "bridge", "up")
	for m := 1; m <= n; m++ {
		ns, port := w.machine(m), fmt.Sprintf("m%d", m)
		run(t, "ip", "netns", "add", ns)
		w.switched("link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", ns)
		w.switched("link", "set", port, "master", "bridge", "up")
		run(t, "ip", "-n", ns, "addr", "add", w.Address(m)+"/24", "dev", "eth0")
		run(t, "ip", "-n", ns, "link", "set", "lo", "up")
		run(t, "ip", "-n", ns, "link", "set", "eth0", "up")
	}
	return w
}

// claim takes a name that no other network of this process has: making its first namespace fails where there is one. It goes by the clock, so
// that it is not the name of one that was removed just now either: the kernel takes its links away some time later.
func (w *Network) claim() {
	w.t.Helper()
	const names = 36 * 36 * 36 * 36
	for range 100 {
		w.name = prefix(os.Getpid()) + strconv.FormatInt(time.Now().UnixMicro()%names, 36)
		if exec.Command("ip", "netns", "add", w.name+"s").Run() == nil {
			return
		}
	}
	run(w.t, "ip", "netns", "add", w.name+"s") // which says why
}

// address takes a subnet of the range for tests of networks (RFC 2544) that this machine has no address in. Two who take the same at the same
// time see each other afterwards, and try again.
func (w *Network) address() {
	w.t.Helper()
	for range 1000 {
		w.subnet = fmt.Sprintf("198.18.%d", rand.N(256))
		if used(w.t, w.subnet) > 0 {
			continue
		}
		run(w.t, "ip", "addr", "add", w.subnet+".254/24", "dev", w.name)
		if used(w.t, w.subnet) == 1 {
			return
		}
		run(w.t, "ip", "addr", "del", w.subnet+".254/24", "dev", w.name)
	}
	w.t.Fatal("no subnet of 198.18.0.0/16 is free")
}

// used is how many addresses this machine has in a subnet.
func used(t testing.TB, subnet string) (n int) {
	t.Helper()
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addresses {
		if strings.HasPrefix(a.String(), subnet+".") {
			n++
		}
	}
	return n
}

// machine is the namespace of machine m.
func (w *Network) machine(m int) string { return fmt.Sprintf("%sm%d", w.name, m) }

// Address is machine m's.
func (w *Network) Address(m int) string { return fmt.Sprintf("%s.%d", w.subnet, m) }

// Command is a program on machine m, or on this one where there is no network. What is started becomes the program. It sees the same mounts as
// everybody: a disk that is taken away is away for it too.
func (w *Network) Command(m int, program string, args ...string) *exec.Cmd {
	if w == nil {
		return exec.Command(program, args...)
	}
	return exec.Command("nsenter", append([]string{"--net=/run/netns/" + w.machine(m), "--", program}, args...)...)
}

func (w *Network) switched(args ...string) {
	w.t.Helper()
	run(w.t, "ip", append([]string{"-n", w.name + "s"}, args...)...)
}

// Drop makes machine to lose every packet from machine from. The rule is one of nftables, by the program that writes them in iptables' words.
func (w *Network) Drop(from, to int) {
	w.t.Helper()
	run(w.t, "ip", "netns", "exec", w.machine(to), "iptables-nft", "-A", "INPUT", "-s", w.Address(from), "-j", "DROP")
}

// Cut separates machine m from others, which still reach each other.
func (w *Network) Cut(m int, others ...int) {
	w.t.Helper()
	for _, x := range others {
		w.Drop(m, x)
		w.Drop(x, m)
	}
}

// Heal lets everybody reach everybody again.
func (w *Network) Heal() {
	w.t.Helper()
	for m := 1; m <= w.size; m++ {
		run(w.t, "ip", "netns", "exec", w.machine(m), "iptables-nft", "-F", "INPUT")
	}
}

// allowed tries whether the kernel lets us make a network namespace. Where it does, everything else must work.
func allowed() error {
	cmd := exec.Command("true")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET}
	err := cmd.Run()
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSPC) {
		return err
	}
	return nil
}

func run(t testing.TB, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

// removeNetworks ends the processes in the namespaces whose names begin so, and removes them with their links.
func removeNetworks(begin string) {
	out, err := exec.Command("ip", "netns", "list").Output()
	if err != nil {
		return
	}
	for line := range strings.Lines(string(out)) {
		name, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		if !strings.HasPrefix(name, begin) {
			continue
		}
		pids, _ := exec.Command("ip", "netns", "pids", name).Output() // none
		for pid := range strings.FieldsSeq(string(pids)) {
			_ = exec.Command("kill", "-9", pid).Run() // it may have ended
		}
		_ = exec.Command("ip", "netns", "delete", name).Run() // another one may have
	}
}
