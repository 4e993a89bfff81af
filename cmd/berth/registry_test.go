package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecr "github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/opencontainers/go-digest"

	"berth/internal/access"
	"berth/internal/ecr"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/iam"
	"berth/internal/sdkhttp"
	"berth/internal/seal"
	"berth/internal/state"
	"berth/internal/state/statetest"
)

const registryAccount = "123456789012"

// imageSite is a server's door and registry, as docker and the CLI reach them.
type imageSite struct {
	*server
	*httptest.Server
	t *testing.T
}

func openImageSite(t *testing.T, auth frontdoor.Auth) *imageSite {
	t.Helper()
	key, err := seal.ParseKey(bytes.Repeat([]byte("k"), seal.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	store := statetest.Open(t)
	s := &server{options: serverOptions{account: registryAccount}, data: dataDir(t.TempDir()), log: slog.New(slog.DiscardHandler), store: store, key: key, auth: auth,
		keys: &access.Keys{State: store, Seal: key}}
	if err := s.openImages(); err != nil {
		t.Fatal(err)
	}
	s.door = frontdoor.New(frontdoor.Config{Services: []frontdoor.Service{s.images.ecr.Service()}, Keys: s.findKey, Auth: auth,
		DevPrincipal: access.Admin(registryAccount), Account: registryAccount, Audit: s.audit})
	here := func(*http.Request) http.Handler { return nil }
	site := &imageSite{s, httptest.NewServer(withImages(s.door, s.images.registry, here)), t}
	t.Cleanup(site.Close)
	return site
}

// user makes a user with a policy's statements and a key of its name.
func (s *imageSite) user(name, statements string) {
	s.t.Helper()
	id := "AKIA" + strings.ToUpper(name)
	s.put(&iam.User{Entity: iam.Entity{Account: registryAccount, Name: name, ID: "AIDA" + name, Path: "/",
		Inline: []iam.Inline{{Name: "p", Document: `{"Version":"2012-10-17","Statement":` + statements + `}`}}}},
		&iam.AccessKey{AccessKeyID: id, SealedSecret: s.key.Seal("secret", id), Account: registryAccount, UserName: name})
}

func (s *imageSite) put(records ...ecs.Record) {
	s.t.Helper()
	err := s.store.Update(s.t.Context(), func(tx *state.Tx) error {
		for _, r := range records {
			tx.Put(r)
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *imageSite) client(user string) *awsecr.Client {
	return awsecr.New(awsecr.Options{Region: "us-east-1", BaseEndpoint: &s.URL, HTTPClient: sdkhttp.New(), Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "AKIA" + strings.ToUpper(user), SecretAccessKey: "secret"}, nil
	})})
}

// login is a user's name and password, as docker sends them.
func (s *imageSite) login(user string) string {
	s.t.Helper()
	out, err := s.client(user).GetAuthorizationToken(s.t.Context(), &awsecr.GetAuthorizationTokenInput{})
	if err != nil {
		s.t.Fatal(err)
	}
	d := out.AuthorizationData[0]
	if *d.ProxyEndpoint != s.URL {
		s.t.Errorf("the registry is said to be at %s", *d.ProxyEndpoint)
	}
	return *d.AuthorizationToken
}

// ask sends a request as docker does, and returns its status and body.
func (s *imageSite) ask(token, method, path string, body []byte) (string, http.Header) {
	s.t.Helper()
	r, err := http.NewRequest(method, s.URL+path, bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Basic "+token)
	a, err := s.Client().Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return fmt.Sprint(a.StatusCode, " ", string(text)), a.Header
}

// Who has a right by a policy of their own or of the repository, under its conditions, may use it with docker; nobody else.
func TestRegistryAsksPolicies(t *testing.T) {
	s := openImageSite(t, frontdoor.AuthIAM)
	const token = `{"Effect":"Allow","Action":"ecr:GetAuthorizationToken","Resource":"*"}`
	s.user("all", `[`+token+`,{"Effect":"Allow","Action":"ecr:*","Resource":"*"}]`)
	s.user("none", `[`+token+`]`)
	s.user("tagged", `[`+token+`,{"Effect":"Allow","Action":"ecr:ListImages","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/team":"a","ecr:ResourceTag/team":"a"}}}]`)
	s.user("local", `[`+token+`,{"Effect":"Allow","Action":"ecr:ListImages","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"127.0.0.1"},"StringEquals":{"aws:RequestedRegion":"us-east-1"}}}]`)
	s.user("far", `[`+token+`,{"Effect":"Allow","Action":"ecr:ListImages","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}]`)
	s.user("denied", `[`+token+`,{"Effect":"Allow","Action":"ecr:*","Resource":"*"},{"Effect":"Deny","Action":"ecr:ListImages","Resource":"arn:aws:ecr:*:*:repository/app"}]`)
	s.user("guest", `[`+token+`]`)
	policy := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:user/guest"},"Action":"ecr:ListImages"}}`
	s.put(&ecr.Repository{Arn: "arn:aws:ecr:us-east-1:123456789012:repository/app", Name: "app", Storage: "app", Policy: policy, Tags: []ecr.Tag{{Key: "team", Value: "a"}}})
	for user, want := range map[string]string{"all": "200 {", "none": "403 {", "tagged": "200 {", "local": "200 {", "far": "403 {", "denied": "403 {", "guest": "200 {"} {
		got, _ := s.ask(s.login(user), "GET", "/v2/123456789012/us-east-1/app/tags/list", nil)
		if !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s", user, got)
		}
	}
	got, _ := s.ask(s.login("none"), "GET", "/v2/123456789012/us-east-1/app/tags/list", nil)
	if want := `403 {"errors":[{"code":"DENIED","message":"User: arn:aws:iam::123456789012:user/none is not authorized to perform: ecr:ListImages on resource: ` +
		`arn:aws:ecr:us-east-1:123456789012:repository/app because no identity-based policy allows the ecr:ListImages action"}]}`; got != want {
		t.Error(got)
	}
}

func TestRegistryLogin(t *testing.T) {
	s := openImageSite(t, frontdoor.AuthIAM)
	s.user("ada", `{"Effect":"Allow","Action":"ecr:*","Resource":"*"}`)
	login := s.login("ada")
	basic := func(user, password string) string {
		return base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
	}
	raw, err := base64.StdEncoding.DecodeString(login)
	if err != nil {
		t.Fatal(err)
	}
	_, password, _ := strings.Cut(string(raw), ":")
	for what, c := range map[string]struct{ token, want string }{
		"right":      {login, "200 {}"},
		"other name": {basic("ada", password), "401 "},
		"key":        {basic("AWS", "secret"), "401 "},
		"nothing":    {basic("AWS", ""), "401 "},
		"cut":        {basic("AWS", password[:len(password)-8]), "401 "},
	} {
		if got, _ := s.ask(c.token, "GET", "/v2/", nil); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %s", what, got)
		}
	}
	inactive := *s.store.View().AccessKeys.Get("AKIAADA")
	inactive.Inactive = true
	s.put(&inactive)
	if got, _ := s.ask(login, "GET", "/v2/", nil); !strings.HasPrefix(got, "401 ") {
		t.Errorf("the password of an inactive key: %s", got)
	}
}

// What is of another account is for those only whom the repository's policy lets in, whatever their own say.
func TestRepositoriesOfOthers(t *testing.T) {
	s := openImageSite(t, frontdoor.AuthIAM)
	s.user("ada", `{"Effect":"Allow","Action":"ecr:*","Resource":"*"}`)
	const arn = "arn:aws:ecr:us-east-1:210987654321:repository/app"
	theirs := ecr.Repository{Arn: arn, Name: "app", Storage: "app", Tags: []ecr.Tag{{Key: "team", Value: "b"}}}
	s.put(&theirs)
	c, ctx := s.client("ada"), t.Context()
	calls := map[string]func() error{
		"ListTagsForResource": func() error {
			_, err := c.ListTagsForResource(ctx, &awsecr.ListTagsForResourceInput{ResourceArn: aws.String(arn)})
			return err
		},
		"TagResource": func() error {
			_, err := c.TagResource(ctx, &awsecr.TagResourceInput{ResourceArn: aws.String(arn), Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}}})
			return err
		},
		"UntagResource": func() error {
			_, err := c.UntagResource(ctx, &awsecr.UntagResourceInput{ResourceArn: aws.String(arn), TagKeys: []string{"team"}})
			return err
		},
		"DescribeRepositories": func() error {
			_, err := c.DescribeRepositories(ctx, &awsecr.DescribeRepositoriesInput{RegistryId: aws.String("210987654321"), RepositoryNames: []string{"app"}})
			return err
		},
		"all of DescribeRepositories": func() error {
			_, err := c.DescribeRepositories(ctx, &awsecr.DescribeRepositoriesInput{RegistryId: aws.String("210987654321")})
			return err
		},
	}
	before := s.store.View().N
	for name, call := range calls {
		if err := call(); err == nil || !strings.Contains(err.Error(), "AccessDeniedException") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if s.store.View().N != before {
		t.Error("something was changed")
	}
	theirs.Policy = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"ecr:*"}}`
	s.put(&theirs)
	for name, call := range calls {
		if err := call(); (err == nil) == strings.HasPrefix(name, "all") { // one repository lets nobody see all
			t.Errorf("%s, where the policy allows it: %v", name, err)
		}
	}
}

// Whoever makes a repository with tags must be allowed to tag it.
func TestRepositoriesWithTags(t *testing.T) {
	s := openImageSite(t, frontdoor.AuthIAM)
	s.user("maker", `[{"Effect":"Allow","Action":"ecr:CreateRepository","Resource":"*"}]`)
	s.user("tagger", `[{"Effect":"Allow","Action":"ecr:CreateRepository","Resource":"*"},
		{"Effect":"Allow","Action":"ecr:TagResource","Resource":"arn:aws:ecr:*:*:repository/tagged","Condition":{"StringEquals":{"aws:RequestTag/team":"a"}}}]`)
	tags := func(team string) []types.Tag {
		return []types.Tag{{Key: aws.String("team"), Value: aws.String(team)}}
	}
	for _, c := range []struct {
		user, name string
		tags       []types.Tag
		may        bool
	}{
		{"maker", "plain", nil, true}, {"maker", "tagged", tags("a"), false}, {"tagger", "tagged", tags("b"), false}, {"tagger", "other", tags("a"), false},
		{"tagger", "tagged", tags("a"), true},
	} {
		_, err := s.client(c.user).CreateRepository(t.Context(), &awsecr.CreateRepositoryInput{RepositoryName: &c.name, Tags: c.tags})
		if c.may != (err == nil) || err != nil && !strings.Contains(err.Error(), "is not authorized to perform: ecr:TagResource on resource: arn:aws:ecr:us-east-1:123456789012:repository/"+c.name) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// With --auth dev, any name and password are the administrator's.
func TestRegistryForDevelopment(t *testing.T) {
	s := openImageSite(t, frontdoor.AuthDev)
	s.put(&ecr.Repository{Arn: "arn:aws:ecr:us-east-1:123456789012:repository/app", Name: "app", Storage: "app"})
	for _, login := range []string{s.login("whoever"), base64.StdEncoding.EncodeToString([]byte("me:x"))} {
		if got, _ := s.ask(login, "GET", "/v2/123456789012/us-east-1/app/tags/list", nil); !strings.HasPrefix(got, "200 ") {
			t.Error(got)
		}
	}
}

// Layers have any length, here and where they are forwarded; what is kept is in the data directory.
func TestLayersOfAnyLength(t *testing.T) {
	s := openImageSite(t, frontdoor.AuthIAM)
	s.user("ada", `{"Effect":"Allow","Action":"ecr:*","Resource":"*"}`)
	s.put(&ecr.Repository{Arn: "arn:aws:ecr:us-east-1:123456789012:repository/app", Name: "app", Storage: "app"})
	a := authority(t)
	leader := openPlace(t, a, s.Config.Handler)
	follower, f := openFollower(t, a)
	defer f.lead(leader.listen)()
	f.refuse = s.refuse
	layer := bytes.Repeat([]byte("0123456789abcdef"), (2*maxForward+16)/16)
	d := digest.FromBytes(layer)
	direct := s.URL
	for _, at := range []string{"http://" + follower.listen, direct} {
		s.URL = at
		login := basicOf(t, s, direct)
		begun, header := s.ask(login, "POST", "/v2/123456789012/us-east-1/app/blobs/uploads/", nil)
		if !strings.HasPrefix(begun, "202 ") {
			t.Fatal(begun)
		}
		sent, header := s.ask(login, "PATCH", header.Get("Location"), layer)
		if !strings.HasPrefix(sent, "202 ") {
			t.Fatal(sent)
		}
		done, _ := s.ask(login, "PUT", header.Get("Location")+"?digest="+d.String(), nil)
		if !strings.HasPrefix(done, "201 ") {
			t.Fatal(done)
		}
		if got, _ := s.ask(login, "GET", "/v2/123456789012/us-east-1/app/blobs/"+d.String(), nil); len(got) != len("200 ")+len(layer) {
			t.Errorf("%d bytes came back", len(got))
		}
	}
	if found, err := filepath.Glob(filepath.Join(string(s.data), "registry", "docker", "registry", "v2", "blobs", "sha256", "*", "*", "data")); err != nil || len(found) != 1 {
		t.Error(found, err)
	}
}

// basicOf is a login from the replica at an address.
func basicOf(t *testing.T, s *imageSite, at string) string {
	t.Helper()
	back := s.URL
	defer func() { s.URL = back }()
	s.URL = at
	return s.login("ada")
}

// A layer that was begun to be sent to a leader is not sent again: the client is told that there is no leader, in its own form, and does so itself.
func TestForwardedLayersAreSentOnce(t *testing.T) {
	a := authority(t)
	asked := 0
	old := openPlace(t, a, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		if _, err := io.CopyN(io.Discard, r.Body, 1); err != nil {
			t.Error(err)
		}
		notLeader(w, r)
	}))
	follower, f := openFollower(t, a)
	f.refuse = (&server{}).refuse
	defer f.lead(old.listen)()
	r, err := http.NewRequest("PATCH", "http://"+follower.listen+"/v2/123456789012/us-east-1/app/blobs/uploads/x", bytes.NewReader(make([]byte, 1<<20)))
	resp, body := do(t, r, err)
	if want := `{"errors":[{"code":"UNAVAILABLE","message":"The control plane has no leader right now. Try again."}]}`; resp.StatusCode != http.StatusServiceUnavailable || body != want || asked != 1 {
		t.Errorf("%s %s, the leader was asked %d times", resp.Status, body, asked)
	}
}

// What has no body is sent to the next leader.
func TestForwardedPullsAreSentAgain(t *testing.T) {
	a := authority(t)
	leader := openPlace(t, a, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.URL.Path) })) //nolint:errcheck // the test reads it
	var follower *place
	var f *forwarder
	asked := false
	old := openPlace(t, a, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = true
		t.Cleanup(f.lead(leader.listen))
		notLeader(w, r)
	}))
	follower, f = openFollower(t, a)
	t.Cleanup(f.lead(old.listen))
	r, err := http.NewRequest("GET", "http://"+follower.listen+"/v2/x", nil)
	if resp, body := do(t, r, err); resp.StatusCode != http.StatusOK || body != "/v2/x" || !asked {
		t.Errorf("%s %s, asked the old one: %v", resp.Status, body, asked)
	}
}
