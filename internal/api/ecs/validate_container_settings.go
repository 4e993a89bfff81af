package ecs

import (
	"slices"
	"strconv"
	"strings"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
)

func containerEnvironment(_ *awsecs.RegisterTaskDefinitionInput, c *types.ContainerDefinition) error {
	for _, v := range c.Environment {
		if blank(v.Name) {
			return apierr.ClientException("Invalid 'environment' setting for container '%s': the name of a variable should not be null or empty.", *c.Name)
		}
	}
	if fault := environmentFilesFault(*c.Name, c.EnvironmentFiles); fault != "" {
		return apierr.ClientException("%s", fault)
	}
	return nil
}

func containerLimits(in *awsecs.RegisterTaskDefinitionInput, c *types.ContainerDefinition) error {
	for _, u := range c.Ulimits {
		if err := validateEnum("ulimits.name", u.Name); err != nil || u.Name == "" {
			return apierr.ClientException("Invalid 'ulimits' setting for container '%s': unknown limit '%s'.", *c.Name, u.Name)
		}
		if u.HardLimit < -1 || u.SoftLimit < -1 {
			return apierr.ClientException("Invalid 'ulimits' setting for container '%s': the limits of %s must be at least -1, which is none.", *c.Name, u.Name)
		}
		if u.HardLimit >= 0 && (u.SoftLimit > u.HardLimit || u.SoftLimit < 0) {
			return apierr.ClientException("Invalid 'ulimits' setting for container '%s': the soft limit of %s is above the hard limit.", *c.Name, u.Name)
		}
	}
	if fault := requirementsFault(*c.Name, c.ResourceRequirements); fault != "" {
		return apierr.ClientException("%s", fault)
	}
	for _, s := range c.SystemControls {
		if fault := controlFault(in, s); fault != "" {
			return apierr.ClientException("Invalid 'systemControls' setting for container '%s': %s.", *c.Name, fault)
		}
	}
	return nil
}

// requirementsFault says what is wrong with a container's resource requirements, "" where nothing is. Accelerators for inference are no more.
func requirementsFault(container string, list []types.ResourceRequirement) string {
	seen := false
	for _, r := range list {
		n, err := strconv.Atoi(text(r.Value))
		switch what := "Invalid 'resourceRequirements' setting for container '" + container + "'"; {
		case r.Type == "" || blank(r.Value):
			return what + ": type and value should not be null or empty."
		case r.Type == types.ResourceTypeInferenceAccelerator:
			return "Unsupported field 'inferenceAccelerators'"
		case r.Type != types.ResourceTypeGpu:
			return what + ": type should be one of [GPU]."
		case err != nil || n < 1:
			return what + ": the value of GPU should be a number of at least 1."
		case seen:
			return what + ": GPU is given more than once."
		}
		seen = true
	}
	return ""
}

// ipcControls are the kernel parameters of the namespace of interprocess communication; besides them there are those below fs.mqueue.
const ipcControls = "kernel.msgmax kernel.msgmnb kernel.msgmni kernel.sem kernel.shmall kernel.shmmax kernel.shmmni kernel.shm_rmid_forced"

// controlFault says what is wrong with a kernel parameter: it must be one of a namespace that the task does not share with the machine.
func controlFault(in *awsecs.RegisterTaskDefinitionInput, s types.SystemControl) string {
	name := text(s.Namespace)
	ipc := slices.Contains(strings.Fields(ipcControls), name) || strings.HasPrefix(name, "fs.mqueue.")
	network := strings.HasPrefix(name, "net.")
	switch {
	case name == "" || s.Value == nil:
		return "namespace and value should not be null"
	case network && in.NetworkMode == types.NetworkModeHost:
		return "the network namespace " + name + " is not supported when networkMode=host"
	case ipc && in.IpcMode == types.IpcModeHost:
		return "the IPC namespace " + name + " is not supported when ipcMode=host"
	case !ipc && !network:
		return "the namespace " + name + " is not supported"
	}
	return ""
}
