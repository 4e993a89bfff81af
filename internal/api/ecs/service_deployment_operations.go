package ecs

import (
	"crypto/rand"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/deployment"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// serviceDeploymentOperations are the operations on service deployments and revisions.
func (a *API) serviceDeploymentOperations() []frontdoor.Operation {
	return []frontdoor.Operation{
		frontdoor.Op("ListServiceDeployments", a.listServiceDeployments).On(func(r *frontdoor.Request, in any) []string {
			i := in.(*awsecs.ListServiceDeploymentsInput)
			return serviceResources(r, i.Cluster, text(i.Service))
		}),
		frontdoor.Op("DescribeServiceDeployments", a.describeServiceDeployments).On(func(_ *frontdoor.Request, in any) []string {
			return in.(*awsecs.DescribeServiceDeploymentsInput).ServiceDeploymentArns
		}),
		frontdoor.Op("DescribeServiceRevisions", a.describeServiceRevisions).On(func(_ *frontdoor.Request, in any) []string {
			return in.(*awsecs.DescribeServiceRevisionsInput).ServiceRevisionArns
		}),
		frontdoor.Op("StopServiceDeployment", a.stopServiceDeployment).On(func(_ *frontdoor.Request, in any) []string {
			return []string{text(in.(*awsecs.StopServiceDeploymentInput).ServiceDeploymentArn)}
		}),
	}
}

// mostRollouts is how many service deployments or revisions one request can name.
const mostRollouts = 20

// namedRollouts checks the ARNs of service deployments or revisions that a request names.
func namedRollouts(r *frontdoor.Request, member, kind string, arns []string) error {
	switch {
	case len(arns) == 0:
		return apierr.InvalidParameter("%s can not be empty.", member)
	case len(arns) > mostRollouts:
		return apierr.InvalidParameter("%s can have at most %d items.", member, mostRollouts)
	}
	for _, a := range arns {
		if err := namedRollout(r, kind, a); err != nil {
			return err
		}
	}
	return nil
}

// namedRollout checks the ARN of a service deployment or revision, which must be of the request's account and region.
func namedRollout(r *frontdoor.Request, kind, a string) error {
	s, err := serviceOf(kind, a)
	if err != nil {
		return err
	}
	_, err = identify(r.Scope, "service", string(s))
	return err
}

// serviceOf is the service that a service deployment's or a revision's ARN belongs to.
func serviceOf(kind, a string) (arn.Service, error) {
	p, err := arn.Parse(a)
	if err != nil || p.Service != "ecs" {
		return "", apierr.InvalidParameter("Invalid identifier: Identifier is for %s. Your identifier is %s", kind, a)
	}
	k, rest, _ := strings.Cut(p.Resource, "/")
	parts := strings.Split(rest, "/")
	if k != kind || len(parts) != 3 || parts[0] == "" || parts[1] == "" || parts[2] == "" {
		return "", apierr.InvalidParameter("Invalid identifier: Identifier is for %s. Your identifier is %s", kind, a)
	}
	return p.Scope.Cluster(parts[0]).Service(parts[1]), nil
}

// beginDeployment begins a new deployment of s, a clone, with its service deployment and revision. One that is still going on is stopped.
func beginDeployment(tx *state.Tx, s *ecs.Service, id string, at time.Time) {
	counts := func(id string) ecs.Counts { return tx.Tasks.Counts(s.ServiceArn, id) }
	s.Begin(id, at)
	if old := tx.Rollouts.Get(s.ServiceDeployment); old != nil && !old.Over() {
		n := old.Clone()
		deployment.Follow(s, n, counts, at)
		tx.Put(n)
	}
	revision, rollout := s.Deploy(rand.Text()[:21], counts, at)
	tx.Put(revision)
	tx.Put(rollout)
}

// serviceDeploymentView is a service deployment as DescribeServiceDeployments shows it.
func serviceDeploymentView(t *state.Tables, d *ecs.ServiceDeployment) types.ServiceDeployment {
	a, _ := serviceOf("service-deployment", d.ServiceDeploymentArn) // as it was made
	s := t.Services.Get(a)
	v := types.ServiceDeployment{
		ServiceDeploymentArn: &d.ServiceDeploymentArn, ServiceArn: new(string(a)), ClusterArn: new(string(a.Cluster())),
		CreatedAt: &d.CreatedAt, StartedAt: d.StartedAt, StoppedAt: d.StoppedAt, FinishedAt: d.FinishedAt, UpdatedAt: &d.UpdatedAt,
		Status: d.Status, StatusReason: optional(d.StatusReason), Rollback: d.Rollback, SourceServiceRevisions: []types.ServiceRevisionSummary{},
		DeploymentConfiguration: deploymentConfigurationView(d.DeploymentConfiguration), DeploymentCircuitBreaker: breakerView(s, d),
		Alarms: &types.ServiceDeploymentAlarms{Status: types.ServiceDeploymentRollbackMonitorsStatusDisabled},
	}
	summary := func(r ecs.Rollout) types.ServiceRevisionSummary {
		if !d.Over() {
			r.Count(t.Tasks.Counts(a, r.Deployment))
			if s != nil && s.Primary() != nil && s.Primary().ID == r.Deployment {
				r.Requested = s.DesiredCount
			}
		}
		of := &ecs.Service{ServiceArn: a}
		return types.ServiceRevisionSummary{
			Arn: new(of.Revision(r.Deployment)), RequestedTaskCount: int32(r.Requested), RunningTaskCount: int32(r.Running), PendingTaskCount: int32(r.Pending),
		}
	}
	for _, r := range d.Sources {
		v.SourceServiceRevisions = append(v.SourceServiceRevisions, summary(r))
	}
	v.TargetServiceRevision = new(summary(d.Target))
	return v
}

// breakerView is what the circuit breaker makes of the service deployment.
func breakerView(s *ecs.Service, d *ecs.ServiceDeployment) *types.ServiceDeploymentCircuitBreaker {
	v := &types.ServiceDeploymentCircuitBreaker{Status: types.ServiceDeploymentRollbackMonitorsStatusDisabled, FailureCount: int32(d.Failures)}
	desired := d.Target.Requested
	if s != nil && !d.Over() {
		desired = s.DesiredCount
		if target := s.Deployment(d.Target.Deployment); target != nil {
			v.FailureCount = int32(target.FailedTasks)
		}
	}
	v.Threshold = int32(deployment.ThresholdOf(d, desired))
	if c := d.DeploymentConfiguration; c == nil || c.DeploymentCircuitBreaker == nil || !c.DeploymentCircuitBreaker.Enable {
		return v
	}
	switch {
	case d.Triggered:
		v.Status = types.ServiceDeploymentRollbackMonitorsStatusTriggered
	case d.Over():
		v.Status = types.ServiceDeploymentRollbackMonitorsStatusMonitoringComplete
	default:
		v.Status = types.ServiceDeploymentRollbackMonitorsStatusMonitoring
	}
	return v
}

// briefView is a service deployment as ListServiceDeployments shows it.
func briefView(d *ecs.ServiceDeployment) types.ServiceDeploymentBrief {
	a, _ := serviceOf("service-deployment", d.ServiceDeploymentArn) // as it was made
	of := &ecs.Service{ServiceArn: a}
	return types.ServiceDeploymentBrief{
		ServiceDeploymentArn: &d.ServiceDeploymentArn, ServiceArn: new(string(a)), ClusterArn: new(string(a.Cluster())), CreatedAt: &d.CreatedAt,
		StartedAt: d.StartedAt, FinishedAt: d.FinishedAt, Status: d.Status, StatusReason: optional(d.StatusReason),
		TargetServiceRevisionArn: aws.String(of.Revision(d.Target.Deployment)),
	}
}
