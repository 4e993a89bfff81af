package state

import (
	"iter"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/vpc"
)

// Tables are all records of an installation, with their indexes and aggregates. They are read here; only a Tx changes them.
type Tables struct {
	Clusters        Table[arn.Cluster, ecs.Cluster]
	Families        Table[string, ecs.Family]
	Services        Table[arn.Service, ecs.Service]
	Events          Table[string, ecs.Event]
	Rollouts        Table[string, ecs.ServiceDeployment]
	Revisions       Table[string, ecs.ServiceRevision]
	Instances       Table[arn.Instance, ecs.Instance]
	Credentials     Table[string, ecs.Credential]
	JoinTokens      Table[string, ecs.JoinToken]
	Requests        Table[string, ecs.ClientRequest]
	Settings        Table[string, ecs.Setting]
	AccountSettings Table[string, ecs.AccountSetting]
	Pools           Table[string, ecs.Pool]
	PoolMembers     Table[string, ecs.PoolMember]
	Definitions     Definitions
	Tasks           Tasks

	VPCs             Table[string, vpc.VPC]
	Subnets          Table[string, vpc.Subnet]
	SecurityGroups   Table[string, vpc.SecurityGroup]
	RouteTables      Table[string, vpc.RouteTable]
	InternetGateways Table[string, vpc.InternetGateway]
	NATGateways      Table[string, vpc.NATGateway]
	Addresses        Table[string, vpc.Address]
	DHCPOptions      Table[string, vpc.DHCPOptions]
	Interfaces       Interfaces

	Shelves

	draining index[ecs.Instance]
	daemons  index[ecs.Service] // ACTIVE ones of strategy DAEMON
	census   tally[Census]
	zones    tally[int] // by cluster and availability zone: ACTIVE instances
}

// ClusterCounts are the numbers that a cluster shows of itself.
type ClusterCounts struct {
	RunningTasks, PendingTasks       int
	EndingTasks                      int // neither of them, and not stopped
	ActiveServices, DrainingServices int
	Instances                        int // ACTIVE or DRAINING
}

// Cluster returns the numbers of a cluster.
func (t *Tables) Cluster(c arn.Cluster) ClusterCounts {
	census := t.census.get(string(c))
	return census.counts()
}

func newTables() *Tables {
	return &Tables{
		Definitions: newDefinitions(), Tasks: newTasks(), Interfaces: newInterfaces(),
		draining: newIndex(func(a, b *ecs.Instance) bool { return a.ContainerInstanceArn < b.ContainerInstanceArn }),
		daemons:  newIndex(func(a, b *ecs.Service) bool { return a.ServiceArn < b.ServiceArn }),
	}
}

func (t *Tables) copy() *Tables {
	return &Tables{
		Clusters: t.Clusters.copy(), Families: t.Families.copy(), Services: t.Services.copy(), Events: t.Events.copy(),
		Rollouts: t.Rollouts.copy(), Revisions: t.Revisions.copy(),
		Instances: t.Instances.copy(), Credentials: t.Credentials.copy(), JoinTokens: t.JoinTokens.copy(), Requests: t.Requests.copy(),
		Settings: t.Settings.copy(), AccountSettings: t.AccountSettings.copy(), Pools: t.Pools.copy(), PoolMembers: t.PoolMembers.copy(), Definitions: t.Definitions.copy(), Tasks: t.Tasks.copy(),
		VPCs: t.VPCs.copy(), Subnets: t.Subnets.copy(), SecurityGroups: t.SecurityGroups.copy(), RouteTables: t.RouteTables.copy(),
		InternetGateways: t.InternetGateways.copy(), NATGateways: t.NATGateways.copy(), Addresses: t.Addresses.copy(), DHCPOptions: t.DHCPOptions.copy(),
		Interfaces: t.Interfaces.copy(), Shelves: t.Shelves.copy(),
		draining: t.draining.copy(), daemons: t.daemons.copy(), census: t.census.copy(), zones: t.zones.copy(),
	}
}

