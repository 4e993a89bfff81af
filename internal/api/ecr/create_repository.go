package ecr

import (
	"cmp"
	"context"
	"crypto/rand"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecr "github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"berth/internal/apierr"
	"berth/internal/ecr"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

const (
	mostRepositories = 100_000 // of the installation
	mostKey          = 2048
)

// createRepository makes a repository without images.
func (a *API) createRepository(ctx context.Context, r *frontdoor.Request, in *awsecr.CreateRepositoryInput) (*awsecr.CreateRepositoryOutput, error) {
	if err := validateNew(in); err != nil {
		return nil, err
	}
	s := home(r, in.RegistryId)
	made := &ecr.Repository{
		Arn: ecr.ARN(s, *in.RepositoryName), Name: *in.RepositoryName, Storage: newStorage(), CreatedAt: now(),
		EncryptionType: string(types.EncryptionTypeAes256), Tags: withTags(nil, in.Tags),
	}
	setMutability(made, in.ImageTagMutability, in.ImageTagMutabilityExclusionFilters)
	if c := in.ImageScanningConfiguration; c != nil {
		made.ScanOnPush = c.ScanOnPush
	}
	if e := in.EncryptionConfiguration; e != nil {
		made.EncryptionType, made.KMSKey = cmp.Or(string(e.EncryptionType), made.EncryptionType), aws.ToString(e.KmsKey)
	}
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		switch {
		case tx.Repositories.Get(made.Arn) != nil:
			return about{made.Name, s.Account}.exists()
		case tx.Repositories.Len() >= mostRepositories:
			return apierr.New("LimitExceededException", "The operation did not succeed because it would have exceeded a service limit for your account: %d repositories", mostRepositories)
		}
		tx.Put(made)
		return nil
	})
	if err != nil {
		return nil, err
	}
	shown := shape(r, s, made)
	return &awsecr.CreateRepositoryOutput{Repository: &shown}, nil
}

// tagsToo asks whether who makes a repository with tags may tag it.
func tagsToo(r *frontdoor.Request, in any) []frontdoor.Question {
	asked := in.(*awsecr.CreateRepositoryInput)
	if len(asked.Tags) == 0 {
		return nil
	}
	return []frontdoor.Question{{Action: "ecr:TagResource", Resource: ecr.ARN(home(r, asked.RegistryId), aws.ToString(asked.RepositoryName))}}
}

func validateNew(in *awsecr.CreateRepositoryInput) error {
	var c check
	c.repository(in.RegistryId, in.RepositoryName)
	c.mutability(in.ImageTagMutability, in.ImageTagMutabilityExclusionFilters)
	if e := in.EncryptionConfiguration; e != nil {
		if e.EncryptionType == "" {
			c.fail("encryptionConfiguration.encryptionType", "must not be null")
		}
		enum(&c, "encryptionConfiguration.encryptionType", e.EncryptionType, e.EncryptionType.Values())
		c.text("encryptionConfiguration.kmsKey", e.KmsKey, 1, mostKey)
		if e.KmsKey != nil && e.EncryptionType == types.EncryptionTypeAes256 {
			c.fail("encryptionConfiguration.kmsKey", "must be null when encryptionType is AES256")
		}
	}
	c.first(validateTags(in.Tags))
	return c.err
}

// newStorage is a name that no repository's images are kept under.
func newStorage() string { return strings.ToLower(rand.Text()) }
