package ecs

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/arn"
)

// Status of clusters, services, container instances, task definitions and deployments, as AWS spells them.
const (
	Active           = "ACTIVE"
	Inactive         = "INACTIVE"
	Draining         = "DRAINING"
	DeleteInProgress = "DELETE_IN_PROGRESS"
)

// Cluster is a cluster, ACTIVE or INACTIVE. Written by: the cluster operations.
type Cluster struct {
	ClusterArn                      arn.Cluster
	Status                          string
	Settings                        []types.ClusterSetting
	Configuration                   *types.ClusterConfiguration
	CapacityProviders               []string
	DefaultCapacityProviderStrategy []types.CapacityProviderStrategyItem
	ServiceConnectDefaults          *types.ClusterServiceConnectDefaults
	Tags                            []types.Tag
	CreatedAt                       time.Time
	InactiveAt                      *time.Time // when it was deleted
	// LostInstances are the times when instances of this cluster were deregistered as lost (design D16), the newest last, none older than ten minutes.
	// Written by: controller instances.
	LostInstances []time.Time
	Unknown       Unknown
}

func (*Cluster) Kind() Kind    { return KindCluster }
func (c *Cluster) Key() string { return string(c.ClusterArn) }

// Family counts the revisions of a task definition family, so that a number is never used twice.
type Family struct {
	Scope        string // the family's ARN without a revision
	LastRevision int
	Unknown      Unknown
}

func (*Family) Kind() Kind    { return KindFamily }
func (f *Family) Key() string { return f.Scope }

// FamilyKey is the key of the family that a definition belongs to.
func FamilyKey(scope arn.Scope, family string) string {
	d := string(scope.TaskDefinition(family, 0))
	return d[:len(d)-len(":0")]
}

// TaskDefinition is one revision. Definition is the user's own, as registered and with AWS's defaults filled in; it never changes but for its status.
type TaskDefinition struct {
	Definition types.TaskDefinition
	Tags       []types.Tag
	Unknown    Unknown
}

func (*TaskDefinition) Kind() Kind    { return KindDefinition }
func (d *TaskDefinition) Key() string { return string(d.ARN()) }

// ARN is the definition's identity.
func (d *TaskDefinition) ARN() arn.TaskDefinition {
	if d.Definition.TaskDefinitionArn == nil {
		return ""
	}
	return arn.TaskDefinition(*d.Definition.TaskDefinitionArn)
}

// Container finds a container definition by name, nil if there is none.
func (d *TaskDefinition) Container(name string) *types.ContainerDefinition {
	for i := range d.Definition.ContainerDefinitions {
		if c := &d.Definition.ContainerDefinitions[i]; c.Name != nil && *c.Name == name {
			return c
		}
	}
	return nil
}
