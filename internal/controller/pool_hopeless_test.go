package controller

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/ecs"
)

// Tasks that need what no member has do not wait for ever: they end once the first member shows that it lacks it, those of services without having failed.
func TestPoolEndsWhatNoMemberCanRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFargate(t)
		d := *f.definition
		d.Definition.RequiresAttributes = []types.Attribute{{Name: new("com.amazonaws.ecs.capability.logging-driver.awslogs")}}
		f.put(&d)
		f.definition = &d
		f.start(poolRules())
		f.wait(1, "a")
		f.pass(time.Minute) // the member is there: a look that finds all of them waiting before launches more
		f.wait(1, "a", ofService)
		f.wait(2*budget, "a") // more than one Update takes
		f.pass(time.Minute)
		for x := range f.s.View().Tasks.All() {
			if !x.Over() || x.StopCode != types.TaskStopCodeTaskFailedToStart || x.StoppedReason != ecs.CapacityUnavailable || x.Counted != (x.Service != "") {
				t.Errorf("%s is %s, %s: %s, counted %v", x.TaskArn.ID(), x.LastStatus, x.StopCode, x.StoppedReason, x.Counted)
			}
		}
		f.want(0, 0, 1, 1, 1)
	})
}