// put stores r under its key, or removes what is there where remove is set, and returns the record that was there (nil if none).
func (t *Tables) put(r ecs.Record, remove bool) ecs.Record {
	switch r := r.(type) {
	case *ecs.Cluster:
		return record(t.Clusters.swap(r.Key(), keep(r, remove)))
	case *ecs.Family:
		return record(t.Families.swap(r.Key(), keep(r, remove)))
	case *ecs.TaskDefinition:
		return record(t.Definitions.swap(r.Key(), keep(r, remove)))
	case *ecs.Service:
		old, new := t.Services.swap(r.Key(), keep(r, remove)), keep(r, remove)
		t.censusService(old, new)
		t.daemons.move(old, new, activeDaemon)
		return record(old)
	case *ecs.Event:
		return record(t.Events.swap(r.Key(), keep(r, remove)))
	case *ecs.ServiceDeployment:
		return record(t.Rollouts.swap(r.Key(), keep(r, remove)))
	case *ecs.ServiceRevision:
		return record(t.Revisions.swap(r.Key(), keep(r, remove)))
	case *ecs.Task:
		old, new := t.Tasks.swap(r.Key(), keep(r, remove)), keep(r, remove)
		t.censusTask(old, new)
		t.Interfaces.ofTask(old, new)
		return record(old)
	case *ecs.Instance:
		old, new := t.Instances.swap(r.Key(), keep(r, remove)), keep(r, remove)
		t.draining.move(old, new, func(i *ecs.Instance) bool { return i.Status == ecs.Draining })
		t.censusInstance(old, new)
		t.zoneInstance(old, new)
		return record(old)
	case *ecs.Credential:
		return record(t.Credentials.swap(r.Key(), keep(r, remove)))
	case *ecs.JoinToken:
		return record(t.JoinTokens.swap(r.Key(), keep(r, remove)))
	case *ecs.ClientRequest:
		return record(t.Requests.swap(r.Key(), keep(r, remove)))
	case *ecs.Setting:
		return record(t.Settings.swap(r.Key(), keep(r, remove)))
	case *ecs.AccountSetting:
		return record(t.AccountSettings.swap(r.Key(), keep(r, remove)))
	case *ecs.Pool:
		return record(t.Pools.swap(r.Key(), keep(r, remove)))
	case *ecs.PoolMember:
		return record(t.PoolMembers.swap(r.Key(), keep(r, remove)))
	}
	if old, ok := t.putNetwork(r, remove); ok {
		return old
	}
	if old, ok := t.place(r, remove); ok {
		return old
	}
	panic("state: no table for " + string(r.Kind()))
}

// find looks a record up by kind and key, nil if there is none.
func (t *Tables) find(k ecs.Kind, key string) ecs.Record {
	switch k {
	case ecs.KindCluster:
		return record(t.Clusters.Get(arn.Cluster(key)))
	case ecs.KindFamily:
		return record(t.Families.Get(key))
	case ecs.KindDefinition:
		return record(t.Definitions.Get(arn.TaskDefinition(key)))
	case ecs.KindService:
		return record(t.Services.Get(arn.Service(key)))
	case ecs.KindEvent:
		return record(t.Events.Get(key))
	case ecs.KindServiceDeployment:
		return record(t.Rollouts.Get(key))
	case ecs.KindServiceRevision:
		return record(t.Revisions.Get(key))
	case ecs.KindInstance:
		return record(t.Instances.Get(arn.Instance(key)))
	case ecs.KindTask:
		return record(t.Tasks.Get(arn.Task(key)))
	case ecs.KindCredential:
		return record(t.Credentials.Get(key))
	case ecs.KindJoinToken:
		return record(t.JoinTokens.Get(key))
	case ecs.KindClientRequest:
		return record(t.Requests.Get(key))
	case ecs.KindSetting:
		return record(t.Settings.Get(key))
	case ecs.KindAccountSetting:
		return record(t.AccountSettings.Get(key))
	case ecs.KindPool:
		return record(t.Pools.Get(key))
	case ecs.KindPoolMember:
		return record(t.PoolMembers.Get(key))
	}
	if s := t.shelf(k); s != nil {
		return s.find(key)
	}
	return t.findNetwork(k, key)
}

// Pool is what is known of Fargate's pool, nil where nothing is yet.
func (t *Tables) Pool() *ecs.Pool { return t.Pools.Get((*ecs.Pool)(nil).Key()) }

// Chosen is the account setting that holds for a principal: its own, or else the root user's, or else ECS's default, which nobody chose.
func (t *Tables) Chosen(s arn.Scope, principal string, name types.SettingName) ecs.AccountSetting {
	for _, p := range []string{principal, ecs.Root(s)} {
		if c := t.AccountSettings.Get(ecs.AccountSettingKey(s.Region, p, name)); c != nil {
			return *c
		}
	}
	return ecs.AccountSetting{Region: s.Region, PrincipalArn: principal, Name: name, Value: ecs.Choices(name)[0]}
}

// pointer is the record interface on *R.
type pointer[R any] interface {
	*R
	ecs.Record
}

func keep[R any](r *R, remove bool) *R {
	if remove {
		return nil
	}
	return r
}

// record turns a typed nil into an untyped one.
func record[R any, P pointer[R]](r *R) ecs.Record {
	if r == nil {
		return nil
	}
	return P(r)
}

// Draining yields the cluster's container instances that are draining.
func (t *Tables) Draining(c arn.Cluster) iter.Seq[*ecs.Instance] {
	prefix := string(c.Instance(""))
	return t.draining.from(&ecs.Instance{ContainerInstanceArn: arn.Instance(prefix)}, func(i *ecs.Instance) bool {
		return strings.HasPrefix(string(i.ContainerInstanceArn), prefix)
	})
}
