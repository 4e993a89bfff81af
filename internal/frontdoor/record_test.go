package frontdoor

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

func TestRequestLog(t *testing.T) {
	for _, c := range []struct {
		name       string
		r          *http.Request
		level, has string
		observed   string
	}{
		{"a read", signedJSON(t, "ListClusters", "{}", adminKeys), "DEBUG", "operation=ListClusters caller=arn:aws:iam::123456789012:user/admin status=200 code=\"\"", "ecs ListClusters "},
		{"a report", signedJSON(t, "SubmitTaskStateChange", `{"task":"arn:t"}`, adminKeys), "INFO", "tasks=[arn:t]", "ecs SubmitTaskStateChange "},
		{"about a cluster", signedJSON(t, "DeleteCluster", `{"cluster":"gone"}`, adminKeys), "INFO", "resource=arn:aws:ecs:us-east-1:123456789012:cluster/gone",
			"ecs DeleteCluster ClusterNotFoundException"},
		{"a write", signedJSON(t, "CreateCluster", `{"clusterName":"x"}`, adminKeys), "INFO", "service=ecs operation=CreateCluster", "ecs CreateCluster "},
		{"a refusal", signedJSON(t, "CreateCluster", "{}", adminKeys), "INFO", "status=400 code=InvalidParameterException", "ecs CreateCluster InvalidParameterException"},
		{"a fault", signedJSON(t, "DeleteCluster", `{"cluster":"broken"}`, adminKeys), "ERROR", `cause="secret detail"`, "ecs DeleteCluster ServerException"},
		{"a panic", signedJSON(t, "ListServices", `{}`, adminKeys), "ERROR", "stack=", "ecs ListServices ServerException"},
		{"a stranger", signedJSON(t, "CreateCluster", `{}`, aws.Credentials{AccessKeyID: "A", SecretAccessKey: "b"}), "INFO", "code=UnrecognizedClientException",
			"ecs CreateCluster UnrecognizedClientException"},
		{"a stranger who reads", jsonRequest("ListClusters", "{}"), "INFO", "code=MissingAuthenticationTokenException",
			"ecs ListClusters MissingAuthenticationTokenException"},
		{"no operation", signedJSON(t, "MakeCoffee", `{}`, adminKeys), "INFO", `operation="" caller="" status=400 code=UnknownOperationException`, "ecs  UnknownOperationException"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var log bytes.Buffer
			var observed []string
			d := testDoor(func(cfg *Config) {
				cfg.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
				cfg.Observe = func(service, operation, code string, status int, d time.Duration) {
					observed = append(observed, fmt.Sprint(service, " ", operation, " ", code))
					if d <= 0 || (code == "") != (status == 200) {
						t.Errorf("status %d, took %v", status, d)
					}
				}
			})
			w := serve(d, c.r)
			line := log.String()
			if !strings.Contains(line, "level="+c.level) || !strings.Contains(line, c.has) || !strings.Contains(line, w.Header().Get("x-amzn-RequestId")) {
				t.Errorf("logged %s", line)
			}
			if strings.Count(line, "msg=request ") != 1 || strings.Contains(line, "s3cr3t") || strings.Contains(line, "Signature=") {
				t.Errorf("logged %s", line)
			}
			if len(observed) != 1 || observed[0] != c.observed {
				t.Errorf("observed %q", observed)
			}
		})
	}
}
