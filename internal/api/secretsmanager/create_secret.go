package secretsmanager

import (
	"context"
	"crypto/rand"
	"math/big"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssm "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/constraint"
	"berth/internal/frontdoor"
	"berth/internal/secret"
	"berth/internal/state"
)

const (
	mostDescription = 2048
	mostKeyID       = 2048
	mostSecrets     = 500_000 // of the installation
)

// createSecret makes a secret, and its first version where the request has a value. A repeated request, which has the token and the value of a version
// that is there, is answered with that.
func (a *API) createSecret(ctx context.Context, r *frontdoor.Request, in *awssm.CreateSecretInput) (*awssm.CreateSecretOutput, error) {
	v, err := validateNewSecret(in)
	if err != nil {
		return nil, err
	}
	var out *awssm.CreateSecretOutput
	err = a.store.Update(ctx, func(tx *state.Tx) (err error) {
		if old := lookUp(tx.Tables, r.Scope, *in.Name); old != nil {
			out, err = a.createdBefore(tx.Tables, old, in.ClientRequestToken, v)
			return err
		}
		if tx.Secrets.Len() >= mostSecrets {
			return limitExceeded("You have reached the limit of %d secrets.", mostSecrets)
		}
		at := now()
		made := &secret.Secret{
			Arn: newARN(tx.Tables, r.Scope, *in.Name), Name: *in.Name, Description: aws.ToString(in.Description), KMSKeyID: aws.ToString(in.KmsKeyId),
			CreatedDate: at, ChangedDate: at, Tags: withTags(nil, in.Tags),
		}
		tx.Put(made)
		out = &awssm.CreateSecretOutput{ARN: &made.Arn, Name: &made.Name}
		if v.given {
			out.VersionId = in.ClientRequestToken
			_, err = a.putVersion(tx, made, *in.ClientRequestToken, v, nil)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func validateNewSecret(in *awssm.CreateSecretInput) (value, error) {
	var c constraint.Check
	c.Needed("name", in.Name, 1, mostName)
	c.Text("clientRequestToken", in.ClientRequestToken, leastToken, mostToken)
	c.Text("description", in.Description, 0, mostDescription)
	c.Text("kmsKeyId", in.KmsKeyId, 0, mostKeyID)
	v, err := readValue(&c, in.SecretString, in.SecretBinary)
	if err := firstOf(c.Err(), err); err != nil {
		return v, err
	}
	if err := validateName(*in.Name); err != nil {
		return v, err
	}
	switch {
	case in.AddReplicaRegions != nil:
		return v, notActedOn("AddReplicaRegions")
	case in.ForceOverwriteReplicaSecret:
		return v, notActedOn("ForceOverwriteReplicaSecret")
	case aws.ToString(in.Type) != "":
		return v, notActedOn("Type")
	}
	return v, firstOf(validateToken(in.ClientRequestToken, v), validateKey(in.KmsKeyId), validateTags(in.Tags))
}

// firstOf is the first error that is one.
func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// createdBefore answers a request for a secret that is there.
func (a *API) createdBefore(t *state.Tables, old *secret.Secret, token *string, v value) (*awssm.CreateSecretOutput, error) {
	if !old.DeletedDate.IsZero() {
		return nil, invalidRequest("You can't create this secret because a secret with this name is already scheduled for deletion.")
	}
	if v.given {
		if version := t.SecretVersions.Get(old.Arn + "/" + *token); version != nil && a.same(version, v) == nil {
			return &awssm.CreateSecretOutput{ARN: &old.Arn, Name: &old.Name, VersionId: token}, nil
		}
	}
	return nil, apierr.New("ResourceExistsException", "The operation failed because the secret %s already exists.", old.Name)
}

// newARN is one that no secret has.
func newARN(t *state.Tables, s arn.Scope, name string) string {
	for {
		if made := secret.SecretsIn(s) + name + "-" + randomText(letters+capitals+numerals, secret.SuffixLength); t.Secrets.Get(made) == nil {
			return made
		}
	}
}

// randomText is a text of so many characters, each of the alphabet with the same chance.
func randomText(alphabet string, length int) string {
	b := make([]byte, length)
	for i := range b {
		b[i] = alphabet[randomNumber(len(alphabet))]
	}
	return string(b)
}

// randomNumber is from 0 to below n.
func randomNumber(n int) int {
	r, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
	if err != nil { // the system's random numbers never fail
		panic(err)
	}
	return int(r.Int64())
}
