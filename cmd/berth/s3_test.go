package main

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

func TestS3Key(t *testing.T) {
	file := filepath.Join(t.TempDir(), "credentials")
	for _, c := range []struct{ file, id, secret, want, err string }{
		{"", "", "", "", ""},
		{"", "ID", "SECRET", "ID SECRET ", ""},
		{"", "ID", "", "", "BERTH_S3_ACCESS_KEY_ID and BERTH_S3_SECRET_ACCESS_KEY are to be set together"},
		{"[default]\naws_access_key_id = FILE\naws_secret_access_key=a=b\n", "ID", "SECRET", "FILE a=b ", ""},
		{"# mine\naws_access_key_id=X\naws_secret_access_key=Y\naws_session_token=Z\n[other]\naws_access_key_id=O\n", "", "", "X Y Z", ""},
		{"[other]\naws_access_key_id=O\naws_secret_access_key=hush\n", "", "", "", "has no aws_access_key_id and aws_secret_access_key in [default]"},
	} {
		t.Setenv(s3KeyVariable, c.id)
		t.Setenv(s3SecretVariable, c.secret)
		o := s3Options{}
		if c.file != "" {
			o.credentials = file
			if err := os.WriteFile(file, []byte(c.file), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		k, err := o.key()
		got, why := "", ""
		if k != nil {
			got = k.AccessKeyID + " " + k.SecretAccessKey + " " + k.SessionToken
		}
		if err != nil {
			why = err.Error()
		}
		if got != c.want || (c.err == "") != (why == "") || !strings.Contains(why, c.err) || strings.Contains(why, "hush") {
			t.Errorf("%+v: %q, %s", c, got, why)
		}
	}
	if _, err := (&s3Options{credentials: file + ".not"}).key(); err == nil || !strings.Contains(err.Error(), "--s3-credentials") {
		t.Errorf("a file that is not there: %v", err)
	}
}

// TestUpKeepsS3: `berth up` remembers where environment files are, and hands it to its agent; the environment's word is newer than what is remembered.
func TestUpKeepsS3(t *testing.T) {
	t.Setenv(s3EndpointVariable, "")
	var in installation
	keep := func(o s3Options, flags ...string) {
		t.Helper()
		if err := o.keepS3(said(flags...), &in); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(want map[string]string) {
		t.Helper()
		if !maps.Equal(in.Agent, want) {
			t.Errorf("kept %v, want %v", in.Agent, want)
		}
	}
	keep(s3Options{})
	expect(map[string]string{})
	keep(s3Options{endpoint: "http://a", region: "r", credentials: "/c"}, "s3-endpoint", "s3-region", "s3-credentials")
	expect(map[string]string{"s3-endpoint": "http://a", "s3-region": "r", "s3-credentials": "/c"})
	keep(s3Options{})
	expect(map[string]string{"s3-endpoint": "http://a", "s3-region": "r", "s3-credentials": "/c"})
	args := (&supervisor{in: in}).agentArgs()
	var o agentOptions
	c := agentCommand()
	if err := c.ParseFlags(args[1:]); err != nil || !strings.Contains(strings.Join(args, " "), "--s3-endpoint http://a") {
		t.Errorf("the agent's arguments %q: %v, %+v", args, err, o)
	}
	t.Setenv(s3EndpointVariable, "http://b")
	keep(s3Options{}, "s3-region")
	expect(map[string]string{"s3-endpoint": "http://b", "s3-credentials": "/c"})
}

func TestS3EndpointIsChecked(t *testing.T) {
	for _, endpoint := range []string{"minio:9000", "ftp://x", "http://", "/path"} {
		f := pflag.NewFlagSet("x", pflag.ContinueOnError)
		o := s3Options{endpoint: endpoint}
		o.s3Flags(f)
		if err := o.checkS3(); err == nil || !strings.Contains(err.Error(), "--s3-endpoint") {
			t.Errorf("%s: %v", endpoint, err)
		}
	}
}
