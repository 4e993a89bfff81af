package ecr

import (
	"context"

	awsecr "github.com/aws/aws-sdk-go-v2/service/ecr"

	"berth/internal/frontdoor"
	"berth/internal/state"
)

// deleteRepository deletes a repository: one with images only where that is forced. Its images go with it; a sweep removes their files.
func (a *API) deleteRepository(ctx context.Context, r *frontdoor.Request, in *awsecr.DeleteRepositoryInput) (*awsecr.DeleteRepositoryOutput, error) {
	var c check
	c.repository(in.RegistryId, in.RepositoryName)
	if c.err != nil {
		return nil, c.err
	}
	s := home(r, in.RegistryId)
	seen, err := find(a.store.View().Tables, s, *in.RepositoryName)
	if err != nil {
		return nil, err
	}
	err = a.registry.Alone(seen.Storage, func() error {
		if !in.Force {
			empty, err := a.registry.Empty(seen.Storage)
			if err != nil {
				return err
			}
			if !empty {
				return about{seen.Name, s.Account}.notEmpty()
			}
		}
		return a.store.Update(ctx, func(tx *state.Tx) error {
			found, err := find(tx.Tables, s, *in.RepositoryName)
			if err != nil {
				return err
			}
			if found.Storage != seen.Storage { // it was deleted and made again meanwhile
				return about{found.Name, s.Account}.notFound()
			}
			tx.Delete(found)
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	shown := shape(r, s, seen)
	return &awsecr.DeleteRepositoryOutput{Repository: &shown}, nil
}
