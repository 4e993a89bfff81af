package storm

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"berth/internal/sdkhttp"
)

// BenchmarkIAM starts the tasks of one service, rolls it and deletes it: with nobody's rights checked, with everybody's, and with tasks that have roles of 50
// statements, whose credentials are made for each.
func BenchmarkIAM(b *testing.B) {
	z := size{10_000, 100}
	for _, how := range []string{"dev", "iam", "roles"} {
		b.Run(how, func(b *testing.B) {
			for range b.N {
				auth := map[bool]string{true: "dev", false: "iam"}[how == "dev"]
				s := startServer(b, "--auth", auth)
				flags := append(z.flags(), "--update", "--delete")
				if how == "roles" {
					flags = append(flags, "--task-role", s.role())
				}
				var before time.Duration
				r := s.simulateFrom(func() { before = s.cpu() }, flags...)
				for _, p := range r.Phases {
					b.ReportMetric(p.Took.Seconds(), p.Name+"-s")
				}
				b.ReportMetric(float64((s.cpu()-before).Microseconds())/float64(z.tasks), "us-cpu/task")
				if r.Errors > 0 || r.Repeated > 0 {
					b.Errorf("%d errors, %d tasks told twice", r.Errors, r.Repeated)
				}
				s.kill()
			}
		})
	}
}

// role makes a role for tasks, with 50 statements.
func (s *server) role() (arn string) {
	s.b.Helper()
	text, err := os.ReadFile(filepath.Join(s.data, "credentials.json"))
	var key struct{ AccessKeyID, SecretAccessKey string }
	if err == nil {
		err = json.Unmarshal(text, &key)
	}
	if err != nil {
		s.b.Fatal(err)
	}
	c := iam.New(iam.Options{Region: "us-east-1", BaseEndpoint: aws.String("http://" + s.listen), HTTPClient: sdkhttp.New(), Credentials: credentials.NewStaticCredentialsProvider(key.AccessKeyID, key.SecretAccessKey, "")})
	const trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	made, err := c.CreateRole(s.b.Context(), &iam.CreateRoleInput{RoleName: aws.String("tasks"), AssumeRolePolicyDocument: aws.String(trust)})
	if err != nil {
		s.b.Fatal(err)
	}
	var statements []string
	for n := range 50 {
		statements = append(statements, fmt.Sprintf(`{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket-%d/*"}`, n))
	}
	document := `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
	if _, err := c.PutRolePolicy(s.b.Context(), &iam.PutRolePolicyInput{RoleName: aws.String("tasks"), PolicyName: aws.String("own"), PolicyDocument: &document}); err != nil {
		s.b.Fatal(err)
	}
	return *made.Role.Arn
}
