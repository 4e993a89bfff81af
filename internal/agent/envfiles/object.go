package envfiles

import (
	"fmt"
	"strings"

	"berth/internal/arn"
)

// object is an object of S3.
type object struct{ bucket, key, arn, bucketARN string }

// parseObject reads the ARN of an object, arn:aws:s3:::BUCKET/KEY. Its error is in the words of ECS's agent.
func parseObject(text string) (object, error) {
	p, err := arn.Parse(text)
	bucket, key, ok := strings.Cut(p.Resource, "/")
	if err != nil || !ok || p.Service != "s3" || bucket == "" || key == "" {
		return object{}, fmt.Errorf("unable to parse bucket and key from s3 ARN specified in environmentFile %s, error: it is not the ARN of an object", text)
	}
	return object{bucket: bucket, key: key, arn: text, bucketARN: strings.TrimSuffix(text, "/"+key)}, nil
}
