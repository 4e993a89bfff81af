package ssm

import (
	"encoding/base64"

	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"berth/internal/apierr"
	"berth/internal/secret"
)

// purpose binds a value to a version of its parameter.
func purpose(parameter string, version int64) string {
	return string(secret.KindParameterVersion) + "/" + secret.VersionKey(parameter, version)
}

// seal puts a value into its version.
func (a *API) seal(parameter string, v secret.ParameterValue, text string) secret.ParameterValue {
	v.Sealed = a.key.Seal(text, purpose(parameter, v.Version))
	return v
}

// shown is a version's value as an answer has it: of a SecureString that is not to be decrypted, the sealed bytes in base64.
func (a *API) shown(parameter string, v secret.ParameterValue, decrypt bool) (string, error) {
	if v.Type == string(types.ParameterTypeSecureString) && !decrypt {
		return base64.StdEncoding.EncodeToString(v.Sealed), nil
	}
	text, err := a.key.Open(v.Sealed, purpose(parameter, v.Version))
	if err != nil {
		return "", apierr.New("InvalidKeyId", "The value of %s cannot be decrypted with the key of this installation.", parameter).Because(err)
	}
	return text, nil
}
