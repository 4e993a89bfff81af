package secretsmanager

import (
	"github.com/aws/aws-sdk-go-v2/aws"

	"berth/internal/apierr"
	"berth/internal/constraint"
	"berth/internal/secret"
)

// The sizes of values and of what versions are called.
const (
	mostValue    = 65536 // bytes
	leastToken   = 32
	mostToken    = 64
	mostStages   = 20 // labels of a secret
	mostStage    = 256
	mostVersions = 100 // of a secret; the oldest without a label go
)

// value is what a request wants kept.
type value struct {
	text   string
	binary bool // it is bytes
	given  bool
}

// readValue reads SecretString and SecretBinary, of which a request has one at most. What is wrong is added to c, and never shows the value.
func readValue(c *constraint.Check, text *string, binary []byte) (value, error) {
	if text != nil {
		c.Hidden("secretString", len(*text), 1, mostValue)
	}
	if binary != nil {
		c.Hidden("secretBinary", len(binary), 1, mostValue)
	}
	if text != nil && binary != nil {
		return value{}, invalidParameter("You can't specify both a binary secret value and a string secret value in the same secret. " +
			"Provide either SecretString or SecretBinary.")
	}
	if binary != nil {
		return value{text: string(binary), binary: true, given: true}, nil
	}
	return value{text: aws.ToString(text), given: text != nil}, nil
}

// validateToken checks that a request that makes a version says what it is called.
func validateToken(token *string, v value) error {
	if v.given && token == nil {
		return invalidRequest("You must provide a ClientRequestToken value. We recommend a UUID-type value.")
	}
	return nil
}

// purpose binds a value to its version.
func purpose(v *secret.SecretVersion) string { return string(v.Kind()) + "/" + v.Key() }

// sealed is a version with its value.
func (a *API) sealed(v secret.SecretVersion, with value) *secret.SecretVersion {
	v.Binary, v.Sealed = with.binary, a.key.Seal(with.text, purpose(&v))
	return &v
}

// open is a version's value.
func (a *API) open(v *secret.SecretVersion) (value, error) {
	text, err := a.key.Open(v.Sealed, purpose(v))
	if err != nil {
		return value{}, apierr.New("DecryptionFailure", "Secrets Manager can't decrypt the protected secret text using the provided KMS key.").Because(err)
	}
	return value{text: text, binary: v.Binary, given: true}, nil
}

// members are a value's as answers have them.
func (v value) members() (text *string, binary []byte) {
	if v.binary {
		return nil, []byte(v.text)
	}
	return &v.text, nil
}

// validateKey checks a KmsKeyId. Whatever it names, values are sealed with the installation's key.
func validateKey(id *string) error {
	if id == nil || *id == "" || secret.IsKey("secretsmanager", *id) {
		return nil
	}
	return apierr.New("EncryptionFailure", "Secrets Manager can't encrypt the protected secret text using the provided KMS key. Check that the KMS key is "+
		"available, enabled, and not in an invalid state: KmsKeyId %.256s is neither alias/aws/secretsmanager nor the ARN of a key.", *id)
}
