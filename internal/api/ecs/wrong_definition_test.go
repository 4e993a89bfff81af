package ecs

import (
	"fmt"
	"strings"
	"testing"
)

// register is a wrong registration of family "f" with the task's members and one container's, besides its name "c", image and memory.
func register(task, container, message string) badRequest {
	if container != "" {
		container = "," + container
	}
	return containers(task, `{"name":"c","image":"i","memory":64`+container+`}`, message)
}

// containers is a wrong registration of family "f" with the task's members and all of its containers.
func containers(task, list, message string) badRequest {
	if task != "" {
		task = "," + task
	}
	return badRequest{"RegisterTaskDefinition", `{"family":"f"` + task + `,"containerDefinitions":[` + list + `]}`, client, message}
}

func TestWrongDefinitionHead(t *testing.T) {
	const see = " For more information, see the Troubleshooting section of the Amazon ECS Developer Guide."
	long := strings.Repeat("f", 256)
	c := `"containerDefinitions":[{"name":"c","image":"i","memory":64}]`
	eleven := strings.TrimSuffix(strings.Repeat(`{"name":"c","image":"i","memory":64},`, 11), ",")
	head := func(body, message string) badRequest {
		return badRequest{"RegisterTaskDefinition", body, client, message}
	}
	refuses(t, []badRequest{
		head(`{`+c+`}`, "Family should not be null or empty."),
		head(`{"family":"a.b",`+c+`}`, "Family should be 1 to 255 letters, digits, hyphens and underscores, but was 'a.b'."),
		head(`{"family":"`+long+`",`+c+`}`, "Family should be 1 to 255 letters, digits, hyphens and underscores, but was '"+long+"'."),
		head(`{"family":"f"}`, "Container list cannot be empty."),
		containers("", eleven, "A task definition can have at most 10 containers, but has 11."),
		register(`"tags":[]`, "", "Tags can not be empty."),
		register(`"tags":[{"key":"aws:x"}]`, "", "The tag key 'aws:x' is not allowed: aws: prefixed tag key names are not allowed for external use."),
		register("", `"command":["`+strings.Repeat("x", 64<<10)+`"]`, "Actual length: '65627'. Max allowed length is '65536' bytes."),
		register(`"inferenceAccelerators":[{"deviceName":"d","deviceType":"t"}]`, "", "Unsupported field 'inferenceAccelerators'"),
		register(`"networkMode":"x"`, "", "networkMode should be one of [bridge,host,awsvpc,none]"),
		register(`"pidMode":"x"`, "", "pidMode should be one of [host,task]"),
		register(`"ipcMode":"x"`, "", "ipcMode should be one of [host,task,none]"),
		register(`"requiresCompatibilities":["X"]`, "", "requiresCompatibilities should be one of [EC2,FARGATE,EXTERNAL,MANAGED_INSTANCES]"),
		register(`"runtimePlatform":{"cpuArchitecture":"x"}`, "", "runtimePlatform.cpuArchitecture should be one of [X86_64,ARM64]"),
		register(`"cpu":"127"`, "", "Invalid 'cpu' setting for task."+see),
		register(`"cpu":"196609"`, "", "Invalid 'cpu' setting for task."+see),
		register(`"cpu":"much"`, "", "Invalid 'cpu' setting for task."+see),
		register(`"memory":"5"`, "", "Invalid 'memory' setting for task."+see),
		register(`"memory":"99999999999"`, "", "Invalid 'memory' setting for task."+see),
		register(`"memory":"-5 GB"`, "", "Invalid 'memory' setting for task."+see),
		register(`"taskRoleArn":"arn:aws:s3:::b"`, "", "Role is not valid: taskRoleArn should be the name or ARN of an IAM role, but was 'arn:aws:s3:::b'."),
		register(`"taskRoleArn":"a b"`, "", "Role is not valid: taskRoleArn should be the name or ARN of an IAM role, but was 'a b'."),
		register(`"executionRoleArn":"arn:aws:iam::1:user/u"`, "",
			"Role is not valid: executionRoleArn should be the name or ARN of an IAM role, but was 'arn:aws:iam::1:user/u'."),
		register(`"proxyConfiguration":{"containerName":"c"}`, "", "APPMESH proxy configuration is only supported in networkMode=awsvpc"),
		register(`"networkMode":"awsvpc","proxyConfiguration":{"containerName":"x"}`, "", "Invalid 'proxyConfiguration' setting. Unknown container: 'x'"),
		register(`"placementConstraints":[{"type":"distinctInstance"}]`, "", "constraint.type 'distinctInstance' is not supported."),
		register(`"placementConstraints":[{"type":"memberOf"}]`, "", "memberOf expression should be specified"),
		register(`"placementConstraints":[{"type":"memberOf","expression":"attribute:a =~ ("}]`, "",
			"memberOf expression 'attribute:a =~ (' is invalid: an argument is missing at character 16"),
		register(`"placementConstraints":[`+strings.TrimSuffix(strings.Repeat(`{"type":"memberOf","expression":"x"},`, 11), ",")+`]`, "",
			"Maximum number of constraints is 10"),
		register(`"ephemeralStorage":{"sizeInGiB":21}`, "", "Tasks using the EC2 launch type do not support EphemeralStorage"),
		register(`"requiresCompatibilities":["EXTERNAL"],"networkMode":"awsvpc"`, "", "The EXTERNAL launch type does not support networkMode=awsvpc."),
	})
}

