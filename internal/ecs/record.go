// Package ecs holds the records that Berth keeps of ECS's resources, and the rules about one record.
//
// A record in the store is never changed: writers copy it, change the copy and put that. Field names are AWS's own, so that a stored
// value reads like an API answer. Fields that take no value are left out of it, which keeps records small.
package ecs

import (
	"berth/internal/awswire"
	"berth/internal/record"
)

// Record is what the store keeps.
type Record = record.Record

// Kind names a table.
type Kind = record.Kind

// The kinds of records.
const (
	KindCluster           Kind = "cluster"
	KindFamily            Kind = "task-definition-family"
	KindDefinition        Kind = "task-definition"
	KindService           Kind = "service"
	KindEvent             Kind = "service-event"
	KindServiceDeployment Kind = "service-deployment"
	KindServiceRevision   Kind = "service-revision"
	KindTask              Kind = "task"
	KindInstance          Kind = "container-instance"
	KindCredential        Kind = "credential"
	KindJoinToken         Kind = "join-token"
	KindClientRequest     Kind = "client-request"
	KindSetting           Kind = "setting"

	KindAccountSetting Kind = "account-setting"

	KindPool       Kind = "fargate-pool"
	KindPoolMember Kind = "fargate-pool-member"
)

// RecordVersion is the version of the records that this program knows. It grows by one with the first release that adds a member or a kind:
// those carry its number, a member in its tag `since:"2"`, a kind in Since, and are written only once every replica knows it (state.Tx.Version).
const RecordVersion = 1

// Since is the record version that brought a kind.
func Since(Kind) int { return 1 }

// Unknown keeps the members of a stored record that this version does not know, so that rewriting it loses nothing.
type Unknown = awswire.Unknown

// New returns an empty record of a kind to decode into, nil for a kind that this version does not know.
func New(k Kind) Record {
	switch k {
	case KindCluster:
		return &Cluster{}
	case KindFamily:
		return &Family{}
	case KindDefinition:
		return &TaskDefinition{}
	case KindService:
		return &Service{}
	case KindEvent:
		return &Event{}
	case KindServiceDeployment:
		return &ServiceDeployment{}
	case KindServiceRevision:
		return &ServiceRevision{}
	case KindTask:
		return &Task{}
	case KindInstance:
		return &Instance{}
	case KindCredential:
		return &Credential{}
	case KindJoinToken:
		return &JoinToken{}
	case KindClientRequest:
		return &ClientRequest{}
	case KindSetting:
		return &Setting{}
	case KindAccountSetting:
		return &AccountSetting{}
	case KindPool:
		return &Pool{}
	case KindPoolMember:
		return &PoolMember{}
	}
	return nil
}
