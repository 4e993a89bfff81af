package ecr

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecr "github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
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
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), "AmazonEC2ContainerRegistry_V20150921.")
	out, failed := w.a.ask(w.t, operation, string(body))
	status := http.StatusOK
	if failed != nil {
		status = failed.Status
		if out, err = json.Marshal(map[string]string{"__type": failed.Code, "message": failed.Message}); err != nil {
			return nil, err
		}
	}
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}}, Body: io.NopCloser(bytes.NewReader(out))}, nil
}

// The SDK's client sends what the operations read, and reads what they answer: values, lists, tags, times and the types of errors.
func TestSDK(t *testing.T) {
	ctx, a := t.Context(), newAccount(t)
	client := awsecr.New(awsecr.Options{Region: testScope.Region, HTTPClient: wire{t, a}, BaseEndpoint: aws.String("http://berth"), Credentials: aws.AnonymousCredentials{}})
	name := aws.String("app")
	created, err := client.CreateRepository(ctx, &awsecr.CreateRepositoryInput{RepositoryName: name, Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("web")}},
		ImageScanningConfiguration: &types.ImageScanningConfiguration{ScanOnPush: true}})
	if err != nil || *created.Repository.RepositoryUri != "127.0.0.1:3270/123456789012/us-east-1/app" || created.Repository.CreatedAt.IsZero() {
		t.Fatalf("%+v, %v", created, err)
	}
	tags, err := client.ListTagsForResource(ctx, &awsecr.ListTagsForResourceInput{ResourceArn: created.Repository.RepositoryArn})
	if err != nil || len(tags.Tags) != 1 || *tags.Tags[0].Key != "team" || *tags.Tags[0].Value != "web" {
		t.Errorf("%+v, %v", tags, err)
	}
	d := a.push(t, "app", "v1", "layer").String()
	images, err := client.DescribeImages(ctx, &awsecr.DescribeImagesInput{RepositoryName: name, Filter: &types.DescribeImagesFilter{TagStatus: types.TagStatusTagged}})
	if err != nil || len(images.ImageDetails) != 1 || *images.ImageDetails[0].ImageDigest != d || images.ImageDetails[0].ImagePushedAt.IsZero() || *images.ImageDetails[0].ImageSizeInBytes != 7 {
		t.Errorf("%+v, %v", images, err)
	}
	token, err := client.GetAuthorizationToken(ctx, &awsecr.GetAuthorizationTokenInput{})
	if err != nil || len(token.AuthorizationData) != 1 || token.AuthorizationData[0].ExpiresAt.IsZero() {
		t.Fatalf("%+v, %v", token, err)
	}
	if text, err := base64.StdEncoding.DecodeString(*token.AuthorizationData[0].AuthorizationToken); err != nil || !strings.HasPrefix(string(text), "AWS:password of arn:aws:iam::") {
		t.Errorf("%s, %v", text, err)
	}
	if listed := awsecr.NewListImagesPaginator(client, &awsecr.ListImagesInput{RepositoryName: name, MaxResults: aws.Int32(1)}); listed.HasMorePages() {
		if p, err := listed.NextPage(ctx); err != nil || len(p.ImageIds) != 1 || listed.HasMorePages() {
			t.Errorf("%+v, %v", p, err)
		}
	}
	var full *types.RepositoryNotEmptyException
	if _, err := client.DeleteRepository(ctx, &awsecr.DeleteRepositoryInput{RepositoryName: name}); !errors.As(err, &full) {
		t.Errorf("%v", err)
	}
	var exists *types.RepositoryAlreadyExistsException
	if _, err := client.CreateRepository(ctx, &awsecr.CreateRepositoryInput{RepositoryName: name}); !errors.As(err, &exists) {
		t.Errorf("%v", err)
	}
}
