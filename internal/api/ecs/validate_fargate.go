package ecs

import (
	"fmt"
	"slices"
	"strings"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/ecs"
)

// fargateFault says what keeps Fargate from running a definition, as AWS refuses it; nil where nothing does.
func fargateFault(in *awsecs.RegisterTaskDefinitionInput) error {
	if err := firstFault(in, fargateTask, fargateStorage); err != nil {
		return err
	}
	cpu := 0
	for i := range in.ContainerDefinitions {
		c := &in.ContainerDefinitions[i]
		if err := fargateContainer(c); err != nil {
			return err
		}
		if err := fargateLogs(in, c); err != nil {
			return err
		}
		if privateECR(text(c.Image)) && blank(in.ExecutionRoleArn) {
			return apierr.ClientException("Fargate requires task definition to have execution role ARN to support ECR images.")
		}
		cpu += int(c.Cpu)
	}
	if cpu > ecs.CPUUnits(*in.Cpu) {
		return apierr.ClientException("%s", tooMuchCPU(cpu, ecs.CPUUnits(*in.Cpu)))
	}
	return nil
}

func fargateTask(in *awsecs.RegisterTaskDefinitionInput) error {
	switch {
	case in.NetworkMode != types.NetworkModeAwsvpc:
		return apierr.ClientException("Fargate only supports network mode ‘awsvpc’.")
	case in.Cpu == nil:
		return apierr.ClientException("Fargate requires that 'cpu' be defined at the task level.")
	case in.Memory == nil:
		return apierr.ClientException("Fargate requires that 'memory' be defined at the task level.")
	case !fargateSize(ecs.CPUUnits(*in.Cpu), ecs.MemoryMiB(*in.Memory)):
		return apierr.ClientException("%s", noFargateSize(ecs.CPUUnits(*in.Cpu), ecs.MemoryMiB(*in.Memory)))
	case in.IpcMode != "":
		return apierr.ClientException("Fargate compatible task definitions do not support ipcMode")
	case in.PidMode == types.PidModeHost:
		return apierr.ClientException("Tasks using the Fargate launch type do not support pidMode 'host'. The supported value for pidMode is 'task'.")
	case len(in.PlacementConstraints) > 0:
		return apierr.ClientException("Fargate compatible task definitions do not support constraints")
	}
	return nil
}

func fargateStorage(in *awsecs.RegisterTaskDefinitionInput) error {
	if fault := storageFault(in.EphemeralStorage); fault != "" {
		return apierr.ClientException("%s", fault)
	}
	for _, v := range in.Volumes {
		switch {
		case v.DockerVolumeConfiguration != nil:
			return apierr.ClientException("Fargate compatible task definitions do not support dockerVolumeConfiguration")
		case v.Host != nil && !blank(v.Host.SourcePath):
			return apierr.ClientException("Fargate compatible task definitions do not support sourcePath")
		}
	}
	return nil
}

func fargateContainer(c *types.ContainerDefinition) error {
	switch {
	case yes(c.Privileged):
		return apierr.ClientException("Fargate requires that the 'privileged' setting be 'false'.")
	case len(c.ResourceRequirements) > 0:
		return apierr.ClientException("Fargate compatible task definitions do not support resourceRequirements")
	case len(c.DockerSecurityOptions) > 0:
		return apierr.ClientException("Fargate compatible task definitions do not support dockerSecurityOptions")
	case outside(c.StartTimeout, 0, 120) || outside(c.StopTimeout, 0, 120):
		return apierr.ClientException("The 'startTimeout' and 'stopTimeout' settings for container '%s' can be at most 120 seconds on Fargate.", *c.Name)
	}
	l := c.LinuxParameters
	if l == nil {
		return nil
	}
	switch {
	case len(l.Devices) > 0:
		return apierr.ClientException("Fargate compatible task definitions do not support devices")
	case l.MaxSwap != nil:
		return apierr.ClientException("Fargate compatible task definitions do not support maxSwap")
	case l.Swappiness != nil:
		return apierr.ClientException("Fargate compatible task definitions do not support swappiness")
	case l.SharedMemorySize != nil:
		return apierr.ClientException("Fargate compatible task definitions do not support sharedMemorySize")
	case len(l.Tmpfs) > 0:
		return apierr.ClientException("Fargate compatible task definitions do not support tmpfs")
	}
	if l.Capabilities != nil {
		for _, add := range l.Capabilities.Add {
			if add != "SYS_PTRACE" {
				return apierr.ClientException("%s is not allowed on Fargate.", add)
			}
		}
	}
	return nil
}

// fargateDrivers are the log drivers of Fargate, as AWS lists them.
const fargateDrivers = "awslogs, splunk, awsfirelens"

func fargateLogs(in *awsecs.RegisterTaskDefinitionInput, c *types.ContainerDefinition) error {
	l := c.LogConfiguration
	switch {
	case l == nil:
		return nil
	case !slices.Contains(strings.Split(fargateDrivers, ", "), string(l.LogDriver)):
		return apierr.ClientException("%s is not a valid log driver. Must be one of [%s]", l.LogDriver, fargateDrivers)
	case l.LogDriver != types.LogDriverAwslogs:
		return nil
	case blank(in.ExecutionRoleArn):
		return apierr.ClientException("Fargate requires task definition to have execution role ARN to support log driver awslogs.")
	case l.Options["awslogs-stream-prefix"] == "":
		return apierr.ClientException("Fargate requires log configuration options to include awslogs-stream-prefix to support log driver awslogs.")
	}
	return nil
}

// storageFault says what is wrong with a size of ephemeral storage, "" where nothing is.
func storageFault(s *types.EphemeralStorage) string {
	switch {
	case s == nil:
		return ""
	case s.SizeInGiB < 21:
		return "EphemeralStorage size should be at least 21"
	case s.SizeInGiB > 200:
		return "EphemeralStorage size should be at most 200"
	}
	return ""
}

func tooMuchCPU(cpu, task int) string {
	return fmt.Sprintf("The sum of all container 'cpu' values cannot be greater than the task-level 'cpu' value: %d is more than %d.", cpu, task)
}

func noFargateSize(cpu, mib int) string {
	return fmt.Sprintf("No Fargate configuration exists for given values: %d CPU, %d memory. See the Amazon ECS documentation for the valid values.", cpu, mib)
}

// fargateSize reports whether Fargate has tasks of that size.
func fargateSize(cpu, mib int) bool {
	within := func(low, high, step int) bool { return mib >= low && mib <= high && mib%step == 0 }
	switch cpu {
	case 256:
		return mib == 512 || mib == 1024 || mib == 2048
	case 512:
		return within(1024, 4096, 1024)
	case 1024:
		return within(2048, 8192, 1024)
	case 2048:
		return within(4096, 16384, 1024)
	case 4096:
		return within(8192, 30720, 1024)
	case 8192:
		return within(16384, 61440, 4096)
	case 16384:
		return within(32768, 122880, 8192)
	}
	return false
}
