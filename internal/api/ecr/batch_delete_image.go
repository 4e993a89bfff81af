package ecr

import (
	"context"
	"slices"

	awsecr "github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"berth/internal/frontdoor"
	"berth/internal/registry"
)

// batchDeleteImage takes tags from images, or removes images with all their tags where they are named by digest alone. An image that loses its last
// tag so is removed. One that an index has in it stays, and the answer says so.
func (a *API) batchDeleteImage(ctx context.Context, r *frontdoor.Request, in *awsecr.BatchDeleteImageInput) (*awsecr.BatchDeleteImageOutput, error) {
	var c check
	c.repository(in.RegistryId, in.RepositoryName)
	c.imageIDs(in.ImageIds, true)
	if c.err != nil {
		return nil, c.err
	}
	s := home(r, in.RegistryId)
	of, err := find(a.store.View().Tables, s, *in.RepositoryName)
	if err != nil {
		return nil, err
	}
	out := &awsecr.BatchDeleteImageOutput{ImageIds: []types.ImageIdentifier{}, Failures: []types.ImageFailure{}}
	err = a.registry.Alone(of.Storage, func() error {
		all, err := a.shelf(ctx, of, s.Account)
		if err != nil {
			return err
		}
		for _, id := range all.indexesFirst(in.ImageIds) {
			gone, failed, err := a.remove(ctx, all, id)
			if err != nil {
				return err
			}
			out.ImageIds = append(out.ImageIds, gone...)
			if failed != nil {
				out.Failures = append(out.Failures, *failed)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// indexesFirst are the identifiers with those of indexes before the others, so that an index may go together with its images.
func (s *shelf) indexesFirst(ids []types.ImageIdentifier) []types.ImageIdentifier {
	var first, rest []types.ImageIdentifier
	for _, id := range ids {
		if found, _ := s.pick(id); found != nil && len(found.Images) > 0 {
			first = append(first, id)
		} else {
			rest = append(rest, id)
		}
	}
	return append(first, rest...)
}

// remove removes what an identifier names, from the registry and from the shelf.
func (a *API) remove(ctx context.Context, s *shelf, id types.ImageIdentifier) (gone []types.ImageIdentifier, failed *types.ImageFailure, err error) {
	found, failed := s.pick(id)
	if failed != nil {
		return nil, failed, nil
	}
	if id.ImageTag != nil && len(found.Tags) > 1 {
		if err := a.registry.Untag(ctx, s.of.Storage, *id.ImageTag); err != nil {
			return nil, nil, err
		}
		found.Tags = slices.DeleteFunc(slices.Clone(found.Tags), func(tag string) bool { return tag == *id.ImageTag })
		return []types.ImageIdentifier{identifier(*found, *id.ImageTag)}, nil, nil
	}
	if index, is := registry.Within(s.images, found.Digest); is {
		reason := "Requested image referenced by manifest list: [" + index.String() + "]"
		return nil, &types.ImageFailure{ImageId: &id, FailureCode: types.ImageFailureCodeImageReferencedByManifestList, FailureReason: &reason}, nil
	}
	if err := a.registry.Remove(ctx, s.of.Storage, *found); err != nil {
		return nil, nil, err
	}
	for _, tag := range found.Tags {
		gone = append(gone, identifier(*found, tag))
	}
	if gone == nil {
		gone = []types.ImageIdentifier{identifier(*found, "")}
	}
	digest := found.Digest
	s.images = slices.DeleteFunc(s.images, func(i registry.Image) bool { return i.Digest == digest })
	return gone, nil, nil
}