func TestWrongContainers(t *testing.T) {
	refuses(t, []badRequest{
		containers("", `{"image":"i","memory":64}`, "Container.name should not be null or empty."),
		containers("", `{"name":"a b","image":"i","memory":64}`, "Container.name should be 1 to 255 letters, digits, hyphens and underscores, but was 'a b'."),
		containers("", `{"name":"c","memory":64}`, "Container.image should not be null or empty."),
		containers("", `{"name":"c","image":"","memory":64}`, "Container.image should not be null or empty."),
		containers("", `{"name":"c","image":"a b","memory":64}`, "Container.image contains invalid characters."),
		containers("", `{"name":"c","image":"a:$X","memory":64}`, "Container.image contains invalid characters."),
		containers("", `{"name":"c","image":"i"}`, "Invalid setting for container 'c'. At least one of 'memory' or 'memoryReservation' must be specified."),
		containers("", `{"name":"c","image":"i","memory":5}`, "Invalid 'memory' setting for container 'c': it must be at least 6 MiB."),
		containers("", `{"name":"c","image":"i","memoryReservation":5}`, "Invalid 'memoryReservation' setting for container 'c': it must be at least 6 MiB."),
		register("", `"memoryReservation":65`, "Invalid setting for container 'c'. 'memory' must be greater than or equal to 'memoryReservation'."),
		register(`"memory":"63"`, "", "The 'memory' setting for container 'c' is greater than for the task."),
		containers(`"memory":"63"`, `{"name":"c","image":"i","memoryReservation":64}`,
			"The 'memoryReservation' setting for container 'c' is greater than the 'memory' setting for the task."),
		register("", `"cpu":-1`, "Invalid 'cpu' setting for container 'c': it must not be negative."),
		register("", `"versionConsistency":"x"`, "Container.versionConsistency should be one of [enabled,disabled]"),
		register("", `"startTimeout":-1`, "Invalid 'startTimeout' setting for container 'c': it must be between 0 and 86400 seconds."),
		register("", `"stopTimeout":86401`, "Invalid 'stopTimeout' setting for container 'c': it must be between 0 and 86400 seconds."),
		containers("", `{"name":"c","image":"i","memory":64},{"name":"c","image":"i","memory":64}`,
			"Container names must be unique within a task definition: 'c' is used more than once."),
		register("", `"essential":false`, "Task definition doesn't have any essential container"),
		register("", `"healthCheck":{"command":[]}`, "Invalid 'healthCheck' setting for container 'c': command must begin with CMD, CMD-SHELL or NONE."),
		register("", `"healthCheck":{"command":["true"]}`, "Invalid 'healthCheck' setting for container 'c': command must begin with CMD, CMD-SHELL or NONE."),
		register("", `"restartPolicy":{}`, "Invalid 'restartPolicy' setting for container 'c': enabled should not be null."),
		register("", `"restartPolicy":{"enabled":true,"restartAttemptPeriod":59}`,
			"The 'restartAttemptPeriod' setting for container 'c' must be between 60 and 1800 seconds."),
		register("", `"restartPolicy":{"enabled":true,"restartAttemptPeriod":1801}`,
			"The 'restartAttemptPeriod' setting for container 'c' must be between 60 and 1800 seconds."),
		register("", `"restartPolicy":{"enabled":true,"ignoredExitCodes":[`+strings.TrimSuffix(strings.Repeat("1,", 51), ",")+`]}`,
			"Invalid 'restartPolicy' setting for container 'c': ignoredExitCodes can have at most 50 items."),
		register("", `"environment":[{"value":"v"}]`, "Invalid 'environment' setting for container 'c': the name of a variable should not be null or empty."),
		register("", `"environmentFiles":[`+strings.TrimSuffix(strings.Repeat(`{"type":"s3","value":"arn:aws:s3:::b/f"},`, 11), ",")+`]`,
			"The maximum number of environment files was exceeded. Specify ten or less and try again."),
		register("", `"environmentFiles":[{"type":"x","value":"arn:aws:s3:::b/f"}]`, "environmentFiles.type should be one of [s3]"),
		register("", `"environmentFiles":[{"type":"s3","value":"f"}]`,
			"Invalid arn syntax: the environment file 'f' of container 'c' should be the ARN of an S3 object."),
		register("", `"environmentFiles":[{"type":"s3","value":"arn:aws:s3:::bucket"}]`,
			"Invalid arn syntax: the environment file 'arn:aws:s3:::bucket' of container 'c' should be the ARN of an S3 object."),
		register("", `"environmentFiles":[{"type":"s3","value":"arn:aws:sqs:::b/f.env"}]`,
			"Invalid arn syntax: the environment file 'arn:aws:sqs:::b/f.env' of container 'c' should be the ARN of an S3 object."),
		register("", `"environmentFiles":[{"type":"s3","value":"arn:aws:s3:::b/f.txt"}]`,
			"Invalid environment file 'arn:aws:s3:::b/f.txt' of container 'c': it should have the extension .env."),
		register("", `"secrets":[{"name":"S"}]`, "Invalid 'secrets' setting for container 'c': name and valueFrom should not be null or empty."),
		register("", `"secrets":[{"name":"S","valueFrom":"p"}]`,
			"When you are specifying container secrets, you must also specify a value for 'executionRoleArn'."),
		register(`"executionRoleArn":"r"`, `"secrets":[{"name":"A=B","valueFrom":"p"}]`, "Invalid 'secrets' setting for container 'c': the name \"A=B\" contains invalid characters."),
		register(`"executionRoleArn":"r"`, `"secrets":[{"name":"S","valueFrom":"p"}],"environment":[{"name":"S","value":"v"}]`, sharedName("S")),
		register(`"executionRoleArn":"r"`, `"secrets":[{"name":"S","valueFrom":"p"},{"name":"S","valueFrom":"q"}]`, sharedName("S")),
		register("", `"logConfiguration":{"logDriver":"splunk","secretOptions":[{"name":"splunk-token","valueFrom":"p"}]}`,
			"When you are specifying container secrets, you must also specify a value for 'executionRoleArn'."),
		register(`"executionRoleArn":"r"`, `"logConfiguration":{"logDriver":"splunk","secretOptions":[{"name":"splunk-token"}]}`,
			"Invalid 'logConfiguration.secretOptions' setting for container 'c': name and valueFrom should not be null or empty."),
		register(`"executionRoleArn":"r"`, `"logConfiguration":{"logDriver":"splunk","secretOptions":[{"name":"n","valueFrom":"p"}]}`, "Log driver splunk disallows options: n"),
		register(`"executionRoleArn":"r"`, `"logConfiguration":{"logDriver":"splunk","options":{"splunk-token":"t"},"secretOptions":[{"name":"splunk-token","valueFrom":"p"}]}`,
			"Invalid 'logConfiguration.secretOptions' setting for container 'c': the option 'splunk-token' is given more than once."),
		register("", `"repositoryCredentials":{}`, "Invalid 'repositoryCredentials' setting for container 'c': credentialsParameter should not be null or empty."),
		register("", `"repositoryCredentials":{"credentialsParameter":"p"}`, "Private repository authentication requires that the task definition specify a value for executionRoleArn."),
		register("", `"ulimits":[{"name":"x","hardLimit":1,"softLimit":1}]`, "Invalid 'ulimits' setting for container 'c': unknown limit 'x'."),
		register("", `"ulimits":[{"name":"nofile","hardLimit":1,"softLimit":2}]`, "Invalid 'ulimits' setting for container 'c': the soft limit of nofile is above the hard limit."),
		register("", `"ulimits":[{"name":"nofile","hardLimit":-2,"softLimit":1}]`,
			"Invalid 'ulimits' setting for container 'c': the limits of nofile must be at least -1, which is none."),
		register("", `"ulimits":[{"name":"nofile","hardLimit":-1,"softLimit":-2}]`,
			"Invalid 'ulimits' setting for container 'c': the limits of nofile must be at least -1, which is none."),
		register("", `"resourceRequirements":[{"type":"GPU"}]`, "Invalid 'resourceRequirements' setting for container 'c': type and value should not be null or empty."),
		register("", `"resourceRequirements":[{"type":"TPU","value":"1"}]`, "Invalid 'resourceRequirements' setting for container 'c': type should be one of [GPU]."),
		register("", `"resourceRequirements":[{"type":"GPU","value":"0"}]`,
			"Invalid 'resourceRequirements' setting for container 'c': the value of GPU should be a number of at least 1."),
		register("", `"resourceRequirements":[{"type":"GPU","value":"1"},{"type":"GPU","value":"1"}]`,
			"Invalid 'resourceRequirements' setting for container 'c': GPU is given more than once."),
		register("", `"resourceRequirements":[{"type":"InferenceAccelerator","value":"d"}]`, "Unsupported field 'inferenceAccelerators'"),
		register("", `"systemControls":[{"namespace":"n"}]`, "Invalid 'systemControls' setting for container 'c': namespace and value should not be null."),
		register(`"networkMode":"host"`, `"systemControls":[{"namespace":"net.core.somaxconn","value":"1"}]`,
			"Invalid 'systemControls' setting for container 'c': the network namespace net.core.somaxconn is not supported when networkMode=host."),
		register(`"ipcMode":"host"`, `"systemControls":[{"namespace":"fs.mqueue.msg_max","value":"1"}]`,
			"Invalid 'systemControls' setting for container 'c': the IPC namespace fs.mqueue.msg_max is not supported when ipcMode=host."),
		register("", `"systemControls":[{"namespace":"vm.swappiness","value":"1"}]`,
			"Invalid 'systemControls' setting for container 'c': the namespace vm.swappiness is not supported."),
		register("", `"linuxParameters":{"tmpfs":[{"containerPath":"t","size":1}]}`,
			"Invalid 'linuxParameters' setting for container 'c': a tmpfs needs an absolute containerPath and a size of at least 1 MiB."),
		register("", `"linuxParameters":{"tmpfs":[{"containerPath":"/t","size":0}]}`,
			"Invalid 'linuxParameters' setting for container 'c': a tmpfs needs an absolute containerPath and a size of at least 1 MiB."),
		register("", `"linuxParameters":{"tmpfs":[{"containerPath":"/t","size":1,"mountOptions":["ro","size=9"]}]}`,
			"Invalid 'linuxParameters' setting for container 'c': unknown mount option 'size=9' of a tmpfs."),
		register("", `"linuxParameters":{"tmpfs":[{"containerPath":"/t","size":1,"mountOptions":["ro,size=9"]}]}`,
			"Invalid 'linuxParameters' setting for container 'c': unknown mount option 'ro,size=9' of a tmpfs."),
		register("", `"linuxParameters":{"capabilities":{"add":["SYS_GOD"]}}`, "Invalid 'linuxParameters' setting for container 'c': unknown capability 'SYS_GOD'."),
		register("", `"linuxParameters":{"capabilities":{"drop":["CAP_CHOWN"]}}`, "Invalid 'linuxParameters' setting for container 'c': unknown capability 'CAP_CHOWN'."),
		register("", `"linuxParameters":{"devices":[{}]}`, "Invalid 'linuxParameters' setting for container 'c': the hostPath of a device should not be null or empty."),
		register("", `"linuxParameters":{"devices":[{"hostPath":"/d","permissions":["x"]}]}`,
			"linuxParameters.devices.permissions should be one of [read,write,mknod]"),
		register("", `"linuxParameters":{"swappiness":101}`, "Invalid 'linuxParameters' setting for container 'c': swappiness must be between 0 and 100."),
		register("", `"linuxParameters":{"maxSwap":-1}`, "Invalid 'linuxParameters' setting for container 'c': maxSwap must not be negative."),
		register("", `"linuxParameters":{"sharedMemorySize":0}`, "Invalid 'linuxParameters' setting for container 'c': sharedMemorySize must be at least 1 MiB."),
		register("", `"logConfiguration":{}`, "logConfiguration.logDriver should not be null or empty."),
		register("", `"logConfiguration":{"logDriver":"x"}`,
			"logConfiguration.logDriver should be one of [json-file,syslog,journald,gelf,fluentd,awslogs,splunk,awsfirelens]"),
		register("", `"logConfiguration":{"logDriver":"awslogs"}`, "Log driver awslogs requires options: awslogs-group"),
		register("", `"logConfiguration":{"logDriver":"awsfirelens"}`, "When awsfirelens log driver is specified in log configuration, "+
			"a firelens configuration must be defined in one container of the task definition."),
		register("", `"logConfiguration":{"logDriver":"none"}`,
			"logConfiguration.logDriver should be one of [json-file,syslog,journald,gelf,fluentd,awslogs,splunk,awsfirelens]"),
		register("", `"logConfiguration":{"logDriver":"awslogs","options":{"awslogs-group":"g","awslogs-endpoint":"e","x":"y"}}`,
			"Log driver awslogs disallows options: awslogs-endpoint, x"),
		register("", awslogs(`"awslogs-credentials-endpoint":"/c"`), "Log driver awslogs disallows options: awslogs-credentials-endpoint"),
		register("", awslogs(`"awslogs-create-group":"false"`), "Log driver awslogs option 'awslogs-create-group' should only be set to 'true', else omit option."),
		register("", awslogs(`"awslogs-force-flush-interval-seconds":"0"`),
			"Invalid 'awslogs-force-flush-interval-seconds' option for log driver awslogs: it should be a positive integer."),
		register("", awslogs(`"awslogs-format":"text"`), "Invalid 'awslogs-format' option for log driver awslogs: it should be one of [json/emf]."),
		register("", awslogs(`"tag":"{{.ImageID}}"`), "Invalid 'tag' option for log driver awslogs: it can have {{.ID}}, {{.FullID}} and {{.Name}} only."),
		register("", awslogs(`"mode":"lossy"`), "Invalid 'mode' option for log driver awslogs: it should be one of [blocking,non-blocking]."),
		register("", awslogs(`"mode":"non-blocking","max-buffer-size":"much"`), "Invalid 'max-buffer-size' option for log driver awslogs: it should be a size like 25m."),
		register("", `"logConfiguration":{"logDriver":"json-file","options":{"max-size":"1m","syslog-address":"x"}}`,
			"Log driver json-file disallows options: syslog-address"),
		register("", `"logConfiguration":{"logDriver":"journald","options":{"max-size":"1m"}}`, "Log driver journald disallows options: max-size"),
		register("", `"logConfiguration":{"logDriver":"gelf","options":{"gelf":"x"}}`, "Log driver gelf disallows options: gelf"),
		register("", `"logConfiguration":{"logDriver":"fluentd","options":{"address":"x"}}`, "Log driver fluentd disallows options: address"),
		register("", `"logConfiguration":{"logDriver":"syslog","options":{"address":"x"}}`, "Log driver syslog disallows options: address"),
		register("", `"logConfiguration":{"logDriver":"splunk","options":{"token":"x"}}`, "Log driver splunk disallows options: token"),
		register("", `"logConfiguration":{"logDriver":"syslog","options":{"mode":"x"}}`,
			"Invalid 'mode' option for log driver syslog: it should be one of [blocking,non-blocking]."),
		register("", `"firelensConfiguration":{"type":"fluentd"},"logConfiguration":{"logDriver":"awsfirelens"}`,
			"Invalid 'logConfiguration' setting for container 'c': the container with the firelens configuration cannot use the awsfirelens log driver."),
		register("", `"firelensConfiguration":{"type":"fluentd","options":{"x":"y"}}`, "Invalid 'firelensConfiguration' setting for container 'c': unknown option 'x'."),
		register("", `"firelensConfiguration":{"type":"fluentd","options":{"enable-ecs-log-metadata":"yes"}}`,
			"Invalid 'firelensConfiguration' setting for container 'c': enable-ecs-log-metadata should be true or false."),
		register("", `"firelensConfiguration":{"type":"fluentd","options":{"config-file-type":"http","config-file-value":"x"}}`,
			"Invalid 'firelensConfiguration' setting for container 'c': config-file-type should be one of [file,s3]."),
		register("", `"firelensConfiguration":{"type":"fluentd","options":{"config-file-type":"file"}}`,
			"Invalid 'firelensConfiguration' setting for container 'c': config-file-type and config-file-value should be given together."),
		containers("", `{"name":"c","image":"i","memory":64,"firelensConfiguration":{"type":"fluentd"}},{"name":"d","image":"i","memory":64,"firelensConfiguration":{"type":"fluentbit"}}`,
			"A task definition can have only one container with a firelens configuration, but has 2."),
		register("", `"firelensConfiguration":{}`, "firelensConfiguration.type should be one of [fluentd,fluentbit]"),
	})
}

