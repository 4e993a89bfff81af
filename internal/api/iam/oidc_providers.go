package iam

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/frontdoor"
	"berth/internal/iam"
	"berth/internal/oidc"
	"berth/internal/state"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// IAM's limits on OpenID Connect providers.
const (
	mostProviders   = 100
	mostClientIDs   = 100
	mostThumbprints = 5
)

// providerOperations are the operations on OpenID Connect identity providers.
func (a *API) providerOperations() []frontdoor.Operation {
	return []frontdoor.Operation{
		operation("CreateOpenIDConnectProvider", onProvider, a.createOpenIDConnectProvider, "Url"),
		operation("GetOpenIDConnectProvider", onProvider, a.getOpenIDConnectProvider, "OpenIDConnectProviderArn"),
		operation("ListOpenIDConnectProviders", anything, a.listOpenIDConnectProviders),
		operation("DeleteOpenIDConnectProvider", onProvider, a.deleteOpenIDConnectProvider, "OpenIDConnectProviderArn"),
		operation("UpdateOpenIDConnectProviderThumbprint", onProvider, a.updateThumbprints, "OpenIDConnectProviderArn", "ThumbprintList"),
		operation("AddClientIDToOpenIDConnectProvider", onProvider, a.addClientID, "OpenIDConnectProviderArn", "ClientID"),
		operation("RemoveClientIDFromOpenIDConnectProvider", onProvider, a.removeClientID, "OpenIDConnectProviderArn", "ClientID"),
	}
}

// onProvider is the provider that a request names or makes.
func onProvider(r *frontdoor.Request, in any) []string {
	if named := member(in, "OpenIDConnectProviderArn"); named != "" {
		return []string{named}
	}
	at, _, ok := oidc.Place(member(in, "Url"))
	if !ok { // the operation refuses it
		return nil
	}
	return []string{(&iam.OIDCProvider{Account: r.Scope.Account, URL: at}).ARN()}
}

// findProvider finds a provider by its ARN.
func findProvider(t *state.Tables, account, named string) (*iam.OIDCProvider, error) {
	if p, err := arn.Parse(named); err != nil || p.Service != "iam" || !strings.HasPrefix(p.Resource, "oidc-provider/") {
		return nil, invalid("ARN %s is not valid.", named)
	}
	if p := t.OIDCProviders.Get(named); p != nil && p.Account == account {
		return p, nil
	}
	return nil, noSuch("OpenIDConnect Provider not found for arn %s", named)
}

// providerURL checks a provider's URL and takes away its scheme. plain is that of one on the loopback device, which AWS has not.
func providerURL(s string) (at string, plain bool, err error) {
	at, plain, ok := oidc.Place(s)
	if !ok {
		return "", false, apierr.New("ValidationError", "Invalid Open ID Connect Provider URL")
	}
	return at, plain, nil
}

func checkThumbprints(list []string) error {
	if len(list) > mostThumbprints {
		return invalid("Thumbprint list must contain fewer than %d entries.", mostThumbprints)
	}
	for _, t := range list {
		if strings.Trim(strings.ToLower(t), "0123456789abcdef") != "" {
			return invalid("Thumbprint %s is not valid: it must be 40 hexadecimal digits.", t)
		}
	}
	return nil
}

