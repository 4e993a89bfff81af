package ecs

import (
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
)

// validateClusterConfiguration checks how a cluster's exec sessions are to be logged. An error is an InvalidParameterException.
func validateClusterConfiguration(c *types.ClusterConfiguration) error {
	if c == nil || c.ExecuteCommandConfiguration == nil {
		return nil
	}
	e := c.ExecuteCommandConfiguration
	if err := validateEnum("configuration.executeCommandConfiguration.logging", e.Logging); err != nil {
		return err
	}
	l, override := e.LogConfiguration, e.Logging == types.ExecuteCommandLoggingOverride
	if l != nil && !override {
		return apierr.InvalidParameter("You must set logging to 'OVERRIDE' when you supply a log configuration.")
	}
	if override && (l == nil || blank(l.CloudWatchLogGroupName) && blank(l.S3BucketName)) {
		return apierr.InvalidParameter("A CloudWatch log group name or S3 bucket name must be specified when overriding the logging configuration.")
	}
	return nil
}

// blank reports whether a string is absent or empty.
func blank(s *string) bool { return s == nil || *s == "" }
