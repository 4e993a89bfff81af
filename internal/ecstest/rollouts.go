package ecstest

import (
	"context"
	"slices"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// stopDeployment stops the newest service deployment of a service, and looks whether a read shows it. Two in three times it begins one before:
// most others are over soon.
func (w *world) stopDeployment(ctx context.Context, x Step) {
	if x.C%3 > 0 {
		w.updateService(ctx, x)
	}
	_, unlock := w.lock(x.A)
	defer unlock()
	list, err := w.api.ListServiceDeployments(ctx, &awsecs.ListServiceDeploymentsInput{Service: serviceName(x.A)})
	if err != nil || len(list.ServiceDeployments) == 0 {
		return
	}
	newest := list.ServiceDeployments[0].ServiceDeploymentArn
	how := types.StopServiceDeploymentStopTypeRollback
	if x.B%2 == 1 {
		how = types.StopServiceDeploymentStopTypeAbort
	}
	_, err = w.api.StopServiceDeployment(ctx, &awsecs.StopServiceDeploymentInput{ServiceDeploymentArn: newest, StopType: how})
	w.watch.note("StopServiceDeployment %s %s: %s", *serviceName(x.A), how, outcome(err))
	if err != nil {
		return
	}
	w.mu.Lock()
	w.halted[*newest] = true
	w.mu.Unlock()
	out, err := w.api.DescribeServiceDeployments(ctx, &awsecs.DescribeServiceDeploymentsInput{ServiceDeploymentArns: []string{*newest}})
	if err != nil || len(out.ServiceDeployments) != 1 {
		return
	}
	if s := out.ServiceDeployments[0].Status; slices.Contains(goingOn, s) || s == types.ServiceDeploymentStatusSuccessful {
		w.watch.wrong("I8", "a service deployment of %s is %s right after its stop was acknowledged", *serviceName(x.A), s)
	}
}