func TestWrongHealthChecks(t *testing.T) {
	var tests []badRequest
	for _, m := range []struct {
		member    string
		low, high int
	}{{"interval", 5, 300}, {"timeout", 2, 60}, {"retries", 1, 10}, {"startPeriod", 0, 300}} {
		for _, n := range []int{-1, m.low - 1, m.high + 1} {
			tests = append(tests, register("", fmt.Sprintf(`"healthCheck":{"command":["CMD"],"%s":%d}`, m.member, n),
				fmt.Sprintf("Invalid 'healthCheck' setting for container 'c': %s must be between %d and %d.", m.member, m.low, m.high)))
		}
	}
	refuses(t, tests)
}

func TestWrongContainerNetwork(t *testing.T) {
	ports := func(mode, mappings, message string) badRequest {
		return register(`"networkMode":"`+mode+`"`, `"portMappings":[`+mappings+`]`, message)
	}
	const badName = "Invalid port mapping name for container 'c': it should be 1 to 64 lowercase letters, digits, hyphens and underscores, " +
		"and not begin with a hyphen."
	refuses(t, []badRequest{
		register(`"networkMode":"awsvpc"`, `"links":["c"]`, "Links are not supported when networkMode=awsvpc."),
		register(`"networkMode":"host"`, `"links":["c"]`, "Links are not supported when networkMode=host."),
		register("", `"links":["x:alias"]`, "Invalid 'links' setting. Unknown container: 'x'"),
		register("", `"links":["c"]`, "Container dependencies must not be a cycle: container 'c' depends on itself."),
		register(`"networkMode":"awsvpc"`, `"hostname":"h"`, "hostname is not supported on container when networkMode=awsvpc"),
		register(`"networkMode":"awsvpc"`, `"extraHosts":[{"hostname":"h","ipAddress":"1.2.3.4"}]`, "Extra hosts are not supported on container when networkMode=awsvpc"),
		register("", `"extraHosts":[{"hostname":"h"}]`, "Invalid 'extraHosts' setting for container 'c': hostname and ipAddress should not be null or empty."),
		register(`"networkMode":"awsvpc"`, `"dnsServers":["1.2.3.4"]`, "DNS servers are not supported on container when networkMode=awsvpc"),
		register(`"networkMode":"awsvpc"`, `"dnsSearchDomains":["d"]`, "DNS search domains are not supported on container when networkMode=awsvpc"),
		register(`"networkMode":"awsvpc"`, `"disableNetworking":true`, "Disable Networking is not supported on container when networkMode=awsvpc"),
		ports("none", `{"containerPort":80}`, "Port mappings are not supported when networkMode=none."),
		ports("awsvpc", `{"containerPort":80,"hostPort":81}`, "When networkMode=awsvpc, the host ports and container ports in port mappings must match."),
		ports("host", `{"containerPort":80,"hostPort":81}`, "When networkMode=host, the host ports and container ports in port mappings must match."),
		ports("bridge", `{}`, "Invalid 'containerPort' setting for container 'c': it must be between 1 and 65535."),
		ports("bridge", `{"containerPort":65536}`, "Invalid 'containerPort' setting for container 'c': it must be between 1 and 65535."),
		ports("bridge", `{"containerPort":80,"hostPort":-1}`, "Invalid 'hostPort' setting for container 'c': it must be between 0 and 65535."),
		ports("bridge", `{"containerPort":80,"protocol":"x"}`, "portMappings.protocol should be one of [tcp,udp]"),
		ports("bridge", `{"containerPort":80,"appProtocol":"x"}`, "portMappings.appProtocol should be one of [http,http2,grpc]"),
		ports("bridge", `{"containerPort":80,"name":"a b"}`, badName),
		ports("bridge", `{"containerPort":80,"name":"Http"}`, badName),
		ports("bridge", `{"containerPort":80,"name":"-a"}`, badName),
		ports("bridge", `{"containerPort":80,"name":""}`, badName),
		ports("bridge", `{"containerPort":80,"name":"`+strings.Repeat("n", 65)+`"}`, badName),
		ports("bridge", `{"containerPort":80,"name":"n"},{"containerPort":81,"name":"n"}`, "The port mapping name is already used: 'n'."),
		ports("bridge", `{"containerPort":80,"hostPort":80},{"containerPort":81,"hostPort":80}`, "The host port is used multiple times in task: 80/tcp."),
		ports("host", `{"containerPort":80,"protocol":"udp"},{"containerPort":80,"protocol":"udp"}`, "The container port is used multiple times in task: 80/udp."),
		ports("bridge", `{"containerPort":80,"containerPortRange":"1-2"}`,
			"Invalid 'portMappings' setting for container 'c': cannot specify both single port and port range."),
		ports("bridge", `{"containerPortRange":"8-8"}`, "Invalid 'containerPortRange' setting for container 'c': '8-8'."),
		ports("bridge", `{"containerPortRange":"8"}`, "Invalid 'containerPortRange' setting for container 'c': '8'."),
		ports("bridge", `{"containerPortRange":"8-9","hostPort":8}`, "Invalid 'hostPort' setting for container 'c': it cannot be specified with a containerPortRange."),
		ports("host", `{"containerPortRange":"8-9"}`,
			"Invalid 'containerPortRange' setting for container 'c': it is supported only when networkMode is bridge or awsvpc."),
		ports("bridge", manyRanges(101), "Invalid 'portMappings' setting for container 'c': it can have at most 100 port ranges."),
		ports("awsvpc", `{"containerPort":8},{"containerPortRange":"8-9"}`, "The container port is used multiple times in task: 8/tcp."),
		ports("bridge", `{"containerPort":8},{"containerPortRange":"8-9"}`, "The container port is used multiple times in task: 8/tcp."),
		ports("bridge", `{"containerPortRange":"9-8"}`, "Invalid 'containerPortRange' setting for container 'c': '9-8'."),
		ports("bridge", `{"containerPortRange":"0-8"}`, "Invalid 'containerPortRange' setting for container 'c': '0-8'."),
		ports("bridge", `{"containerPortRange":"1-70000"}`, "Invalid 'containerPortRange' setting for container 'c': '1-70000'."),
		ports("bridge", `{"containerPortRange":"1-9"},{"containerPortRange":"9-10"}`, "The container port is used multiple times in task: 9/tcp."),
	})
}

