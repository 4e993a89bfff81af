package ecs

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
)

// CloudWatch's limits: of an alarm's name, in characters, and of alarms that can be asked for at once.
const (
	mostAlarmName = 255
	mostAlarms    = 100
)

// validateAlarms checks the alarms of a deployment configuration. Whether there are alarms of these names nobody knows here: a deployment is not
// watched by them yet.
func validateAlarms(a *types.DeploymentAlarms) error {
	const member = "deploymentConfiguration.alarms.alarmNames"
	switch {
	case a == nil:
		return nil
	case a.Enable && len(a.AlarmNames) == 0:
		return apierr.InvalidParameter(member + " should not be null or empty where alarms are enabled.")
	case len(a.AlarmNames) > mostAlarms:
		return apierr.InvalidParameter(member+" can have at most %d items.", mostAlarms)
	}
	for i, name := range a.AlarmNames {
		switch {
		case name == "" || len(name) > mostAlarmName:
			return apierr.InvalidParameter(member+" should be 1 to %d characters long, but one has %d.", mostAlarmName, len(name))
		case slices.Contains(a.AlarmNames[:i], name):
			return apierr.InvalidParameter(member+" has '%s' more than once.", name)
		}
	}
	return nil
}

// storedAlarms are the alarms as records keep them.
func storedAlarms(a *types.DeploymentAlarms) *types.DeploymentAlarms {
	return &types.DeploymentAlarms{AlarmNames: orNone(a.AlarmNames), Enable: a.Enable, Rollback: a.Rollback}
}
