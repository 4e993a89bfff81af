package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"berth/internal/access"
	"berth/internal/api/ecr"
	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/frontdoor"
	"berth/internal/policy"
	"berth/internal/registry"
)

// images are the registry, and ECR's API on it.
type images struct {
	registry *registry.Registry
	ecr      *ecr.API
	tags     func(resource string) map[string]string // a repository's, by its ARN
}

// openImages opens the registry in the data directory.
func (s *server) openImages() error {
	g, err := registry.Open(registry.Config{
		Dir: s.data.path("registry"), State: s.store, Key: s.key.Mark("addresses of layers"), Authorize: s.registryCaller, Log: s.log,
	})
	if err != nil {
		return err
	}
	s.images.registry = g
	s.images.ecr = ecr.New(ecr.Config{State: s.store, Registry: g, Token: func(_ context.Context, r *frontdoor.Request) (string, time.Time, error) {
		return s.keys.Password(r.AccessKeyID, r.SessionToken)
	}})
	s.images.tags = s.images.ecr.Service().ResourceTags
	return nil
}

// registryUser is the one name that is logged in with.
const registryUser = "AWS"

// registryCaller says who logs in to the registry.
func (s *server) registryCaller(r *http.Request, user, password string) (registry.Caller, error) {
	c := &registryCaller{door: s.door, images: &s.images, r: r}
	if s.auth == frontdoor.AuthDev {
		c.key.Principal = access.Admin(s.options.account)
		return c, nil
	}
	invalid := apierr.New("UnrecognizedClientException", "Your authorization token is not valid. Reauthenticate and try again.")
	if user != registryUser {
		return nil, invalid.Because(fmt.Errorf("the user is not %s", registryUser))
	}
	id, h, err := s.keys.PasswordHolder(password)
	switch {
	case errors.Is(err, access.ErrPasswordExpired):
		return nil, apierr.New("ExpiredTokenException", "Your authorization token has expired. Reauthenticate and try again.").Because(err)
	case err != nil:
		return nil, invalid.Because(err)
	}
	c.keyID, c.key = id, doorKey(h)
	return c, nil
}

// registryCaller is a caller of the registry: its policies and those of the repositories are asked, as for calls of ECR's API.
type registryCaller struct {
	door   *frontdoor.Door
	images *images
	r      *http.Request
	keyID  string // of the access key that the password was got with
	key    frontdoor.Key
}

// May implements registry.Caller. What is told goes to the audit log.
func (c *registryCaller) May(action, resource string) (told func(*registry.Call), err error) {
	asked := c.door.Outside(c.r, c.keyID, c.key, arn.ScopeOf(resource).Region)
	told = func(call *registry.Call) {
		a := frontdoor.Audited{Service: "ecr", Operation: call.Operation, Frequent: action == "ecr:UploadLayerPart", Size: len(c.r.RequestURI)}
		a.In, a.Out, a.Failure = ecr.Shapes(call)
		asked.Audit(a)
	}
	tags := c.images.tags(resource)
	e := asked.Authorize(frontdoor.Question{
		Action: action, Resource: resource, ResourcePolicy: c.images.ecr.ResourcePolicy(resource),
		Keys: policy.Chain{policy.Tags{Prefix: "aws:resourcetag/", Tags: tags}, policy.Tags{Prefix: "ecr:resourcetag/", Tags: tags}},
	})
	if e != nil {
		return told, e
	}
	return told, nil
}

// ofRegistry says whether a request is one of clients of registries.
func ofRegistry(r *http.Request) bool {
	return r.URL.Path == "/v2" || strings.HasPrefix(r.URL.Path, "/v2/")
}

// withImages serves docker's requests by the registry of the leader, and everything else by door: they have a password, and bodies of any length, so they do
// not come through it.
func withImages(door, images http.Handler, forward func(*http.Request) http.Handler) http.Handler {
	return atLeader(door, forward, ofRegistry, images)
}

// refuse tells a client why it is not served, in the form that it reads.
func (s *server) refuse(w http.ResponseWriter, r *http.Request, e *apierr.Error) {
	if ofRegistry(r) {
		registry.Refuse(w, e)
		return
	}
	s.door.Refuse(w, r, e)
}
