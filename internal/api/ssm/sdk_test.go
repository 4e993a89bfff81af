package ssm

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsssm "github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
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
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), "AmazonSSM.")
	out, failed := w.a.ask(w.t, operation, string(body))
	status := http.StatusOK
	if failed != nil {
		status = failed.Status
		out, _ = json.Marshal(map[string]string{"__type": failed.Code, "message": failed.Message})
	}
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}}, Body: io.NopCloser(bytes.NewReader(out))}, nil
}

// The SDK's client sends what the operations read, and reads what they answer: values, lists, times and the types of errors.
func TestSDK(t *testing.T) {
	ctx := t.Context()
	client := awsssm.New(awsssm.Options{Region: testScope.Region, HTTPClient: wire{t, newAccount(t, roles()...)}, BaseEndpoint: aws.String("http://berth"),
		Credentials: aws.AnonymousCredentials{}})
	put, err := client.PutParameter(ctx, &awsssm.PutParameterInput{Name: aws.String("/app/key"), Value: aws.String("hush"), Type: types.ParameterTypeSecureString,
		Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("web")}}})
	if err != nil || put.Version != 1 || put.Tier != types.ParameterTierStandard {
		t.Fatalf("%+v, %v", put, err)
	}
	if _, err := client.LabelParameterVersion(ctx, &awsssm.LabelParameterVersionInput{Name: aws.String("/app/key"), Labels: []string{"live"}}); err != nil {
		t.Fatal(err)
	}
	got, err := client.GetParameter(ctx, &awsssm.GetParameterInput{Name: aws.String("/app/key:live"), WithDecryption: aws.Bool(true)})
	if err != nil || *got.Parameter.Value != "hush" || *got.Parameter.Selector != ":live" || got.Parameter.LastModifiedDate.IsZero() || got.Parameter.ARN == nil {
		t.Fatalf("%+v, %v", got, err)
	}
	several, err := client.GetParameters(ctx, &awsssm.GetParametersInput{Names: []string{"/app/key", "none"}})
	if err != nil || len(several.Parameters) != 1 || *several.Parameters[0].Value == "hush" || several.InvalidParameters[0] != "none" {
		t.Errorf("%+v, %v", several, err)
	}
	byPath, err := client.GetParametersByPath(ctx, &awsssm.GetParametersByPathInput{Path: aws.String("/app"), WithDecryption: aws.Bool(true)})
	if err != nil || len(byPath.Parameters) != 1 || *byPath.Parameters[0].Value != "hush" {
		t.Errorf("%+v, %v", byPath, err)
	}
	history, err := client.GetParameterHistory(ctx, &awsssm.GetParameterHistoryInput{Name: aws.String("/app/key")})
	if err != nil || len(history.Parameters) != 1 || history.Parameters[0].Labels[0] != "live" || *history.Parameters[0].KeyId != "alias/aws/ssm" {
		t.Errorf("%+v, %v", history, err)
	}
	described, err := client.DescribeParameters(ctx, &awsssm.DescribeParametersInput{
		ParameterFilters: []types.ParameterStringFilter{{Key: aws.String("tag:team"), Values: []string{"web"}}}})
	if err != nil || len(described.Parameters) != 1 || *described.Parameters[0].LastModifiedUser != "arn:aws:iam::123456789012:user/berth-administrator" {
		t.Errorf("%+v, %v", described, err)
	}
	tags, err := client.ListTagsForResource(ctx, &awsssm.ListTagsForResourceInput{ResourceType: types.ResourceTypeForTaggingParameter, ResourceId: aws.String("/app/key")})
	if err != nil || *tags.TagList[0].Value != "web" {
		t.Errorf("%+v, %v", tags, err)
	}
	activation, err := client.CreateActivation(ctx, &awsssm.CreateActivationInput{IamRole: aws.String("Hybrid")})
	if err != nil || len(aws.ToString(activation.ActivationCode)) != 20 {
		t.Fatalf("%+v, %v", activation, err)
	}
	activations, err := client.DescribeActivations(ctx, &awsssm.DescribeActivationsInput{})
	if err != nil || len(activations.ActivationList) != 1 || *activations.ActivationList[0].ActivationId != *activation.ActivationId || activations.ActivationList[0].Expired {
		t.Errorf("%+v, %v", activations, err)
	}
	var missing *types.ParameterNotFound
	if _, err := client.GetParameter(ctx, &awsssm.GetParameterInput{Name: aws.String("none")}); !errors.As(err, &missing) {
		t.Errorf("%v", err)
	}
	var there *types.ParameterAlreadyExists
	if _, err := client.PutParameter(ctx, &awsssm.PutParameterInput{Name: aws.String("/app/key"), Value: aws.String("x"), Type: types.ParameterTypeString}); !errors.As(err, &there) {
		t.Errorf("%v", err)
	}
}
