package ecs

import "testing"

func TestWrongFargateDefinitions(t *testing.T) {
	const size = `"cpu":"256","memory":"512"`
	fargate := func(task, container, message string) badRequest {
		return register(`"requiresCompatibilities":["FARGATE"],"networkMode":"awsvpc",`+task, container, message)
	}
	pair := func(cpu, memory string) badRequest {
		return fargate(`"cpu":"`+cpu+`","memory":"`+memory+`"`, "", "No Fargate configuration exists for given values: "+cpu+" CPU, "+memory+
			" memory. See the Amazon ECS documentation for the valid values.")
	}
	const see = "Fargate compatible task definitions do not support "
	logs := `"logConfiguration":{"logDriver":"awslogs","options":{"awslogs-group":"g"}}`
	tests := []badRequest{
		register(`"requiresCompatibilities":["FARGATE"],`+size, "", "Fargate only supports network mode ‘awsvpc’."),
		register(`"requiresCompatibilities":["EC2","FARGATE"],"networkMode":"bridge",`+size, "", "Fargate only supports network mode ‘awsvpc’."),
		fargate(`"memory":"512"`, "", "Fargate requires that 'cpu' be defined at the task level."),
		fargate(`"cpu":"256"`, "", "Fargate requires that 'memory' be defined at the task level."),
		fargate(size+`,"ipcMode":"host"`, "", see+"ipcMode"),
		fargate(size+`,"pidMode":"host"`, "", "Tasks using the Fargate launch type do not support pidMode 'host'. The supported value for pidMode is 'task'."),
		fargate(size+`,"placementConstraints":[{"type":"memberOf","expression":"attribute:a exists"}]`, "", see+"constraints"),
		fargate(size+`,"ephemeralStorage":{"sizeInGiB":20}`, "", "EphemeralStorage size should be at least 21"),
		fargate(size+`,"ephemeralStorage":{"sizeInGiB":201}`, "", "EphemeralStorage size should be at most 200"),
		fargate(size+`,"volumes":[{"name":"v","dockerVolumeConfiguration":{}}]`, "", see+"dockerVolumeConfiguration"),
		fargate(size+`,"volumes":[{"name":"v","host":{"sourcePath":"/v"}}]`, "", see+"sourcePath"),
		fargate(size, `"cpu":257`, "The sum of all container 'cpu' values cannot be greater than the task-level 'cpu' value: 257 is more than 256."),
		fargate(size, `"privileged":true`, "Fargate requires that the 'privileged' setting be 'false'."),
		fargate(size, `"resourceRequirements":[{"type":"GPU","value":"1"}]`, see+"resourceRequirements"),
		fargate(size, `"dockerSecurityOptions":["x"]`, see+"dockerSecurityOptions"),
		fargate(size, `"stopTimeout":121`, "The 'startTimeout' and 'stopTimeout' settings for container 'c' can be at most 120 seconds on Fargate."),
		fargate(size, `"linuxParameters":{"devices":[{"hostPath":"/d"}]}`, see+"devices"),
		fargate(size, `"linuxParameters":{"maxSwap":64}`, see+"maxSwap"),
		fargate(size, `"linuxParameters":{"swappiness":10}`, see+"swappiness"),
		fargate(size, `"linuxParameters":{"sharedMemorySize":64}`, see+"sharedMemorySize"),
		fargate(size, `"linuxParameters":{"tmpfs":[{"containerPath":"/t","size":1}]}`, see+"tmpfs"),
		fargate(size, `"linuxParameters":{"capabilities":{"add":["SYS_PTRACE","NET_ADMIN"]}}`, "NET_ADMIN is not allowed on Fargate."),
		fargate(size, `"logConfiguration":{"logDriver":"json-file"}`, "json-file is not a valid log driver. Must be one of [awslogs, splunk, awsfirelens]"),
		fargate(size, logs, "Fargate requires task definition to have execution role ARN to support log driver awslogs."),
		fargate(size+`,"executionRoleArn":"r"`, logs, "Fargate requires log configuration options to include awslogs-stream-prefix to support log driver awslogs."),
		fargate(size, `"image":"123456789012.dkr.ecr.us-east-1.amazonaws.com/web:1"`,
			"Fargate requires task definition to have execution role ARN to support ECR images."),
		fargate(size, `"image":"127.0.0.1:3270/123456789012/us-east-1/team/web:1"`,
			"Fargate requires task definition to have execution role ARN to support ECR images."),
	}
	for _, p := range [][2]string{
		{"1024", "9216"}, {"2048", "17408"}, {"4096", "31744"}, {"8192", "62464"}, {"16384", "131072"}, {"1024", "2560"}, {"8192", "17408"},
		{"8192", "18432"}, {"16384", "33792"}, {"16384", "36864"}, {"32768", "65536"}, {"256", "1536"}, {"512", "512"}, {"1024", "1024"},
	} {
		tests = append(tests, pair(p[0], p[1]))
	}
	refuses(t, tests)
}
