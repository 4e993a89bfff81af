package agent

import (
	"errors"
	"fmt"
	"strings"

	"github.com/distribution/reference"
)

// pullReason is the reason of a container whose image cannot be had, in the words of its launch type.
func (t *task) pullReason(ref string, err error) string {
	onFargate := false
	t.view(func(r *Record) { onFargate = fargate(r.Task) })
	var fault *RegistryFault
	switch {
	case errors.As(err, &fault):
		return fault.text(onFargate)
	case onFargate:
		return "CannotPullContainerError: " + pulledOnFargate(ref, err)
	}
	return "CannotPullContainerError: " + pulledByAgent(err.Error())
}

// pulledOnFargate is what Fargate says: how often it has tried, and what.
func pulledOnFargate(ref string, err error) string {
	tries := pullTries
	if errors.As(err, new(*PullRefusedError)) {
		tries = 1
	}
	text := strings.TrimPrefix(err.Error(), "Error response from daemon: ")
	if strings.Contains(text, "layer") || strings.Contains(text, "no space left on device") {
		return fmt.Sprintf("ref pull has been retried %d time(s): %s", tries, text)
	}
	if named, err := reference.ParseNormalizedNamed(ref); err == nil {
		ref = reference.TagNameOnly(named).String()
	}
	return fmt.Sprintf("pull image manifest has been retried %d time(s): failed to resolve ref %s: %s", tries, ref, text)
}

// pulledByAgent is what the agent of a container instance says: the engine's words, after what to look at where these tell.
func pulledByAgent(text string) string {
	const cannot = "The task can’t pull the image. "
	switch {
	case strings.Contains(text, "denied: User: ") && strings.Contains(text, " is not authorized to perform: ecr:BatchGetImage on resource: "):
		return cannot + "Check that the role has the permissions to pull images from the registry. " + text
	case strings.Contains(text, "pull access denied for ") && strings.Contains(text, ", repository does not exist or may require 'docker login'"):
		return cannot + "Check whether the image exists. " + text
	}
	return text
}

// hide takes the password out of a text.
func (l Login) hide(text string) string {
	if len(l.Password) < leastRedacted {
		return text
	}
	return strings.ReplaceAll(text, l.Password, "***")
}
