//go:build unix

package provider

import (
	"os/exec"
	"syscall"
)

// ownGroup makes a command the leader of a process group of its own.
func ownGroup(p *exec.Cmd) { p.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// terminateGroup asks all processes of a command that runs to end.
func terminateGroup(p *exec.Cmd) error { return syscall.Kill(-p.Process.Pid, syscall.SIGTERM) }

// killGroup ends what is left of a command's processes. The kernel gives the group's number to nobody as long as one of them is there.
func killGroup(p *exec.Cmd) {
	if p.Process != nil {
		_ = syscall.Kill(-p.Process.Pid, syscall.SIGKILL) // an error: none is left
	}
}
