package docker

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/distribution/reference"
	"github.com/moby/moby/client"

	"berth/internal/agent"
)

// How long a pull may take, and how long it may stand still.
const (
	pullTimeout = 2 * time.Hour
	pullSilence = time.Minute
)

var errSilent = fmt.Errorf("no progress of the pull for %v", pullSilence)

// Image implements agent.Images.
func (e *Engine) Image(ctx context.Context, ref string) (agent.Image, error) {
	out, err := e.api.ImageInspect(ctx, ref)
	if err != nil {
		return agent.Image{}, tell(err)
	}
	return agent.Image{ID: out.ID, Digest: digestOf(ref, out.RepoDigests)}, nil
}

// digestOf is the digest under which an image is known in ref's repository, "" if it never came from there.
func digestOf(ref string, repoDigests []string) string {
	want, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return ""
	}
	for _, d := range repoDigests {
		have, err := reference.ParseNormalizedNamed(d)
		if digested, ok := have.(reference.Digested); ok && err == nil && have.Name() == want.Name() {
			return digested.Digest().String()
		}
	}
	return ""
}

// Pull implements agent.Images.
func (e *Engine) Pull(ctx context.Context, ref string) error {
	ctx, cancel := context.WithTimeout(ctx, pullTimeout)
	defer cancel()
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	silence := time.AfterFunc(pullSilence, func() { fail(errSilent) })
	defer silence.Stop()

	err := e.pull(ctx, ref, func() { silence.Reset(pullSilence) })
	switch {
	case err == nil:
		return nil
	case errors.Is(context.Cause(ctx), errSilent):
		return errSilent
	case errdefs.IsNotFound(err), errdefs.IsUnauthorized(err), errdefs.IsPermissionDenied(err), errdefs.IsInvalidArgument(err), refusal(err):
		return &agent.PullRefusedError{Err: err}
	}
	return tell(err)
}

func (e *Engine) pull(ctx context.Context, ref string, progress func()) error {
	if _, err := reference.ParseNormalizedNamed(ref); err != nil {
		return &agent.PullRefusedError{Err: err}
	}
	stream, err := e.api.ImagePull(ctx, ref, client.ImagePullOptions{})
	if err != nil {
		return err
	}
	defer stream.Close()
	for m, err := range stream.JSONMessages(ctx) {
		progress()
		if err != nil {
			return err
		}
		if m.Error != nil {
			return m.Error
		}
	}
	return nil
}

// refusal tells a registry's refusal by its text, where the engine gives no status.
func refusal(err error) bool {
	text := err.Error()
	for _, words := range []string{"manifest unknown", "pull access denied", "unauthorized", "no matching manifest", "name unknown"} {
		if strings.Contains(text, words) {
			return true
		}
	}
	return false
}
