package provider

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/semaphore"
)

// Exit codes of a command, as sysexits.h names them. Every other one but 0 is a failure, of which the last line of stderr is the reason.
const (
	ExitNoCapacity = 75 // EX_TEMPFAIL, of launch: no capacity of that kind now
	ExitNoList     = 64 // EX_USAGE, of list: the command knows no list
)

// Config says how the operator's command is run.
type Config struct {
	Path string   // of the program; without a slash it is looked for in $PATH
	Args []string // before the verb
	// Server, Region and Installation are told to the command: the control plane's addresses as `berth agent --server` takes them, the
	// region, and what tells this installation's members from others.
	Server, Region, Installation string
	Timeout                      time.Duration // of a call, zero five minutes
	Grace                        time.Duration // between SIGTERM and SIGKILL, zero two seconds
	AtOnce                       int           // calls that run at the same time, zero ten; more wait
}

// Command is a Provider that runs a command: `PATH ARGS launch`, `... terminate`, `... list`. What is to be done is in its environment, never
// in its arguments, which every user of the machine can read.
type Command struct {
	config Config
	path   string
	slots  *semaphore.Weighted
}

var _ Provider = (*Command)(nil)

// NewCommand returns the provider of a command, or an error if there is no such program that may be run.
func NewCommand(c Config) (*Command, error) {
	path, err := exec.LookPath(c.Path)
	if err != nil {
		return nil, fmt.Errorf("instance provider: %w", err)
	}
	c.Timeout, c.Grace, c.AtOnce = cmp.Or(c.Timeout, 5*time.Minute), cmp.Or(c.Grace, 2*time.Second), cmp.Or(c.AtOnce, 10)
	return &Command{config: c, path: path, slots: semaphore.NewWeighted(int64(c.AtOnce))}, nil
}

// Launch runs the command's launch.
func (c *Command) Launch(ctx context.Context, o Order) error {
	if CheckID(o.ID) != nil {
		return badID("launch", o.ID)
	}
	_, err := c.run(ctx, call{verb: "launch", member: o.ID, secret: o.Token, env: []string{
		"BERTH_ZONE=" + o.Zone, "BERTH_ARCHITECTURE=" + o.Architecture,
		"BERTH_CPU=" + strconv.Itoa(o.CPUUnits), "BERTH_MEMORY=" + strconv.Itoa(o.MemoryMiB), "BERTH_TOKEN=" + string(o.Token),
	}})
	return err
}

// Terminate runs the command's terminate.
func (c *Command) Terminate(ctx context.Context, id string) error {
	if CheckID(id) != nil {
		return badID("terminate", id)
	}
	_, err := c.run(ctx, call{verb: "terminate", member: id})
	return err
}

// List runs the command's list, which prints an id a line.
func (c *Command) List(ctx context.Context) ([]string, error) {
	out, err := c.run(ctx, call{verb: "list", output: mostList})
	if err != nil {
		return nil, err
	}
	ids, err := parseList(out)
	if err != nil {
		return nil, &Failure{Verb: "list", Reason: err.Error(), Err: err}
	}
	return ids, nil
}

// mostList is how long a list may be, in bytes.
const mostList = 1 << 20

// parseList reads a list of ids, one a line. Blank lines, and spaces around an id, are nothing.
func parseList(out []byte) (ids []string, err error) {
	n := 0
	for line := range bytes.Lines(out) {
		n++
		id := string(bytes.TrimSpace(line))
		if id == "" {
			continue
		}
		if err := CheckID(id); err != nil {
			return nil, fmt.Errorf("line %d of the list is %.80q: %w", n, id, err)
		}
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// environ is the command's environment: this process's, without what is Berth's, and what the call tells.
func (c *Command) environ(l call) []string {
	env := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "BERTH_") })
	env = append(env, "BERTH_SERVER="+c.config.Server, "BERTH_REGION="+c.config.Region, "BERTH_INSTALLATION="+c.config.Installation)
	if l.member != "" {
		env = append(env, "BERTH_MEMBER_ID="+l.member)
	}
	return append(env, l.env...)
}

// wait gets one of the places of calls that run at the same time.
func (c *Command) wait(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return c.slots.Acquire(ctx, 1)
}

// sentinel is what an exit code means for a verb; nil: nothing special.
func sentinel(verb string, code int) error {
	switch {
	case verb == "launch" && code == ExitNoCapacity:
		return ErrNoCapacity
	case verb == "list" && code == ExitNoList:
		return ErrNoList
	}
	return nil
}

var errTooLong = errors.New("the list is too long")