// manyRanges are n port ranges that do not meet.
func manyRanges(n int) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf(`{"containerPortRange":"%d-%d"}`, 10*i+1, 10*i+2))
	}
	return strings.Join(list, ",")
}

func TestWrongVolumes(t *testing.T) {
	volume := func(v, message string) badRequest { return register(`"volumes":[`+v+`]`, "", message) }
	efs := func(e, message string) badRequest {
		return volume(`{"name":"v","efsVolumeConfiguration":{`+e+`}}`, message)
	}
	refuses(t, []badRequest{
		volume(`{}`, "Volume name should not be null or empty."),
		volume(`{"name":"a/b"}`, "Volume name should be 1 to 255 letters, digits, hyphens and underscores, but was 'a/b'."),
		volume(`{"name":"v"},{"name":"v"}`, "Volume names must be unique within a task definition: 'v' is used more than once."),
		volume(`{"name":"v","host":{},"efsVolumeConfiguration":{"fileSystemId":"fs-1"}}`, "Volume 'v' can have only one configuration."),
		volume(`{"name":"v","host":{"sourcePath":"tmp"}}`, "Invalid 'sourcePath' setting for volume 'v': it should be an absolute path."),
		volume(`{"name":"v","dockerVolumeConfiguration":{"autoprovision":true,"scope":"task"}}`,
			"Invalid 'autoprovision' setting for volume 'v': it is supported only when scope is shared."),
		volume(`{"name":"v","dockerVolumeConfiguration":{"scope":"x"}}`, "dockerVolumeConfiguration.scope should be one of [task,shared]"),
		efs(``, "Invalid 'efsVolumeConfiguration' setting for volume 'v': fileSystemId should not be null or empty."),
		efs(`"fileSystemId":"fs-1","transitEncryption":"x"`, "efsVolumeConfiguration.transitEncryption should be one of [ENABLED,DISABLED]"),
		efs(`"fileSystemId":"fs-1","authorizationConfig":{"iam":"ENABLED"}`, "EFS IAM authorization requires TransitEncryption to be enabled."),
		efs(`"fileSystemId":"fs-1","transitEncryption":"ENABLED","rootDirectory":"/d","authorizationConfig":{"accessPointId":"a"}`,
			`When using an EFS access point, the root directory must either be set to "/" or be omitted.`),
		efs(`"fileSystemId":"fs-1","authorizationConfig":{"accessPointId":"a"}`, "EFS access points require TransitEncryption to be enabled."),
		efs(`"fileSystemId":"fs-1","transitEncryption":"ENABLED","authorizationConfig":{"iam":"x"}`,
			"efsVolumeConfiguration.authorizationConfig.iam should be one of [ENABLED,DISABLED]"),
		volume(`{"name":"v","configuredAtLaunch":true}`, "Volumes [v] are not referenced by any of the containers in the task definition."),
		register(`"volumes":[{"name":"v","configuredAtLaunch":true},{"name":"w","configuredAtLaunch":true}]`,
			`"mountPoints":[{"sourceVolume":"v","containerPath":"/v"},{"sourceVolume":"w","containerPath":"/w"}]`,
			"A task definition can have only one volume that is configured at launch."),
		register("", `"mountPoints":[{"sourceVolume":"x","containerPath":"/x"}]`, "Unknown volume 'x'."),
		register(`"volumes":[{"name":"v"}]`, `"mountPoints":[{"sourceVolume":"v"}]`, "Invalid 'mountPoints' setting for container 'c': containerPath should not be null or empty."),
		register("", `"volumesFrom":[{"sourceContainer":"x"}]`, "Invalid 'volumesFrom' setting. Unknown container: 'x'"),
	})
}

