package frontdoor

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/awswire"
	"berth/internal/policy"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

const ecsTarget = "AmazonEC2ContainerServiceV20141113"

// services under test: an ECS of a few operations whose answers show what they were asked, and a query service.
func testServices() []Service {
	return []Service{
		{
			Name: "ecs", Protocol: AWSJSON11, Names: awswire.LowerCamel, Target: ecsTarget,
			Known: []string{"CreateCluster", "DeleteCluster", "ListClusters", "ListServices", "SubmitTaskStateChange", "ExecuteCommand", "UpdateCluster"},
			Operations: []Operation{
				Op("CreateCluster", createCluster),
				Op("DeleteCluster", deleteCluster).On(func(r *Request, in any) []string {
					return []string{string(r.Scope.Cluster(aws.ToString(in.(*awsecs.DeleteClusterInput).Cluster)))}
				}),
				Op("ListClusters", func(_ context.Context, r *Request, _ *awsecs.ListClustersInput) (*awsecs.ListClustersOutput, error) {
					return &awsecs.ListClustersOutput{ClusterArns: []string{string(r.Scope.Cluster("demo"))}, NextToken: aws.String(r.Caller.ARN)}, nil
				}),
				Op("ListServices", func(context.Context, *Request, *awsecs.ListServicesInput) (*awsecs.ListServicesOutput, error) {
					panic("a bug")
				}),
				Op("SubmitTaskStateChange", func(_ context.Context, r *Request, in *awsecs.SubmitTaskStateChangeInput) (*awsecs.SubmitTaskStateChangeOutput, error) {
					if in.Task != nil {
						r.Tasks = []arn.Task{arn.Task(*in.Task)}
					}
					return &awsecs.SubmitTaskStateChangeOutput{Acknowledgment: aws.String("OK")}, nil
				}),
			},
		},
		{
			Name: "sts", Protocol: AWSQuery, Names: awswire.GoNames, Version: "2011-06-15", Namespace: "https://sts.amazonaws.com/doc/2011-06-15/",
			Known: []string{"GetCallerIdentity", "AssumeRole", "GetSessionToken", "GetAccessKeyInfo"},
			Operations: []Operation{
				{Name: "GetCallerIdentity"}, // replaced below
				Op("AssumeRole", func(context.Context, *Request, *sts.AssumeRoleInput) (*sts.AssumeRoleOutput, error) {
					return &sts.AssumeRoleOutput{}, nil
				}),
				Op("GetAccessKeyInfo", func(context.Context, *Request, *sts.GetAccessKeyInfoInput) (*sts.GetAccessKeyInfoOutput, error) {
					return nil, errors.New("secret detail")
				}),
			},
		},
	}
}

func createCluster(_ context.Context, r *Request, in *awsecs.CreateClusterInput) (*awsecs.CreateClusterOutput, error) {
	if !r.Sent["clusterName"] {
		return nil, apierr.InvalidParameter("clusterName was not sent")
	}
	return &awsecs.CreateClusterOutput{}, nil
}

func deleteCluster(ctx context.Context, _ *Request, in *awsecs.DeleteClusterInput) (*awsecs.DeleteClusterOutput, error) {
	switch aws.ToString(in.Cluster) {
	case "gone":
		return nil, apierr.ClusterNotFound()
	case "slow":
		return nil, context.DeadlineExceeded
	case "broken":
		return nil, errors.New("secret detail")
	}
	return &awsecs.DeleteClusterOutput{}, nil
}

var admin = policy.Principal{ARN: "arn:aws:iam::123456789012:user/admin", Account: "123456789012", UserID: "AIDA", Grants: one("*", "*")}

// reader may list, and delete only one cluster.
var reader = policy.Principal{ARN: "arn:aws:iam::123456789012:user/reader", Account: "123456789012", Grants: grants(
	policy.Statement{Effect: policy.Allow, Actions: []string{"ecs:List*", "ecs:Poll"}, Resources: []string{"*"}},
	policy.Statement{Effect: policy.Allow, Actions: []string{"ecs:DeleteCluster"}, Resources: []string{"arn:aws:ecs:us-east-1:123456789012:cluster/mine"}},
	policy.Statement{Effect: policy.Deny, Actions: []string{"ecs:CreateCluster"}, Resources: []string{"*"}},
)}

