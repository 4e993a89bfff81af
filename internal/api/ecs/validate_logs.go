package ecs

import (
	"maps"
	"slices"
	"strings"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
)

func containerLogs(in *awsecs.RegisterTaskDefinitionInput, c *types.ContainerDefinition) error {
	if err := firelensFault(*c.Name, c.FirelensConfiguration); err != nil {
		return err
	}
	l := c.LogConfiguration
	if l == nil {
		return nil
	}
	if err := validateEnum("logConfiguration.logDriver", l.LogDriver); err != nil {
		return clientException(err)
	}
	router := firelensContainer(in)
	switch {
	case l.LogDriver == "":
		return apierr.ClientException("logConfiguration.logDriver should not be null or empty.")
	case l.LogDriver == types.LogDriverAwslogs && l.Options["awslogs-group"] == "":
		return apierr.ClientException("Log driver awslogs requires options: awslogs-group")
	case l.LogDriver == types.LogDriverAwsfirelens && router == "":
		return apierr.ClientException("When awsfirelens log driver is specified in log configuration, " +
			"a firelens configuration must be defined in one container of the task definition.")
	case l.LogDriver == types.LogDriverAwsfirelens && router == *c.Name:
		return apierr.ClientException("Invalid 'logConfiguration' setting for container '%s': the container with the firelens configuration "+
			"cannot use the awsfirelens log driver.", *c.Name)
	}
	return logOptionsFault(l)
}

// logOptionsFault checks the options of a log driver: it takes its own, and those of all drivers. The options of awsfirelens are the log
// router's.
func logOptionsFault(l *types.LogConfiguration) error {
	own, is := logOptions(l.LogDriver)
	if !is {
		return nil
	}
	var strange []string
	for _, o := range slices.Sorted(maps.Keys(l.Options)) {
		if !slices.Contains(own, o) && o != "mode" && o != "max-buffer-size" {
			strange = append(strange, o)
		}
	}
	if len(strange) > 0 {
		return apierr.ClientException("Log driver %s disallows options: %s", l.LogDriver, strings.Join(strange, ", "))
	}
	if mode := l.Options["mode"]; mode != "" && mode != "blocking" && mode != "non-blocking" {
		return apierr.ClientException("Invalid 'mode' option for log driver %s: it should be one of [blocking,non-blocking].", l.LogDriver)
	}
	if l.LogDriver != types.LogDriverAwslogs {
		return nil
	}
	if fault := awslogsFault(l.Options); fault != "" {
		return apierr.ClientException("%s", fault)
	}
	return nil
}

// logOptions are a driver's own options, as Docker has them; is is false where they are not the driver's but somebody else's.
func logOptions(d types.LogDriver) (own []string, is bool) {
	switch d {
	case types.LogDriverJsonFile:
		return []string{"max-size", "max-file", "compress", "labels", "labels-regex", "env", "env-regex", "tag"}, true
	case types.LogDriverSyslog:
		return []string{
			"syslog-address", "syslog-facility", "syslog-tls-ca-cert", "syslog-tls-cert", "syslog-tls-key", "syslog-tls-skip-verify", "syslog-format",
			"tag", "labels", "labels-regex", "env", "env-regex",
		}, true
	case types.LogDriverJournald:
		return []string{"tag", "labels", "labels-regex", "env", "env-regex"}, true
	case types.LogDriverGelf:
		return []string{
			"gelf-address", "gelf-compression-type", "gelf-compression-level", "gelf-tcp-max-reconnect", "gelf-tcp-reconnect-delay",
			"tag", "labels", "labels-regex", "env", "env-regex",
		}, true
	case types.LogDriverFluentd:
		return []string{
			"fluentd-address", "fluentd-async", "fluentd-async-connect", "fluentd-async-reconnect-interval", "fluentd-buffer-limit", "fluentd-max-retries",
			"fluentd-request-ack", "fluentd-retry-wait", "fluentd-sub-second-precision", "tag", "labels", "labels-regex", "env", "env-regex",
		}, true
	case types.LogDriverAwslogs:
		return []string{
			"awslogs-group", "awslogs-region", "awslogs-stream-prefix", "awslogs-create-group", "awslogs-datetime-format", "awslogs-multiline-pattern",
			"awslogs-stream", "awslogs-format", "awslogs-force-flush-interval-seconds", "tag",
		}, true
	case types.LogDriverSplunk:
		return []string{
			"splunk-token", "splunk-url", "splunk-source", "splunk-sourcetype", "splunk-index", "splunk-capath", "splunk-caname",
			"splunk-insecureskipverify", "splunk-format", "splunk-verify-connection", "splunk-gzip", "splunk-gzip-level", "tag", "labels",
			"labels-regex", "env", "env-regex",
		}, true
	}
	return nil, false
}

// firelensFault checks the configuration of a log router by itself.
func firelensFault(container string, f *types.FirelensConfiguration) error {
	if f == nil {
		return nil
	}
	if err := validateEnum("firelensConfiguration.type", f.Type); err != nil || f.Type == "" {
		return apierr.ClientException("firelensConfiguration.type should be one of [fluentd,fluentbit]")
	}
	what := "Invalid 'firelensConfiguration' setting for container '" + container + "': "
	for _, o := range slices.Sorted(maps.Keys(f.Options)) {
		if !slices.Contains([]string{"enable-ecs-log-metadata", "config-file-type", "config-file-value"}, o) {
			return apierr.ClientException("%sunknown option '%s'.", what, o)
		}
	}
	metadata, kind, file := f.Options["enable-ecs-log-metadata"], f.Options["config-file-type"], f.Options["config-file-value"]
	switch {
	case metadata != "" && metadata != "true" && metadata != "false":
		return apierr.ClientException("%senable-ecs-log-metadata should be true or false.", what)
	case kind != "" && kind != "file" && kind != "s3":
		return apierr.ClientException("%sconfig-file-type should be one of [file,s3].", what)
	case (kind == "") != (file == ""):
		return apierr.ClientException("%sconfig-file-type and config-file-value should be given together.", what)
	}
	return nil
}

// oneFirelens checks that a task has one log router.
func oneFirelens(in *awsecs.RegisterTaskDefinitionInput) error {
	routers := 0
	for i := range in.ContainerDefinitions {
		if in.ContainerDefinitions[i].FirelensConfiguration != nil {
			routers++
		}
	}
	if routers > 1 {
		return apierr.ClientException("A task definition can have only one container with a firelens configuration, but has %d.", routers)
	}
	return nil
}

// firelensContainer is the name of the container that is the log router, "" where there is none.
func firelensContainer(in *awsecs.RegisterTaskDefinitionInput) string {
	for i := range in.ContainerDefinitions {
		if in.ContainerDefinitions[i].FirelensConfiguration != nil {
			return text(in.ContainerDefinitions[i].Name)
		}
	}
	return ""
}