func (a *API) createOpenIDConnectProvider(
	ctx context.Context, r *frontdoor.Request, in *awsiam.CreateOpenIDConnectProviderInput,
) (*awsiam.CreateOpenIDConnectProviderOutput, error) {
	at, plain, err := providerURL(*in.Url)
	if err != nil {
		return nil, err
	}
	if err := checkThumbprints(in.ThumbprintList); err != nil {
		return nil, err
	}
	if len(in.ClientIDList) > mostClientIDs {
		return nil, quota("ClientIdsPerOpenIdConnectProvider", mostClientIDs)
	}
	all, err := merged(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	p := &iam.OIDCProvider{Account: r.Scope.Account, URL: at, Plain: plain, ClientIDs: in.ClientIDList, Thumbprints: in.ThumbprintList, CreateDate: now(), Tags: all}
	err = a.store.Update(ctx, func(tx *state.Tx) error {
		if tx.OIDCProviders.Get(p.ARN()) != nil {
			return exists("Provider with url %s already exists.", *in.Url)
		}
		if count(providers(tx.Tables, p.Account)) >= mostProviders {
			return quota("OpenIdConnectProvidersPerAccount", mostProviders)
		}
		tx.Put(p)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("create OpenID Connect provider %s: %w", p.URL, err)
	}
	return &awsiam.CreateOpenIDConnectProviderOutput{OpenIDConnectProviderArn: new(p.ARN()), Tags: tags(p.Tags)}, nil
}

func (a *API) getOpenIDConnectProvider(
	_ context.Context, r *frontdoor.Request, in *awsiam.GetOpenIDConnectProviderInput,
) (*awsiam.GetOpenIDConnectProviderOutput, error) {
	p, err := findProvider(a.store.View().Tables, r.Scope.Account, *in.OpenIDConnectProviderArn)
	if err != nil {
		return nil, err
	}
	return &awsiam.GetOpenIDConnectProviderOutput{
		Url: &p.URL, ClientIDList: append([]string{}, p.ClientIDs...), ThumbprintList: append([]string{}, p.Thumbprints...), CreateDate: &p.CreateDate, Tags: tags(p.Tags),
	}, nil
}

func (a *API) listOpenIDConnectProviders(
	_ context.Context, r *frontdoor.Request, _ *awsiam.ListOpenIDConnectProvidersInput,
) (*awsiam.ListOpenIDConnectProvidersOutput, error) {
	list := []types.OpenIDConnectProviderListEntry{}
	for p := range providers(a.store.View().Tables, r.Scope.Account) {
		list = append(list, types.OpenIDConnectProviderListEntry{Arn: new(p.ARN())})
	}
	return &awsiam.ListOpenIDConnectProvidersOutput{OpenIDConnectProviderList: list}, nil
}

// deleteOpenIDConnectProvider does not mind where there is none, as on AWS.
func (a *API) deleteOpenIDConnectProvider(
	ctx context.Context, r *frontdoor.Request, in *awsiam.DeleteOpenIDConnectProviderInput,
) (*awsiam.DeleteOpenIDConnectProviderOutput, error) {
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		p, err := findProvider(tx.Tables, r.Scope.Account, *in.OpenIDConnectProviderArn)
		if p == nil && apierr.As(err).Code == "NoSuchEntity" {
			return nil
		}
		if err != nil {
			return err
		}
		tx.Delete(p)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("delete OpenID Connect provider %s: %w", *in.OpenIDConnectProviderArn, err)
	}
	return &awsiam.DeleteOpenIDConnectProviderOutput{}, nil
}

// changeProvider stores what change makes of a copy of a provider.
func (a *API) changeProvider(ctx context.Context, account, named string, change func(p *iam.OIDCProvider) error) error {
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		old, err := findProvider(tx.Tables, account, named)
		if err != nil {
			return err
		}
		c := *old
		if err := change(&c); err != nil {
			return err
		}
		tx.Put(&c)
		return nil
	})
	if err != nil {
		return fmt.Errorf("change OpenID Connect provider %s: %w", named, err)
	}
	return nil
}

func (a *API) updateThumbprints(
	ctx context.Context, r *frontdoor.Request, in *awsiam.UpdateOpenIDConnectProviderThumbprintInput,
) (*awsiam.UpdateOpenIDConnectProviderThumbprintOutput, error) {
	if err := checkThumbprints(in.ThumbprintList); err != nil {
		return nil, err
	}
	err := a.changeProvider(ctx, r.Scope.Account, *in.OpenIDConnectProviderArn, func(p *iam.OIDCProvider) error {
		p.Thumbprints = in.ThumbprintList
		return nil
	})
	return &awsiam.UpdateOpenIDConnectProviderThumbprintOutput{}, err
}

func (a *API) addClientID(
	ctx context.Context, r *frontdoor.Request, in *awsiam.AddClientIDToOpenIDConnectProviderInput,
) (*awsiam.AddClientIDToOpenIDConnectProviderOutput, error) {
	err := a.changeProvider(ctx, r.Scope.Account, *in.OpenIDConnectProviderArn, func(p *iam.OIDCProvider) error {
		switch {
		case slices.Contains(p.ClientIDs, *in.ClientID):
			return nil
		case len(p.ClientIDs) >= mostClientIDs:
			return quota("ClientIdsPerOpenIdConnectProvider", mostClientIDs)
		}
		p.ClientIDs = append(slices.Clone(p.ClientIDs), *in.ClientID)
		return nil
	})
	return &awsiam.AddClientIDToOpenIDConnectProviderOutput{}, err
}

func (a *API) removeClientID(
	ctx context.Context, r *frontdoor.Request, in *awsiam.RemoveClientIDFromOpenIDConnectProviderInput,
) (*awsiam.RemoveClientIDFromOpenIDConnectProviderOutput, error) {
	err := a.changeProvider(ctx, r.Scope.Account, *in.OpenIDConnectProviderArn, func(p *iam.OIDCProvider) error {
		p.ClientIDs = slices.DeleteFunc(slices.Clone(p.ClientIDs), func(id string) bool { return id == *in.ClientID })
		return nil
	})
	return &awsiam.RemoveClientIDFromOpenIDConnectProviderOutput{}, err
}
