package secretsmanager

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssm "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

// wire answers the SDK's client with an account's operations.
type wire struct {
	t *testing.T
	a *account
}

func (w wire) Do(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), "secretsmanager.")
	out, failed := w.a.ask(w.t, operation, string(body))
	status := http.StatusOK
	if failed != nil {
		status = failed.Status
		out, _ = json.Marshal(map[string]string{"__type": failed.Code, "message": failed.Message})
	}
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}}, Body: io.NopCloser(bytes.NewReader(out))}, nil
}

// The SDK's client sends what the operations read, and reads what they answer: values, lists, maps, times and the types of errors.
func TestSDK(t *testing.T) {
	ctx := t.Context()
	client := awssm.New(awssm.Options{Region: testScope.Region, HTTPClient: wire{t, newAccount(t)}, BaseEndpoint: aws.String("http://berth"),
		Credentials: aws.AnonymousCredentials{}})
	created, err := client.CreateSecret(ctx, &awssm.CreateSecretInput{Name: aws.String("app/db"), SecretBinary: []byte{0, 1, 2},
		Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("web")}}})
	if err != nil || created.ARN == nil || len(aws.ToString(created.VersionId)) != 36 {
		t.Fatalf("%+v, %v", created, err)
	}
	got, err := client.GetSecretValue(ctx, &awssm.GetSecretValueInput{SecretId: created.ARN})
	if err != nil || !bytes.Equal(got.SecretBinary, []byte{0, 1, 2}) || got.SecretString != nil || got.CreatedDate.IsZero() || *got.VersionId != *created.VersionId {
		t.Fatalf("%+v, %v", got, err)
	}
	if _, err := client.PutSecretValue(ctx, &awssm.PutSecretValueInput{SecretId: created.Name, SecretString: aws.String("text")}); err != nil {
		t.Fatal(err)
	}
	described, err := client.DescribeSecret(ctx, &awssm.DescribeSecretInput{SecretId: created.Name})
	if err != nil || len(described.VersionIdsToStages) != 2 || described.VersionIdsToStages[*created.VersionId][0] != "AWSPREVIOUS" || *described.Tags[0].Value != "web" {
		t.Errorf("%+v, %v", described, err)
	}
	listed, err := client.ListSecrets(ctx, &awssm.ListSecretsInput{Filters: []types.Filter{{Key: types.FilterNameStringTypeName, Values: []string{"app"}}}})
	if err != nil || len(listed.SecretList) != 1 || *listed.SecretList[0].ARN != *created.ARN || len(listed.SecretList[0].SecretVersionsToStages) != 2 {
		t.Errorf("%+v, %v", listed, err)
	}
	batch, err := client.BatchGetSecretValue(ctx, &awssm.BatchGetSecretValueInput{SecretIdList: []string{"app/db", "none"}})
	if err != nil || len(batch.SecretValues) != 1 || *batch.SecretValues[0].SecretString != "text" || *batch.Errors[0].SecretId != "none" {
		t.Errorf("%+v, %v", batch, err)
	}
	versions, err := client.ListSecretVersionIds(ctx, &awssm.ListSecretVersionIdsInput{SecretId: created.Name})
	if err != nil || len(versions.Versions) != 2 || versions.Versions[0].CreatedDate.IsZero() {
		t.Errorf("%+v, %v", versions, err)
	}
	if deleted, err := client.DeleteSecret(ctx, &awssm.DeleteSecretInput{SecretId: created.Name}); err != nil || deleted.DeletionDate.IsZero() {
		t.Errorf("%+v, %v", deleted, err)
	}
	var marked *types.InvalidRequestException
	if _, err := client.GetSecretValue(ctx, &awssm.GetSecretValueInput{SecretId: created.Name}); !errors.As(err, &marked) {
		t.Errorf("%v", err)
	}
	var missing *types.ResourceNotFoundException
	if _, err := client.GetSecretValue(ctx, &awssm.GetSecretValueInput{SecretId: aws.String("none")}); !errors.As(err, &missing) ||
		missing.ErrorMessage() != "Secrets Manager can't find the specified secret." {
		t.Errorf("%v", err)
	}
}
