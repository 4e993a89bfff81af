//go:build !unix

package provider

import "os/exec"

// Where there are no process groups there are no commands either: they fail to start.

func ownGroup(*exec.Cmd) {}

func terminateGroup(p *exec.Cmd) error { return p.Process.Kill() }

func killGroup(*exec.Cmd) {}
