package sts

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssts "github.com/aws/aws-sdk-go-v2/service/sts"

	"berth/internal/access"
	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/constraint"
	"berth/internal/frontdoor"
	"berth/internal/iam"
	"berth/internal/oidc"
	"berth/internal/policy"
	"berth/internal/state"
)

const assumeWithWebIdentity = "sts:AssumeRoleWithWebIdentity"

// assumeRoleWithWebIdentity needs no signature: the token says who asks, and the role's trust policy whether he may.
func (a *API) assumeRoleWithWebIdentity() frontdoor.Operation {
	o := frontdoor.Op("AssumeRoleWithWebIdentity", a.assumeByToken)
	o.Open, o.Unsigned, o.ReadOnly = true, true, true // nothing is stored
	return o
}

func (a *API) assumeByToken(ctx context.Context, r *frontdoor.Request, in *awssts.AssumeRoleWithWebIdentityInput) (*awssts.AssumeRoleWithWebIdentityOutput, error) {
	if err := checkWebIdentity(in); err != nil {
		return nil, err
	}
	named, err := arn.Parse(*in.RoleArn)
	if err != nil {
		return nil, validation("%s is invalid", *in.RoleArn)
	}
	t := a.keys.State.View().Tables
	token, provider, err := a.identity(ctx, t, named.Account, *in.WebIdentityToken)
	if err != nil {
		return nil, err
	}
	r.Caller = bearer(token, provider)
	role := access.Role(t, *in.RoleArn)
	if role == nil { // who is not allowed does not learn whether it is there
		return nil, notAuthorized(assumeWithWebIdentity)
	}
	if err := a.trusted(t, r, role, token, provider, *in.RoleSessionName); err != nil {
		return nil, err
	}
	c, size, err := a.begin(t, r, role, beginning{
		name: *in.RoleSessionName, duration: in.DurationSeconds, policy: in.Policy, managed: in.PolicyArns, tags: principalTags(token), source: token.Source,
	})
	if err != nil {
		return nil, err
	}
	out := &awssts.AssumeRoleWithWebIdentityOutput{
		Credentials: c, AssumedRoleUser: assumed(role, *in.RoleSessionName), SubjectFromWebIdentityToken: &token.Subject, Provider: aws.String(provider.ARN()),
		Audience: aws.String(audience(token, provider)), PackedPolicySize: size,
	}
	if token.Source != "" {
		out.SourceIdentity = &token.Source
	}
	return out, nil
}

func checkWebIdentity(in *awssts.AssumeRoleWithWebIdentityInput) error {
	var c constraint.Check
	c.Needed("roleArn", in.RoleArn, 20, 2048)
	c.Needed("roleSessionName", in.RoleSessionName, 2, 64)
	c.Pattern("roleSessionName", in.RoleSessionName, sessionName)
	constraint.Number(&c, "durationSeconds", in.DurationSeconds, leastLife, mostLife)
	c.Text("policy", in.Policy, 1, mostPolicy)
	c.Present("webIdentityToken", in.WebIdentityToken != nil)
	if in.WebIdentityToken != nil {
		c.Hidden("webIdentityToken", len(*in.WebIdentityToken), 4, 20_000)
	}
	switch {
	case invalid(&c) != nil:
		return invalid(&c)
	case in.ProviderId != nil:
		return validation("providerId: only OpenID Connect tokens are served, which name their provider themselves")
	case len(in.PolicyArns) > mostManaged:
		return validation("1 validation error detected: Value at 'policyArns' failed to satisfy constraint: Member must have length less than or equal to %d", mostManaged)
	}
	return nil
}

// identity verifies a token by the provider that it names, which must be one of the account's.
func (a *API) identity(ctx context.Context, t *state.Tables, account, text string) (*oidc.Token, *iam.OIDCProvider, error) {
	token, err := oidc.Parse(text)
	if err != nil {
		return nil, nil, refusedToken(err)
	}
	place, plain, ok := oidc.Place(token.Issuer)
	p := t.OIDCProviders.Get((&iam.OIDCProvider{Account: account, URL: place}).ARN())
	if !ok || p == nil || p.Plain != plain {
		return nil, nil, invalidToken("No OpenIDConnect provider found in your account for %.256s", token.Issuer)
	}
	if err := a.tokens.Verify(ctx, token, oidc.Provider{URL: token.Issuer, ClientIDs: p.ClientIDs, Thumbprints: p.Thumbprints}); err != nil {
		return nil, nil, refusedToken(err)
	}
	return token, p, nil
}

