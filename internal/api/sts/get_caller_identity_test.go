package sts

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"

	"berth/internal/frontdoor"
	"berth/internal/policy"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssts "github.com/aws/aws-sdk-go-v2/service/sts"
)

var caller = policy.Principal{ARN: "arn:aws:iam::123456789012:user/nobody", Account: "123456789012", UserID: "AIDANOBODY"}

func door() *frontdoor.Door {
	return frontdoor.New(frontdoor.Config{
		Services: []frontdoor.Service{New(nil).Service()},
		Keys: func(_ context.Context, id, _ string) (frontdoor.Key, bool) {
			return frontdoor.Key{Secret: "s3cr3t", Principal: caller}, id == "AKID"
		},
	})
}

// A caller without any policy may ask who it is.
func TestGetCallerIdentity(t *testing.T) {
	server := httptest.NewServer(door())
	defer server.Close()
	client := awssts.New(awssts.Options{Region: "eu-central-1", BaseEndpoint: &server.URL, HTTPClient: server.Client(), RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKID", SecretAccessKey: "s3cr3t"}, nil
		})})
	out, err := client.GetCallerIdentity(t.Context(), &awssts.GetCallerIdentityInput{})
	if err != nil {
		t.Fatal(err)
	}
	if *out.Account != caller.Account || *out.Arn != caller.ARN || *out.UserId != caller.UserID {
		t.Errorf("got %s, %s, %s", *out.Account, *out.Arn, *out.UserId)
	}
}

// The answer's bytes, as AWS's clients of all languages read them.
func TestGetCallerIdentityOnTheWire(t *testing.T) {
	d := frontdoor.New(frontdoor.Config{Services: []frontdoor.Service{New(nil).Service()}, Auth: frontdoor.AuthDev, DevPrincipal: caller, Account: caller.Account})
	r := httptest.NewRequest("POST", "http://cp/", strings.NewReader("Action=GetCallerIdentity&Version=2011-06-15"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	want := `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>` +
		`<Account>123456789012</Account><Arn>arn:aws:iam::123456789012:user/nobody</Arn><UserId>AIDANOBODY</UserId></GetCallerIdentityResult>` +
		`<ResponseMetadata><RequestId>` + w.Header().Get("x-amzn-RequestId") + `</RequestId></ResponseMetadata></GetCallerIdentityResponse>`
	if w.Code != 200 || w.Body.String() != want {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}