func TestWrongDependencies(t *testing.T) {
	depends := func(on, other, message string) badRequest {
		return containers("", `{"name":"c","image":"i","memory":64,"dependsOn":[`+on+`]},{"name":"d","image":"i","memory":64`+other+`}`, message)
	}
	refuses(t, []badRequest{
		depends(`{"containerName":"x","condition":"START"}`, "", "Cannot depend on container x because it does not exist"),
		depends(`{"containerName":"d","condition":"x"}`, "", "Invalid 'dependsOn' setting for container 'c': condition should be one of [START,COMPLETE,SUCCESS,HEALTHY]."),
		depends(`{"containerName":"d"}`, "", "Invalid 'dependsOn' setting for container 'c': condition should be one of [START,COMPLETE,SUCCESS,HEALTHY]."),
		depends(`{"containerName":"d","condition":"SUCCESS"}`, "", "A dependency container with SUCCESS or COMPLETE condition cannot be an essential container"),
		depends(`{"containerName":"d","condition":"COMPLETE"}`, `,"essential":true`, "A dependency container with SUCCESS or COMPLETE condition cannot be an essential container"),
		depends(`{"containerName":"d","condition":"HEALTHY"}`, "", "A dependency container with HEALTHY condition must have health check configured"),
		depends(`{"containerName":"d","condition":"START"}`, `,"dependsOn":[{"containerName":"c","condition":"START"}]`,
			"Container dependencies must not be a cycle: container 'c' depends on itself."),
		depends(`{"containerName":"d","condition":"START"}`, `,"volumesFrom":[{"sourceContainer":"c"}]`,
			"Container dependencies must not be a cycle: container 'c' depends on itself."),
	})
}

