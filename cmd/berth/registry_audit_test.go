package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"berth/internal/ecr"
	"berth/internal/frontdoor"
	"berth/internal/trail"
)

// TestRegistryIsAudited: what a client does at the registry is in the audit log as calls of ECR's API, with who it was and which statement allowed or denied it.
// Its password and the layers are not.
func TestRegistryIsAudited(t *testing.T) {
	s := openImageSite(t, frontdoor.AuthIAM)
	s.options.audit = defaultAudit()
	if err := s.openTrail(); err != nil {
		t.Fatal(err)
	}
	s.user("ada", `[{"Sid":"Push","Effect":"Allow","Action":"ecr:*","Resource":"*"},{"Effect":"Deny","Action":"ecr:BatchGetImage","Resource":"*"}]`)
	s.put(&ecr.Repository{Arn: "arn:aws:ecr:us-east-1:123456789012:repository/app", Name: "app", Storage: "app"})
	login := s.login("ada")
	const path = "/v2/123456789012/us-east-1/app"
	d := digest.FromString("content").String()
	_, header := s.ask(login, "POST", path+"/blobs/uploads/", nil)
	_, header = s.ask(login, "PATCH", header.Get("Location"), []byte("content"))
	s.ask(login, "PUT", header.Get("Location")+"?digest="+d, nil)
	s.ask(login, "GET", path+"/blobs/"+d, nil)
	s.ask(login, "GET", path+"/manifests/v1", nil)
	if got := s.told(); len(got) != 5 {
		t.Fatalf("%d records", len(got))
	} else {
		for i, want := range []string{
			`GetAuthorizationToken null  allowed Push`,
			`InitiateLayerUpload {"repositoryName":"app","registryId":"123456789012"}  allowed Push`,
			`CompleteLayerUpload {"layerDigests":["` + d + `"],"repositoryName":"app","uploadId":"ID","registryId":"123456789012"}  allowed Push`,
			`GetDownloadUrlForLayer {"layerDigest":"` + d + `","repositoryName":"app","registryId":"123456789012"}  allowed Push`,
			`BatchGetImage {"imageIds":[{"imageTag":"v1"}],"repositoryName":"app","registryId":"123456789012"} AccessDenied explicit deny `,
		} {
			r := got[i]
			upload := filepath.Base(header.Get("Location"))
			d := r.AdditionalEventData.Decisions[0]
			if is := strings.Join([]string{r.EventName, strings.ReplaceAll(string(r.RequestParameters), upload, "ID"), r.ErrorCode, d.Decision, d.Sid}, " "); is != want {
				t.Errorf("record\n%s, want\n%s", is, want)
			}
			if r.EventSource != "ecr.amazonaws.com" || r.UserIdentity.UserName != "ada" || r.UserIdentity.AccessKeyID != "AKIAADA" || r.SourceIPAddress != "127.0.0.1" ||
				!strings.HasPrefix(r.UserAgent, "Go-http-client") && i > 0 || r.AwsRegion != "us-east-1" || !r.ManagementEvent {
				t.Errorf("%s: %+v of %+v", r.EventName, r, r.UserIdentity)
			}
			if want := (trail.Resource{ARN: "arn:aws:ecr:us-east-1:123456789012:repository/app", AccountID: registryAccount, Type: "AWS::ECR::Repository"}); i > 0 &&
				(len(r.Resources) != 1 || r.Resources[0] != want) {
				t.Errorf("%s: resources %+v", r.EventName, r.Resources)
			}
		}
	}
	basic, err := base64.StdEncoding.DecodeString(login)
	if err != nil {
		t.Fatal(err)
	}
	_, password, _ := strings.Cut(string(basic), ":")
	for _, file := range s.auditFiles() {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), login) || strings.Contains(string(text), password) {
			t.Errorf("the password is in\n%s", text)
		}
	}
}

func (s *imageSite) auditFiles() []string {
	s.t.Helper()
	files, err := filepath.Glob(s.data.path("audit") + "/*")
	if err != nil || len(files) == 0 {
		s.t.Fatal(files, err)
	}
	return files
}

// told are the records that wait to be written.
func (s *imageSite) told() (list []trail.Record) {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	cancel() // what waits is written at the end
	if err := s.runTrail(ctx); err != nil {
		s.t.Fatal(err)
	}
	for _, file := range s.auditFiles() {
		text, err := os.ReadFile(file)
		if err != nil {
			s.t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			var r trail.Record
			if err := json.Unmarshal([]byte(line), &r); err != nil {
				s.t.Fatal(err)
			}
			list = append(list, r)
		}
	}
	return list
}