// refusedToken gives what is wrong with a token AWS's code and words.
func refusedToken(err error) error {
	var missing *oidc.MissingError
	var expired *oidc.ExpiredError
	switch {
	case errors.As(err, &missing):
		return invalidToken("Missing a required claim: %s", missing.Claim)
	case errors.As(err, &expired):
		return apierr.New("ExpiredTokenException", "%s", expired.Error())
	case errors.Is(err, oidc.ErrMalformed):
		return invalidToken("The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)").Because(err)
	case errors.Is(err, oidc.ErrAudience):
		return invalidToken("Incorrect token audience")
	case errors.Is(err, oidc.ErrCertificate):
		return invalidToken("OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint").Because(err)
	case errors.Is(err, oidc.ErrNoKey):
		return invalidToken("Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements").Because(err)
	case errors.Is(err, oidc.ErrUnreachable):
		return apierr.New("IDPCommunicationError", "The identity provider of the token could not be reached. Try again.").Because(err)
	case errors.Is(err, oidc.ErrNotYet), errors.Is(err, oidc.ErrSignature):
		return invalidToken("The web identity token that was passed could not be validated by AWS. Get a new identity token from the identity provider and then retry the request.").Because(err)
	}
	return err
}

func invalidToken(format string, args ...any) *apierr.Error {
	return apierr.New("InvalidIdentityToken", format, args...)
}

func notAuthorized(action string) error {
	e := apierr.New("AccessDenied", "Not authorized to perform %s", action)
	e.Status = http.StatusForbidden
	return e
}

// bearer is whoever has a provider's token.
func bearer(token *oidc.Token, p *iam.OIDCProvider) policy.Principal {
	return policy.Principal{ARN: p.ARN(), Account: p.Account, UserID: p.ARN() + ":" + audience(token, p) + ":" + token.Subject, Kind: policy.Federated}
}

// audience is the one of a token's audiences that the provider was registered for.
func audience(token *oidc.Token, p *iam.OIDCProvider) string {
	for _, a := range token.Audiences {
		if slices.Contains(p.ClientIDs, a) {
			return a
		}
	}
	return ""
}

// trusted asks the role's trust policy about all that a token begins.
func (a *API) trusted(t *state.Tables, r *frontdoor.Request, role *iam.Role, token *oidc.Token, p *iam.OIDCProvider, session string) error {
	if len(token.Lasting) > 0 {
		return invalidToken("The token's transitive_tag_keys are not served: tags of a session do not go on into others.")
	}
	keys := claimKeys(token, p)
	keys = append(keys, policy.Key{Name: "sts:rolesessionname", Values: []string{session}})
	actions := []string{assumeWithWebIdentity}
	if token.Source != "" {
		actions = append(actions, setSource)
		keys = append(keys, policy.Key{Name: "sts:sourceidentity", Values: []string{token.Source}})
	}
	if len(token.Tags) > 0 {
		actions = append(actions, tagSession)
		keys = append(keys, policy.Key{Name: "aws:tagkeys", Values: slices.Sorted(maps.Keys(token.Tags))})
	}
	if err := checkClaims(token); err != nil {
		return err
	}
	context := policy.Chain{keys, policy.Tags{Prefix: "aws:requesttag/", Tags: token.Tags}}
	for _, action := range actions {
		if r.Authorize(frontdoor.Question{Action: action, Resource: role.ARN(), Keys: context, ResourcePolicy: a.keys.Trust(t, role), Trust: true}) != nil {
			return notAuthorized(action)
		}
	}
	return nil
}

// checkClaims holds the source identity and the tags of a token to the rules that parameters of AssumeRole have.
func checkClaims(token *oidc.Token) error {
	if s := token.Source; s != "" && (len(s) < 2 || len(s) > 64 || !sessionName.MatchString(s)) {
		return invalidToken("The token's source identity is not valid.")
	}
	if len(token.Tags) > mostTags {
		return invalidToken("The token has more than %d tags.", mostTags)
	}
	for key, value := range token.Tags {
		if key == "" || len(key) > 128 || len(value) > 256 {
			return invalidToken("The token's tag %.128q is not valid.", key)
		}
	}
	return nil
}

// claimKeys are the condition keys of a token: the provider's name, a colon and the claim.
func claimKeys(token *oidc.Token, p *iam.OIDCProvider) (keys policy.Keys) {
	name := strings.ToLower(p.URL)
	for _, prefix := range []string{name, name + "/"} { // as issuers write themselves that end in a slash
		keys = append(keys, policy.Key{Name: prefix + ":sub", Values: []string{token.Subject}}, policy.Key{Name: prefix + ":aud", Values: token.Audiences})
		if len(token.Methods) > 0 {
			keys = append(keys, policy.Key{Name: prefix + ":amr", Values: token.Methods})
		}
	}
	return append(keys, policy.Key{Name: "aws:federatedprovider", Values: []string{p.ARN()}})
}

func principalTags(token *oidc.Token) (list []iam.Tag) {
	for _, key := range slices.Sorted(maps.Keys(token.Tags)) {
		list = append(list, iam.Tag{Key: key, Value: token.Tags[key]})
	}
	return list
}
