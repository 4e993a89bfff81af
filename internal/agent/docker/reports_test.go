package docker_test

import (
	"fmt"
	"strings"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
)

// last is the newest of a task's reports in a line: "STOPPED a:STOPPED(3) reason".
func last(reports []*awsecs.SubmitTaskStateChangeInput) string {
	if len(reports) == 0 {
		return "nothing"
	}
	r := reports[len(reports)-1]
	words := []string{*r.Status}
	for _, c := range r.Containers {
		s := *c.ContainerName + ":" + *c.Status
		if c.ExitCode != nil {
			s += fmt.Sprintf("(%d)", *c.ExitCode)
		}
		if c.Reason != nil {
			s += " " + *c.Reason
		}
		words = append(words, s)
	}
	if r.Reason != nil && *r.Reason != "" {
		words = append(words, *r.Reason)
	}
	return strings.Join(words, " ")
}
