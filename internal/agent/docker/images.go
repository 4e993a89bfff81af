package docker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/distribution/reference"
	"github.com/moby/moby/api/pkg/authconfig"
	"github.com/moby/moby/api/types/registry"
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
	if digested, ok := want.(reference.Digested); ok && slices.Contains(repoDigests, reference.FamiliarName(want)+"@"+digested.Digest().String()) {
		return digested.Digest().String() // an image can have several
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
func (e *Engine) Pull(ctx context.Context, ref string, l agent.Login) error {
	ctx, cancel := context.WithTimeout(ctx, pullTimeout)
	defer cancel()
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	silence := time.AfterFunc(pullSilence, func() { fail(errSilent) })
	defer silence.Stop()

	err := e.pull(ctx, ref, l, func() { silence.Reset(pullSilence) })
	switch {
	case err == nil:
		return nil
	case errors.Is(context.Cause(ctx), errSilent):
		return errSilent
	case errdefs.IsUnauthorized(err), says(err, "unauthorized", "no basic auth credentials", "authorization token has expired"):
		return &agent.PullRefusedError{Err: err, Login: true}
	case errdefs.IsNotFound(err), errdefs.IsPermissionDenied(err), errdefs.IsInvalidArgument(err),
		says(err, "manifest unknown", "pull access denied", "no matching manifest", "name unknown"):
		return &agent.PullRefusedError{Err: err}
	}
	return tell(err)
}

func (e *Engine) pull(ctx context.Context, ref string, l agent.Login, progress func()) error {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return &agent.PullRefusedError{Err: err}
	}
	options := client.ImagePullOptions{}
	if l != (agent.Login{}) {
		if options.RegistryAuth, err = authconfig.Encode(registry.AuthConfig{Username: l.User, Password: l.Password, ServerAddress: reference.Domain(named)}); err != nil {
			return fmt.Errorf("log in to the registry: %w", err)
		}
	}
	if _, exact := named.(reference.Digested); exact && options.RegistryAuth != "" {
		// The engine does not ask the registry for a manifest that it has: whoever knows its digest would have it without the right to.
		if _, err := e.api.DistributionInspect(ctx, ref, client.DistributionInspectOptions{EncodedRegistryAuth: options.RegistryAuth}); err != nil {
			return err
		}
	}
	stream, err := e.api.ImagePull(ctx, ref, options)
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

// says tells a registry's refusal by its text, where the engine gives no status.
func says(err error, words ...string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(err.Error(), w) })
}
