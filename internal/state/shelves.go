package state

import (
	"strings"

	"berth/internal/ecr"
	"berth/internal/ecs"
	"berth/internal/iam"
	"berth/internal/logs"
	"berth/internal/secret"
)

// Shelves are the tables that need no index of their own and are found by kind. A new one is a field here and a line in shelf and shelved.
type Shelves struct {
	Users            Table[string, iam.User]            // by iam.Key
	Groups           Table[string, iam.Group]           // by iam.Key
	Roles            Table[string, iam.Role]            // by iam.Key
	InstanceProfiles Table[string, iam.InstanceProfile] // by iam.Key
	Policies         Table[string, iam.Policy]
	AccessKeys       Table[string, iam.AccessKey]
	OIDCProviders    Table[string, iam.OIDCProvider]
	RoleDeletions    Table[string, iam.RoleDeletion]

	Secrets           Table[string, secret.Secret]
	SecretVersions    Table[string, secret.SecretVersion]
	Parameters        Table[string, secret.Parameter]
	ParameterVersions Table[string, secret.ParameterVersion]
	Activations       Table[string, secret.Activation]      // by secret.RegionKey
	ManagedInstances  Table[string, secret.ManagedInstance] // by secret.RegionKey

	identities *Moment // of the last change of an IAM record

	Repositories Table[string, ecr.Repository]
	LogGroups    Table[string, logs.Group]
}

// Moment stands for a moment: two that are the same are of the same moment.
type Moment struct{ _ byte }

// Identities is another one after each change of an IAM record, so that what follows from them can be kept for as long as it holds.
func (s *Shelves) Identities() *Moment { return s.identities }

// shelved are the kinds of Shelves.
func shelved() []ecs.Kind {
	return []ecs.Kind{
		iam.KindUser, iam.KindGroup, iam.KindRole, iam.KindInstanceProfile, iam.KindPolicy, iam.KindAccessKey, iam.KindOIDCProvider,
		iam.KindRoleDeletion,
		secret.KindSecret, secret.KindSecretVersion, secret.KindParameter, secret.KindParameterVersion, secret.KindActivation,
		secret.KindManagedInstance,
		ecr.KindRepository, logs.KindGroup,
	}
}

// shelf is the table of a kind, nil for a kind that is not of Shelves.
func (s *Shelves) shelf(k ecs.Kind) shelf {
	switch k {
	case iam.KindUser:
		return rows[iam.User, *iam.User]{&s.Users}
	case iam.KindGroup:
		return rows[iam.Group, *iam.Group]{&s.Groups}
	case iam.KindRole:
		return rows[iam.Role, *iam.Role]{&s.Roles}
	case iam.KindInstanceProfile:
		return rows[iam.InstanceProfile, *iam.InstanceProfile]{&s.InstanceProfiles}
	case iam.KindPolicy:
		return rows[iam.Policy, *iam.Policy]{&s.Policies}
	case iam.KindAccessKey:
		return rows[iam.AccessKey, *iam.AccessKey]{&s.AccessKeys}
	case iam.KindOIDCProvider:
		return rows[iam.OIDCProvider, *iam.OIDCProvider]{&s.OIDCProviders}
	case iam.KindRoleDeletion:
		return rows[iam.RoleDeletion, *iam.RoleDeletion]{&s.RoleDeletions}
	case secret.KindSecret:
		return rows[secret.Secret, *secret.Secret]{&s.Secrets}
	case secret.KindSecretVersion:
		return rows[secret.SecretVersion, *secret.SecretVersion]{&s.SecretVersions}
	case secret.KindParameter:
		return rows[secret.Parameter, *secret.Parameter]{&s.Parameters}
	case secret.KindParameterVersion:
		return rows[secret.ParameterVersion, *secret.ParameterVersion]{&s.ParameterVersions}
	case secret.KindActivation:
		return rows[secret.Activation, *secret.Activation]{&s.Activations}
	case secret.KindManagedInstance:
		return rows[secret.ManagedInstance, *secret.ManagedInstance]{&s.ManagedInstances}
	case ecr.KindRepository:
		return rows[ecr.Repository, *ecr.Repository]{&s.Repositories}
	case logs.KindGroup:
		return rows[logs.Group, *logs.Group]{&s.LogGroups}
	}
	return nil
}

// place puts r on its shelf, or takes it away; false where there is none for it.
func (s *Shelves) place(r ecs.Record, remove bool) (old ecs.Record, ok bool) {
	k := r.Kind()
	on := s.shelf(k)
	if on == nil {
		return nil, false
	}
	if strings.HasPrefix(string(k), iam.Prefix) {
		s.identities = new(Moment)
	}
	return on.put(r, remove), true
}

// shelf is a table whose records' type is known to itself only.
type shelf interface {
	put(r ecs.Record, remove bool) ecs.Record
	find(key string) ecs.Record
	size() int
	take(from shelf) // a copy of the table of the same kind
	fresh() ecs.Record
}

type rows[R any, P pointer[R]] struct{ table *Table[string, R] }

func (s rows[R, P]) put(r ecs.Record, remove bool) ecs.Record {
	return record[R, P](s.table.swap(r.Key(), keep((*R)(r.(P)), remove)))
}
func (s rows[R, P]) find(key string) ecs.Record { return record[R, P](s.table.Get(key)) }
func (s rows[R, P]) size() int                  { return s.table.Len() }
func (s rows[R, P]) take(from shelf)            { *s.table = from.(rows[R, P]).table.copy() }
func (s rows[R, P]) fresh() ecs.Record          { return P(new(R)) }

func (s *Shelves) copy() (c Shelves) {
	c.identities = s.identities
	for _, k := range shelved() {
		c.shelf(k).take(s.shelf(k))
	}
	return c
}

// fresh is an empty record of a kind of Shelves to decode into, nil for another kind.
func fresh(k ecs.Kind) ecs.Record {
	if s := new(Shelves).shelf(k); s != nil {
		return s.fresh()
	}
	return nil
}