// What AWS would take and Berth does not act on is refused by name.
func TestUnservedDefinitions(t *testing.T) {
	not := func(task, container, member string) badRequest {
		r := register(task, container, unserved(member))
		r.code = parameter
		return r
	}
	volume := func(v, member string) badRequest {
		return not(`"volumes":[{"name":"v",`+v+`}]`, `"mountPoints":[{"sourceVolume":"v","containerPath":"/v"}]`, "volumes."+member)
	}
	refuses(t, []badRequest{
		not(`"networkMode":"awsvpc","proxyConfiguration":{"containerName":"c"}`, "", "proxyConfiguration"),
		not(`"enableFaultInjection":true`, "", "enableFaultInjection"),
		volume(`"efsVolumeConfiguration":{"fileSystemId":"fs-1"}`, "efsVolumeConfiguration"),
		volume(`"fsxWindowsFileServerVolumeConfiguration":{}`, "fsxWindowsFileServerVolumeConfiguration"),
		volume(`"s3filesVolumeConfiguration":{}`, "s3filesVolumeConfiguration"),
		volume(`"configuredAtLaunch":true`, "configuredAtLaunch"),
		not("", `"firelensConfiguration":{"type":"fluentbit","options":{"config-file-type":"s3","config-file-value":"arn:aws:s3:::b/f"}}`,
			"containerDefinitions.firelensConfiguration.options config-file-type s3"),
		not("", `"credentialSpecs":["s"]`, "containerDefinitions.credentialSpecs"),
		not(`"executionRoleArn":"r"`, `"logConfiguration":{"logDriver":"awslogs","options":{"awslogs-group":"g"},"secretOptions":[{"name":"awslogs-stream","valueFrom":"p"}]}`,
			"containerDefinitions.logConfiguration.secretOptions of the log driver awslogs"),
	})
}

