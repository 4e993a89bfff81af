package main

import (
	"debug/elf"
	"fmt"
	"os"
	"slices"
)

// checkStaticSelf refuses to run as a program of which no images can be made: those of pause containers and of the demo hold nothing else.
func checkStaticSelf() error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	return checkStatic(self)
}

// checkStatic refuses a program that runs with shared libraries only.
func checkStatic(program string) error {
	f, err := elf.Open(program)
	if err != nil {
		return fmt.Errorf("read %s: %w", program, err)
	}
	defer f.Close()
	if slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP }) {
		return fmt.Errorf("%s needs shared libraries, which the containers that run it do not have; build it as a static program: make build, or CGO_ENABLED=0 go build ./cmd/berth", program)
	}
	return nil
}
