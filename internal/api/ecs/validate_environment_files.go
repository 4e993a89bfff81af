package ecs

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/arn"
)

// What AWS takes of environment files.
const (
	mostEnvironmentFiles     = 10 // of a container
	environmentFileExtension = ".env"
)

// environmentFilesFault says what is wrong with a container's environment files, "" where nothing is.
func environmentFilesFault(container string, list []types.EnvironmentFile) string {
	if len(list) > mostEnvironmentFiles {
		return "The maximum number of environment files was exceeded. Specify ten or less and try again."
	}
	for _, f := range list {
		if f.Type != types.EnvironmentFileTypeS3 {
			return "environmentFiles.type should be one of [s3]"
		}
		file := text(f.Value)
		p, err := arn.Parse(file)
		bucket, key, _ := strings.Cut(p.Resource, "/")
		switch {
		case err != nil || p.Service != "s3" || p.Region != "" || p.Account != "" || bucket == "" || key == "":
			return "Invalid arn syntax: the environment file '" + file + "' of container '" + container + "' should be the ARN of an S3 object."
		case !strings.HasSuffix(key, environmentFileExtension):
			return "Invalid environment file '" + file + "' of container '" + container + "': it should have the extension .env."
		}
	}
	return ""
}