// awslogs is a container's log configuration with more options.
func awslogs(options string) string {
	return `"logConfiguration":{"logDriver":"awslogs","options":{"awslogs-group":"g",` + options + `}}`
}

func TestWrongDefinitionRequests(t *testing.T) {
	task := "arn:aws:ecs:us-east-1:123456789012:task/demo/mine"
	const one = "taskDefinitions should have 1 to 10 items, but had "
	refuses(t, []badRequest{
		{"DescribeTaskDefinition", `{}`, parameter, "TaskDefinition can not be blank."},
		{"DescribeTaskDefinition", `{"taskDefinition":"nobody"}`, client, "Unable to describe task definition."},
		{"DescribeTaskDefinition", `{"taskDefinition":"old"}`, client, "Unable to describe task definition."}, // no ACTIVE one
		{"DescribeTaskDefinition", `{"taskDefinition":"web:7"}`, client, "Unable to describe task definition."},
		{"DescribeTaskDefinition", `{"taskDefinition":"web:foo"}`, client, "Invalid revision number. Number: foo"},
		{"DescribeTaskDefinition", `{"taskDefinition":"web:0"}`, client, "Invalid revision number. Number: 0"},
		{"DescribeTaskDefinition", `{"taskDefinition":"a b"}`, parameter, `Family must match ^[a-zA-Z0-9\-_]{1,255}$, but was a b`},
		{"DescribeTaskDefinition", `{"taskDefinition":"` + task + `"}`, parameter, "Invalid identifier: Identifier is for a task. The request needs a task definition"},
		{"DescribeTaskDefinition", `{"taskDefinition":"web","include":["X"]}`, parameter, "include should be one of [TAGS]"},
		{"ListTaskDefinitions", `{"status":"X"}`, parameter, "status should be one of [ACTIVE,INACTIVE,DELETE_IN_PROGRESS]"},
		{"ListTaskDefinitions", `{"familyPrefix":"x/web"}`, parameter, `Family must match ^[a-zA-Z0-9\-_]{1,255}$, but was x/web`},
		{"ListTaskDefinitionFamilies", `{"familyPrefix":"a b"}`, parameter, `Family must match ^[a-zA-Z0-9\-_]{1,255}$, but was a b`},
		{"ListTasks", `{"cluster":"demo","family":"web:1"}`, parameter, `Family must match ^[a-zA-Z0-9\-_]{1,255}$, but was web:1`},
		{"ListTaskDefinitions", `{"sort":"X"}`, parameter, "sort should be one of [ASC,DESC]"},
		{"ListTaskDefinitions", `{"maxResults":101}`, parameter, "maxResults must be between 1 and 100."},
		{"ListTaskDefinitions", `{"nextToken":"AAAA"}`, parameter, "Invalid token: nextToken is not one that ListTaskDefinitions answered to these parameters."},
		{"ListTaskDefinitionFamilies", `{"status":"X"}`, parameter, "status should be one of [ACTIVE,INACTIVE,ALL]"},
		{"ListTaskDefinitionFamilies", `{"maxResults":0}`, parameter, "maxResults must be between 1 and 100."},
		{"DeregisterTaskDefinition", `{}`, parameter, "TaskDefinition can not be blank."},
		{"DeregisterTaskDefinition", `{"taskDefinition":"web"}`, client, "Revision is missing."},
		{"DeregisterTaskDefinition", `{"taskDefinition":"web:foo"}`, client, "Invalid revision number. Number: foo"},
		{"DeregisterTaskDefinition", `{"taskDefinition":"web:7"}`, client, "The specified task definition does not exist."},
		{"DeleteTaskDefinitions", `{}`, parameter, one + "0"},
		{"DeleteTaskDefinitions", `{"taskDefinitions":[` + strings.TrimSuffix(strings.Repeat(`"old:1",`, 11), ",") + `]}`, parameter, one + "11"},
	})
}
