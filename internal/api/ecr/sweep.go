package ecr

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"berth/internal/ecr"
	"berth/internal/registry"
	"berth/internal/state"
)

// lifecycleEvery is how long a lifecycle policy that was acted on is left alone. AWS says: within a day.
const lifecycleEvery = time.Hour

// Sweep does what lifecycle policies say, and then takes away the files that nothing needs. It is for the leader to call, now and then; what one call
// leaves, the next one sees as it is.
func (a *API) Sweep(ctx context.Context) error {
	var failed []error
	for r := range a.store.View().Repositories.All() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if r.LifecyclePolicy == "" || now().Sub(r.LifecycleRunAt) < lifecycleEvery {
			continue
		}
		if err := a.expire(ctx, r); err != nil { // the others have their turn all the same
			failed = append(failed, fmt.Errorf("lifecycle policy of %s: %w", r.Arn, err))
		}
	}
	return errors.Join(append(failed, a.registry.Sweep(ctx))...)
}

// expire removes the images of a repository whose time has come. One that was changed since it was seen is for the next sweep: its policy may be another.
func (a *API) expire(ctx context.Context, r *ecr.Repository) error {
	l, err := ecr.ParseLifecycle(r.LifecyclePolicy)
	if err != nil {
		return err
	}
	err = a.registry.Alone(r.Storage, func() error {
		if a.store.View().Repositories.Get(r.Arn) != r {
			return nil
		}
		images, err := a.registry.Images(ctx, r.Storage)
		if err != nil {
			return err
		}
		return a.removeExpired(ctx, r.Storage, images, l.Expire(facts(images), now()))
	})
	if err != nil {
		return err
	}
	return a.store.Update(ctx, func(tx *state.Tx) error {
		done := *r
		done.LifecycleRunAt = now()
		tx.ReplaceUnchanged(r, &done)
		return nil
	})
}

func facts(images []registry.Image) (list []ecr.LifecycleImage) {
	for _, i := range images {
		list = append(list, ecr.LifecycleImage{Digest: i.Digest.String(), Tags: i.Tags, PushedAt: i.PushedAt})
	}
	return list
}

// removeExpired removes images, but none that an index has in it which stays: indexes go before their images.
func (a *API) removeExpired(ctx context.Context, storage string, images []registry.Image, gone []string) error {
	indexesFirst := slices.Clone(images)
	slices.SortStableFunc(indexesFirst, func(x, y registry.Image) int { return min(1, len(y.Images)) - min(1, len(x.Images)) })
	for _, i := range indexesFirst {
		if _, within := registry.Within(images, i.Digest); within || !slices.Contains(gone, i.Digest.String()) {
			continue
		}
		if err := a.registry.Remove(ctx, storage, i); err != nil {
			return err
		}
		images = slices.DeleteFunc(images, func(x registry.Image) bool { return x.Digest == i.Digest })
	}
	return nil
}