// grants are an identity-based policy.
func grants(statements ...policy.Statement) *policy.Grants {
	return &policy.Grants{Identity: policy.Compile(policy.Source{Document: &policy.Document{Statements: statements}})}
}

// one allows one action on one resource.
func one(action, resource string) *policy.Grants {
	return grants(policy.Statement{Effect: policy.Allow, Actions: []string{action}, Resources: []string{resource}})
}

func testKeys(_ context.Context, id, _ string) (Key, bool) {
	switch id {
	case "AKIDADMIN":
		return Key{Secret: "s3cr3t", Principal: admin}, true
	case "AKIDREADER":
		return Key{Secret: "r3ad", Principal: reader}, true
	case "ASIASESSION":
		return Key{Secret: "t3mp", SessionToken: "tok/en+=", Principal: admin}, true
	case "ASIAEXPIRED":
		return Key{Secret: "t3mp", SessionToken: "tok/en+=", Expires: time.Now(), Principal: admin}, true
	case "AKIDEMPTY":
		return Key{Principal: admin}, true
	}
	return Key{}, false
}

var (
	adminKeys   = aws.Credentials{AccessKeyID: "AKIDADMIN", SecretAccessKey: "s3cr3t"}
	readerKeys  = aws.Credentials{AccessKeyID: "AKIDREADER", SecretAccessKey: "r3ad"}
	expiredKeys = aws.Credentials{AccessKeyID: "ASIAEXPIRED", SecretAccessKey: "t3mp", SessionToken: "tok/en+="}
	sessionKeys = aws.Credentials{AccessKeyID: "ASIASESSION", SecretAccessKey: "t3mp", SessionToken: "tok/en+="}
)

func testDoor(change func(*Config)) *Door {
	c := Config{Services: testServices(), Keys: testKeys, Account: "123456789012"}
	c.Services[1].Operations[0] = identity()
	if change != nil {
		change(&c)
	}
	return New(c)
}

func identity() Operation {
	o := Op("GetCallerIdentity", func(_ context.Context, r *Request, _ *sts.GetCallerIdentityInput) (*sts.GetCallerIdentityOutput, error) {
		return &sts.GetCallerIdentityOutput{Arn: aws.String(r.Caller.ARN), Account: aws.String(r.Scope.Account)}, nil
	})
	o.Open = true
	return o
}

func jsonRequest(operation, body string) *http.Request {
	r := httptest.NewRequest("POST", "http://cp:3270/", bytes.NewReader([]byte(body)))
	r.Header.Set("X-Amz-Target", ecsTarget+"."+operation)
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	return r
}

func formRequest(form string) *http.Request {
	r := httptest.NewRequest("POST", "http://cp:3270/", bytes.NewReader([]byte(form)))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	return r
}

// signed signs r, whose body is body, with the SDK's own signer as at time at.
func signed(t testing.TB, r *http.Request, body, service string, keys aws.Credentials, at time.Time) *http.Request {
	t.Helper()
	sum := sha256.Sum256([]byte(body))
	if err := v4.NewSigner().SignHTTP(context.Background(), keys, r, hex.EncodeToString(sum[:]), service, "us-east-1", at); err != nil {
		t.Fatal(err)
	}
	return r
}

func signedJSON(t testing.TB, operation, body string, keys aws.Credentials) *http.Request {
	t.Helper()
	return signed(t, jsonRequest(operation, body), body, "ecs", keys, time.Now())
}

func signedForm(t testing.TB, form string, keys aws.Credentials) *http.Request {
	t.Helper()
	return signed(t, formRequest(form), form, "sts", keys, time.Now())
}

func serve(d *Door, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	return w
}
