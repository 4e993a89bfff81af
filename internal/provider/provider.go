// Package provider launches and terminates members of the Fargate pool, by running a command of the operator's. It knows nothing of why: the
// pool's controller decides, and asks again after a failure or a restart, so every call may be repeated.
package provider

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
)

// Provider makes machines that join the pool. Calls for different members may run at the same time; those for one member follow each other.
type Provider interface {
	// Launch makes a member, which joins by itself later. It is no error that the member is there already. An error that is ErrNoCapacity says
	// that there is none of that kind now; after any other one the member may be there or not.
	Launch(ctx context.Context, o Order) error
	// Terminate ends a member with all that it holds. It is no error that there is none of that id.
	Terminate(ctx context.Context, id string) error
	// List names the members that are there. ErrNoList: this provider cannot tell.
	List(ctx context.Context) ([]string, error)
}

// Errors that callers tell apart, wrapped in a Failure.
var (
	ErrNoCapacity = errors.New("no capacity now")
	ErrNoList     = errors.New("members cannot be listed")
)

// Order is a member to launch.
type Order struct {
	ID           string // letters, digits, ".", "_" and "-"; never used for another member again
	Zone         string // availability zone
	Architecture string // x86_64 or arm64
	CPUUnits     int    // 1024 are a vCPU
	MemoryMiB    int
	Token        Secret // lets the member join, once
}

// Secret is a text that is never shown: whatever prints it says "(secret)".
type Secret string

const hidden = "(secret)"

// Format is for every verb of fmt the same.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) } // an error to print is the printer's

// MarshalText is how JSON and logs show it.
func (s Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// Failure says what a provider did not do. It wraps ErrNoCapacity or ErrNoList, the context's error, or what the system said.
type Failure struct {
	Verb   string // launch, terminate, list
	Member string // its id, "" of list
	Reason string // one line, without secrets
	Err    error
}

func (f *Failure) Error() string {
	if f.Member == "" {
		return fmt.Sprintf("%s members: %s", f.Verb, f.Reason)
	}
	return fmt.Sprintf("%s member %s: %s", f.Verb, f.Member, f.Reason)
}

func (f *Failure) Unwrap() error { return f.Err }

// errID is what is wrong with an id that no member can have.
var errID = errors.New("an id has 1 to 64 letters, digits, \".\", \"_\" and \"-\", and begins with a letter or digit")

var idForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// CheckID returns an error for what can be no member's id. Ids go into file and host names.
func CheckID(id string) error {
	if !idForm.MatchString(id) {
		return errID
	}
	return nil
}

// badID is the failure of a call for an id that no member can have.
func badID(verb, id string) error {
	return &Failure{Verb: verb, Member: fmt.Sprintf("%.80q", id), Reason: errID.Error(), Err: errID}
}
