package main

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/spf13/pflag"
)

// s3Options are the flags that say where an agent reads environment files. `berth agent` has them, and `berth up`, which hands them on.
type s3Options struct{ endpoint, region, credentials string }

// The variables of the environment beside the flags. A key is no flag: everybody sees the arguments of a process.
const (
	s3EndpointVariable = "AWS_ENDPOINT_URL_S3"
	s3KeyVariable      = "BERTH_S3_ACCESS_KEY_ID"
	s3SecretVariable   = "BERTH_S3_SECRET_ACCESS_KEY"
)

func (o *s3Options) s3Flags(f *pflag.FlagSet) {
	f.StringVar(&o.endpoint, "s3-endpoint", cmp.Or(o.endpoint, os.Getenv(s3EndpointVariable)), "S3-compatible store from which tasks' environment files are read, https://HOST[:PORT] (default: $AWS_ENDPOINT_URL_S3)")
	f.StringVar(&o.region, "s3-region", o.region, "the store's region (default: the control plane's)")
	f.StringVar(&o.credentials, "s3-credentials", o.credentials, "file with a key of the store, as ~/.aws/credentials has it, where the store does not know those of Berth's roles; or "+
		"$BERTH_S3_ACCESS_KEY_ID and $BERTH_S3_SECRET_ACCESS_KEY. What a task execution role may read, its policies say all the same")
}

// checkS3 refuses what cannot be right.
func (o *s3Options) checkS3() error {
	if o.endpoint != "" {
		if u, err := url.Parse(o.endpoint); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return fmt.Errorf("--s3-endpoint %q is not an address like https://s3.example.com", o.endpoint)
		}
	}
	_, err := o.key()
	return err
}

// key is the store's own key, nil where the roles' are used.
func (o *s3Options) key() (*aws.Credentials, error) {
	if o.credentials != "" {
		text, err := os.ReadFile(o.credentials)
		if err != nil {
			return nil, fmt.Errorf("--s3-credentials: %w", err)
		}
		k := parseCredentials(text)
		if !k.HasKeys() {
			return nil, fmt.Errorf("--s3-credentials: %s has no aws_access_key_id and aws_secret_access_key in [default]", o.credentials)
		}
		return &k, nil
	}
	k := aws.Credentials{AccessKeyID: os.Getenv(s3KeyVariable), SecretAccessKey: os.Getenv(s3SecretVariable)}
	switch {
	case k.HasKeys():
		return &k, nil
	case k.AccessKeyID != "" || k.SecretAccessKey != "":
		return nil, fmt.Errorf("%s and %s are to be set together", s3KeyVariable, s3SecretVariable)
	}
	return nil, nil
}

// parseCredentials reads the key of the profile default.
func parseCredentials(text []byte) (k aws.Credentials) {
	profile := "default"
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if strings.HasPrefix(line, "[") {
			profile = strings.TrimSpace(strings.Trim(line, "[]"))
			continue
		}
		name, value, _ := strings.Cut(line, "=")
		if profile != "default" {
			continue
		}
		value = strings.TrimSpace(value)
		switch strings.TrimSpace(name) {
		case "aws_access_key_id":
			k.AccessKeyID = value
		case "aws_secret_access_key":
			k.SecretAccessKey = value
		case "aws_session_token":
			k.SessionToken = value
		}
	}
	return k
}

// keepS3 remembers the flags of `berth up` for its agent. An endpoint that the environment names is as good as one that is said.
func (o *s3Options) keepS3(said func(flag string) bool, in *installation) error {
	f := pflag.NewFlagSet("up", pflag.ContinueOnError)
	o.s3Flags(f)
	err := recall(f, in.Agent, func(flag string) bool {
		return said(flag) || flag == "s3-endpoint" && os.Getenv(s3EndpointVariable) != ""
	})
	if err != nil {
		return fmt.Errorf("read berth.json: %w", err)
	}
	if o.credentials != "" {
		if o.credentials, err = filepath.Abs(o.credentials); err != nil {
			return fmt.Errorf("--s3-credentials: %w", err)
		}
	}
	in.Agent = asText(f)
	maps.DeleteFunc(in.Agent, func(_, value string) bool { return value == "" })
	return nil
}
