package frontdoor

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"berth/internal/sdkhttp"
)

func fixed(keys aws.Credentials) aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return keys, nil })
}

// The SDK's own clients, over real HTTP.
func TestSDKClients(t *testing.T) {
	server := httptest.NewServer(testDoor(nil))
	defer server.Close()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	client := sdkhttp.Client(transport)
	ecs := awsecs.New(awsecs.Options{Region: "us-east-1", BaseEndpoint: &server.URL, Credentials: fixed(adminKeys), HTTPClient: client, RetryMaxAttempts: 1})
	identities := sts.New(sts.Options{Region: "us-east-1", BaseEndpoint: &server.URL, Credentials: fixed(sessionKeys), HTTPClient: client, RetryMaxAttempts: 1})

	list, err := ecs.ListClusters(t.Context(), &awsecs.ListClustersInput{})
	if err != nil || len(list.ClusterArns) != 1 {
		t.Errorf("list: %v, %v", list, err)
	}
	if _, err := ecs.CreateCluster(t.Context(), &awsecs.CreateClusterInput{ClusterName: aws.String("é & ü")}); err != nil {
		t.Errorf("create: %v", err)
	}
	_, err = ecs.DeleteCluster(t.Context(), &awsecs.DeleteClusterInput{Cluster: aws.String("gone")})
	if missing := new(types.ClusterNotFoundException); !errors.As(err, &missing) || missing.ErrorMessage() != "Cluster not found." {
		t.Errorf("delete: %v", err)
	}
	who, err := identities.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if err != nil || aws.ToString(who.Arn) != admin.ARN {
		t.Errorf("identity: %v, %v", who, err)
	}
	_, err = identities.GetSessionToken(t.Context(), &sts.GetSessionTokenInput{})
	if refused := smithy.APIError(nil); !errors.As(err, &refused) || refused.ErrorCode() != "UnsupportedOperationException" {
		t.Errorf("session: %v", err)
	}
}
