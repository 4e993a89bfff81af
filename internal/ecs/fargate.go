package ecs

import (
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/arn"
)

// The capacity providers of Fargate, and what it runs.
const (
	ProviderFargate     = "FARGATE"
	ProviderFargateSpot = "FARGATE_SPOT"

	LatestPlatform  = "LATEST"
	LinuxPlatform   = "1.4.0" // what LATEST is
	FamilyLinux     = "Linux"
	FargateStorage  = 20 // GiB of ephemeral storage of a task whose definition says nothing
	spotReason      = "Your Spot Task was interrupted."
	AttributeMember = "berth.member-id" // of a pool member: the id under which the instance provider launched it
)

// CapacityUnavailable is what ECS says where Fargate has no room for a task.
const CapacityUnavailable = "Capacity is unavailable at this time. Please try again later or in a different availability zone"

// ResolvedPlatform is the platform version that tasks get who ask for v; "" of what is not on Fargate.
func ResolvedPlatform(v string) string {
	if v == LatestPlatform {
		return LinuxPlatform
	}
	return v
}

// onFargate fills in what only tasks on Fargate have.
func (t *Task) onFargate(s *TaskSpec) {
	t.PlatformVersion, t.PlatformFamily, t.EphemeralStorageGiB = s.PlatformVersion, FamilyLinux, FargateStorage
	t.LaunchType = types.LaunchTypeFargate
	if e := s.Definition.Definition.EphemeralStorage; e != nil {
		t.EphemeralStorageGiB = e.SizeInGiB
	}
	if s.Overrides != nil && s.Overrides.EphemeralStorage != nil {
		t.EphemeralStorageGiB = s.Overrides.EphemeralStorage.SizeInGiB
	}
	if t.CPUArchitecture == "" {
		t.CPUArchitecture = Architecture(s.Definition)
	}
}

// Architecture is the CPU architecture that a definition's tasks need on Fargate, as instances say it: x86_64 or arm64.
func Architecture(d *TaskDefinition) string {
	p := d.Definition.RuntimePlatform
	switch {
	case p == nil:
	case strings.HasPrefix(string(p.OperatingSystemFamily), "WINDOWS"):
		return "x86_64 windows" // which no member has
	case p.CpuArchitecture == types.CPUArchitectureArm64:
		return "arm64"
	}
	return "x86_64"
}

// Place puts a task that waits on an instance that has room for it. It reports whether it did.
func (t *Task) Place(i *Instance) bool {
	if !t.Waiting() || t.DesiredStatus == Stopped {
		return false
	}
	t.ContainerInstanceArn = i.ContainerInstanceArn
	return true
}

// Interrupt stops a Spot task: its capacity is needed. It reports whether it was running until now.
func (t *Task) Interrupt(now time.Time) bool {
	return t.Stop(now, types.TaskStopCodeSpotInterruption, spotReason)
}

// Pool is what is known of Fargate's pool as a whole, one record. Written by: controller pool.
type Pool struct {
	Grows   bool // an instance provider launches members
	Zones   []PoolZone
	Unknown Unknown
}

func (*Pool) Kind() Kind    { return KindPool }
func (p *Pool) Key() string { return "pool" }

// PoolZone is what keeps the pool from growing in an availability zone, for machines of an architecture.
type PoolZone struct {
	Zone, Architecture string
	Failures           int // of the instance provider, in a row
	LastFailure        *time.Time
	Reason             string
	Unavailable        bool // tasks that have no room there now get none
}

// Unavailable reports whether tasks of an architecture that find no room in a zone get none.
func (p *Pool) Unavailable(zone, architecture string) bool {
	if p == nil || !p.Grows {
		return true
	}
	z := p.In(zone, architecture)
	return z == nil || z.Unavailable
}

// In is what is known of a zone and an architecture, nil where no members are launched.
func (p *Pool) In(zone, architecture string) *PoolZone {
	if p == nil {
		return nil
	}
	for i := range p.Zones {
		if z := &p.Zones[i]; z.Zone == zone && z.Architecture == architecture {
			return z
		}
	}
	return nil
}

// With returns a copy of p with what is known of a zone and an architecture replaced.
func (p *Pool) With(z PoolZone) *Pool {
	n := *p
	n.Zones = slices.Clone(p.Zones)
	if x := n.In(z.Zone, z.Architecture); x != nil {
		*x = z
	}
	return &n
}

// PoolMember is a member of the pool that the instance provider was asked for. Members that somebody started by hand have no such record. Written by:
// controller pool.
type PoolMember struct {
	ID                 string `json:"id"`
	Zone, Architecture string
	CPUUnits           int
	MemoryMiB          int
	LaunchedAt         time.Time
	Instance           arn.Instance // once it has joined
	IdleSince          *time.Time   // since when it has had no task
	Leaving            bool         // the provider is to terminate it
	Unknown            Unknown
}

func (*PoolMember) Kind() Kind    { return KindPoolMember }
func (m *PoolMember) Key() string { return m.ID }
