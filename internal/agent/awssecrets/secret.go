package awssecrets

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"berth/internal/acsproto"
	"berth/internal/agent"
)

// reference is what a secret's valueFrom means: ARN, or ARN:KEY:STAGE:ID, of which the last three may be "".
type reference struct {
	secretVersion
	key string // of the JSON object that the secret is; "" for all of it
}

// secretVersion is a version of a secret in a region.
type secretVersion struct{ region, secret, stage, id string }

const (
	plainParts = 7  // of a secret's ARN
	allParts   = 10 // with a key, a stage and a version
)

// errReference is ECS's text.
var errReference = errors.New("an invalid ARN format for the AWS Secrets Manager secret was specified. Specify a valid ARN and try again.") //nolint:staticcheck // it is AWS's

// parse reads the valueFrom of a secret of Secrets Manager.
func parse(region, from string) (reference, error) {
	parts := strings.Split(from, ":")
	r := reference{secretVersion: secretVersion{region: region}}
	switch {
	case len(parts) != plainParts && len(parts) != allParts, parts[0] != "arn", parts[2] != "secretsmanager", parts[5] != "secret", parts[6] == "":
		return r, errReference
	case len(parts) == allParts:
		r.key, r.stage, r.id = parts[7], parts[8], parts[9]
	}
	r.secret = strings.Join(parts[:plainParts], ":")
	return r, nil
}

// secret is what one secret of Secrets Manager means. read are those that were read before: several may mean keys of the same.
func (r *Reader) secret(ctx context.Context, task string, s acsproto.Secret, read map[secretVersion]string) (string, error) {
	fault := agent.SecretFault{Provider: s.Provider, Region: s.Region, ValueFrom: s.ValueFrom}
	ref, err := parse(s.Region, s.ValueFrom)
	if err != nil {
		fault.Read, fault.Reason = true, err.Error()
		return "", &fault
	}
	fault.ValueFrom = ref.secret
	whole, known := read[ref.secretVersion]
	if !known {
		out, err := r.secrets.GetSecretValue(ctx, &sm.GetSecretValueInput{SecretId: &ref.secret, VersionStage: filled(ref.stage), VersionId: filled(ref.id)}, func(o *sm.Options) {
			o.Region, o.BaseEndpoint, o.Credentials = s.Region, aws.String(r.config.Endpoint()), r.credentials(task)
		})
		if err != nil {
			return "", failed(fault, err)
		}
		if out.SecretString == nil {
			fault.Read, fault.Reason = true, "retrieved secret from Secrets Manager is binary, and no text"
			return "", &fault
		}
		whole = *out.SecretString
		read[ref.secretVersion] = whole
	}
	if ref.key == "" {
		return whole, nil
	}
	value, ok := member(whole, ref.key)
	if !ok {
		fault.Read, fault.Reason = true, "retrieved secret from Secrets Manager did not contain json key "+ref.key
		return "", &fault
	}
	return value, nil
}

// member is a member of the JSON object that a text is: a string without its quotes, anything else as it is written, without spaces.
func member(text, key string) (value string, ok bool) {
	var object map[string]json.RawMessage
	d := json.NewDecoder(strings.NewReader(text))
	if d.Decode(&object) != nil {
		return "", false
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) { // text after the object
		return "", false
	}
	raw, ok := object[key]
	if !ok {
		return "", false
	}
	if json.Unmarshal(raw, &value) == nil && raw[0] == '"' {
		return value, true
	}
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return "", false
	}
	return b.String(), true
}

func filled(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
