package ecstest

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/arn"
	"berth/internal/ecs"
)

// someInstance is the ath of the container instances, "" if there is none.
func (w *world) someInstance(ctx context.Context, a int) string {
	list, err := w.api.ListContainerInstances(ctx, &awsecs.ListContainerInstancesInput{})
	if err != nil || len(list.ContainerInstanceArns) == 0 {
		return ""
	}
	slices.Sort(list.ContainerInstanceArns)
	return list.ContainerInstanceArns[a%len(list.ContainerInstanceArns)]
}

// describe reads an instance, nil if that fails.
func (w *world) describe(ctx context.Context, instance string) *types.ContainerInstance {
	out, err := w.api.DescribeContainerInstances(ctx, &awsecs.DescribeContainerInstancesInput{ContainerInstances: []string{instance}})
	if err != nil || len(out.ContainerInstances) != 1 {
		return nil
	}
	return &out.ContainerInstances[0]
}

func (w *world) drain(ctx context.Context, x Step) {
	i := w.someInstance(ctx, x.A)
	if i == "" {
		return
	}
	status := types.ContainerInstanceStatusActive
	if x.B%2 == 1 {
		status = types.ContainerInstanceStatusDraining
	}
	_, err := w.api.UpdateContainerInstancesState(ctx, &awsecs.UpdateContainerInstancesStateInput{ContainerInstances: []string{i}, Status: status})
	w.watch.note("%s %s: %s", status, arn.Instance(i).ID()[:8], outcome(err))
}

// deregister takes an instance away. Its agent, which goes on, registers as another one.
func (w *world) deregister(ctx context.Context, x Step) {
	i := w.someInstance(ctx, x.A)
	if i == "" {
		return
	}
	_, err := w.api.DeregisterContainerInstance(ctx, &awsecs.DeregisterContainerInstanceInput{ContainerInstance: &i, Force: aws.Bool(x.B%2 == 1)})
	w.watch.note("DeregisterContainerInstance %s: %s", arn.Instance(i).ID()[:8], outcome(err))
	if err != nil {
		return
	}
	w.mu.Lock()
	w.gone[arn.Instance(i)] = true
	w.mu.Unlock()
	if is := w.describe(ctx, i); is != nil && *is.Status != ecs.Inactive {
		w.watch.wrong("I8", "instance %s is %s right after its deregistration was acknowledged", arn.Instance(i).ID()[:8], *is.Status)
	}
}

// changeAttribute puts an attribute on an instance, or takes it away.
func (w *world) changeAttribute(ctx context.Context, x Step) {
	defer w.turn("attributes")()
	i := w.someInstance(ctx, x.A)
	if i == "" {
		return
	}
	a := types.Attribute{Name: aws.String(attributes[x.B%len(attributes)]), TargetId: &i}
	value := ""
	var err error
	if x.Do == DeleteAttribute {
		_, err = w.api.DeleteAttributes(ctx, &awsecs.DeleteAttributesInput{Attributes: []types.Attribute{a}})
	} else {
		value = values[x.C%len(values)]
		a.Value = &value
		_, err = w.api.PutAttributes(ctx, &awsecs.PutAttributesInput{Attributes: []types.Attribute{a}})
	}
	w.watch.note("%s %s %s=%s: %s", x.Do, arn.Instance(i).ID()[:8], *a.Name, value, outcome(err))
	if !w.keep(fact{"attribute", i, *a.Name}, value, err) {
		return
	}
	is := w.describe(ctx, i)
	if is == nil || *is.Status == ecs.Inactive {
		return
	}
	n := slices.IndexFunc(is.Attributes, func(o types.Attribute) bool { return *o.Name == *a.Name })
	if n < 0 && value != "" || n >= 0 && aws.ToString(is.Attributes[n].Value) != value {
		w.watch.wrong("I8", "instance %s has another %s than %q right after that was acknowledged", arn.Instance(i).ID()[:8], *a.Name, value)
	}
}
