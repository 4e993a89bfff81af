package faults

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// network is namespaces of their own for the machines of one test, joined by a bridge in one more. The test reaches them all over a link that
// no fault touches.
type network struct {
	name   string // of this run and this network
	subnet string // its first three numbers
}

// prefix begins the names of everything that this process adds to the machine.
func prefix(pid int) string { return fmt.Sprintf("bf%d-", pid) }

// networks counts the networks of this process, which are named by it.
var networks atomic.Int32

// newNetwork makes namespaces for machines 1 to n.
func newNetwork(t testing.TB, n int) *network {
	t.Helper()
	if err := allowed(); err != nil {
		t.Skipf("this kernel gives no network namespaces: %v", err)
	}
	id := int(networks.Add(1))
	w := &network{name: fmt.Sprintf("%s%d", prefix(os.Getpid()), id)}
	w.subnet = unused(t, os.Getpid()+id)
	t.Cleanup(func() { removeAll(w.name) })
	run(t, "ip", "netns", "add", w.name+"s")
	w.switched(t, "link", "add", "bridge", "type", "bridge")
	w.switched(t, "link", "set", "bridge", "up")
	run(t, "ip", "link", "add", w.name, "type", "veth", "peer", "name", "test", "netns", w.name+"s")
	run(t, "ip", "addr", "add", w.subnet+".254/24", "dev", w.name)
	run(t, "ip", "link", "set", w.name, "up")
	w.switched(t, "link", "set", "test", "master", "bridge", "up")
	for m := 1; m <= n; m++ {
		ns, port := w.machine(m), fmt.Sprintf("m%d", m)
		run(t, "ip", "netns", "add", ns)
		w.switched(t, "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", ns)
		w.switched(t, "link", "set", port, "master", "bridge", "up")
		run(t, "ip", "-n", ns, "addr", "add", w.address(m)+"/24", "dev", "eth0")
		run(t, "ip", "-n", ns, "link", "set", "lo", "up")
		run(t, "ip", "-n", ns, "link", "set", "eth0", "up")
	}
	return w
}

// machine is the namespace of machine m.
func (w *network) machine(m int) string { return fmt.Sprintf("%sm%d", w.name, m) }

func (w *network) address(m int) string { return fmt.Sprintf("%s.%d", w.subnet, m) }

func (w *network) switched(t testing.TB, args ...string) {
	t.Helper()
	run(t, "ip", append([]string{"-n", w.name + "s"}, args...)...)
}

// drop makes machine to lose every packet from machine from. The rule is one of nftables, by the program that writes them in iptables' words.
func (w *network) drop(t testing.TB, from, to int) {
	t.Helper()
	run(t, "ip", "netns", "exec", w.machine(to), "iptables-nft", "-A", "INPUT", "-s", w.address(from), "-j", "DROP")
}

// cut separates machine m from the others, which still reach each other.
func (w *network) cut(t testing.TB, m int, others ...int) {
	t.Helper()
	for _, x := range others {
		w.drop(t, m, x)
		w.drop(t, x, m)
	}
}

// heal takes all rules away.
func (w *network) heal(t testing.TB, machines ...int) {
	t.Helper()
	for _, m := range machines {
		run(t, "ip", "netns", "exec", w.machine(m), "iptables-nft", "-F", "INPUT")
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

// unused is a subnet of the range for tests of networks (RFC 2544) that this machine has no address in.
func unused(t testing.TB, seed int) string {
	t.Helper()
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for n := range 256 {
		subnet := fmt.Sprintf("198.18.%d", (seed+n)%256)
		free := true
		for _, a := range addresses {
			free = free && !strings.HasPrefix(a.String(), subnet+".")
		}
		if free {
			return subnet
		}
	}
	t.Fatal("no subnet of 198.18.0.0/16 is free")
	return ""
}

func run(t testing.TB, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

// removeAll ends the processes in the namespaces whose names begin so, and removes them with their links.
func removeAll(begin string) {
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

// guardEnv names the variable that makes this program the guard of a test process.
const guardEnv = "BERTH_FAULTS_GUARD"

// guarded starts a process that removes what this one leaves when it ends, however it ends: also by a timeout, a panic or kill -9. The
// function that it returns ends the guard.
func guarded(dir string) (end func(), err error) {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %s", guardEnv, prefix(os.Getpid()), dir))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // Ctrl-C is not for it
	alive, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return func() {
		alive.Close()  //nolint:errcheck // it tells by its end
		_ = cmd.Wait() // and cleans what it can
	}, nil
}

// guard waits for the end of the process that started it.
func guard(task string) {
	_, _ = io.Copy(io.Discard, os.Stdin) // until it ends
	begin, dir, _ := strings.Cut(task, " ")
	removeAll(begin)
	os.RemoveAll(dir)
}
