package iam

import (
	"context"

	"berth/internal/frontdoor"
	"berth/internal/iam"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// accountOperations are the operations on an account as a whole, and those on what no account has here: passwords, devices, certificates and keys of other
// kinds. These say so truthfully, because tools look before they delete a user.
func (a *API) accountOperations() []frontdoor.Operation {
	return []frontdoor.Operation{
		operation("GetAccountSummary", anything, a.getAccountSummary),
		operation("GetAccountAuthorizationDetails", anything, a.getAccountAuthorizationDetails),
		operation("GetAccountPasswordPolicy", anything, getAccountPasswordPolicy),
		operation("ListAccountAliases", anything, listAccountAliases),
		operation("GetLoginProfile", a.onUser, a.getLoginProfile),
		operation("DeleteLoginProfile", a.onUser, a.deleteLoginProfile),
		operation("ListMFADevices", a.onUser, a.listMFADevices),
		operation("ListSSHPublicKeys", a.onUser, a.listSSHPublicKeys),
		operation("ListSigningCertificates", a.onUser, a.listSigningCertificates),
		operation("ListServiceSpecificCredentials", a.onUser, a.listServiceSpecificCredentials),
		operation("ListVirtualMFADevices", anything, listVirtualMFADevices),
		operation("ListServerCertificates", anything, listServerCertificates),
		operation("ListSAMLProviders", anything, listSAMLProviders),
	}
}

// getAccountSummary counts an account's entities and tells its quotas.
func (a *API) getAccountSummary(_ context.Context, r *frontdoor.Request, _ *awsiam.GetAccountSummaryInput) (*awsiam.GetAccountSummaryOutput, error) {
	t, account := a.store.View().Tables, r.Scope.Account
	versions := 0
	for p := range policies(t, account) {
		versions += len(p.Versions)
	}
	return &awsiam.GetAccountSummaryOutput{SummaryMap: map[string]int32{
		"Users": int32(count(users(t, account))), "UsersQuota": mostUsers,
		"Groups": int32(count(groups(t, account))), "GroupsQuota": mostGroups, "GroupsPerUserQuota": mostMemberships,
		"Roles": int32(count(roles(t, account))), "RolesQuota": mostRoles,
		"InstanceProfiles": int32(count(profiles(t, account))), "InstanceProfilesQuota": mostProfiles,
		"Policies": int32(count(policies(t, account))), "PoliciesQuota": mostPolicies, "PolicySizeQuota": mostManaged,
		"PolicyVersionsInUse": int32(versions), "PolicyVersionsInUseQuota": mostPolicies * mostVersions, "VersionsPerPolicyQuota": mostVersions,
		"AttachedPoliciesPerUserQuota": mostAttached, "AttachedPoliciesPerGroupQuota": mostAttached, "AttachedPoliciesPerRoleQuota": mostAttached,
		"UserPolicySizeQuota": mostUserInline, "GroupPolicySizeQuota": mostGroupInline, "RolePolicySizeQuota": mostRoleInline,
		"AssumeRolePolicySizeQuota": mostTrust, "AccessKeysPerUserQuota": mostKeys, "Providers": int32(count(providers(t, account))),
		"MFADevices": 0, "MFADevicesInUse": 0, "AccountMFAEnabled": 0, "AccountAccessKeysPresent": 0, "AccountSigningCertificatesPresent": 0,
		"AccountPasswordPresent": 0, "ServerCertificates": 0, "ServerCertificatesQuota": 0, "SigningCertificatesPerUserQuota": 0, "GlobalEndpointTokenVersion": 2,
	}}, nil
}

func getAccountPasswordPolicy(
	_ context.Context, r *frontdoor.Request, _ *awsiam.GetAccountPasswordPolicyInput,
) (*awsiam.GetAccountPasswordPolicyOutput, error) {
	return nil, noSuch("The Password Policy with domain name %s cannot be found.", r.Scope.Account)
}

func listAccountAliases(context.Context, *frontdoor.Request, *awsiam.ListAccountAliasesInput) (*awsiam.ListAccountAliasesOutput, error) {
	return &awsiam.ListAccountAliasesOutput{AccountAliases: []string{}}, nil
}

// ofUser finds the user that a request names or that calls.
func (a *API) ofUser(r *frontdoor.Request, named *string) (*iam.User, error) {
	name, err := userName(r, named)
	if err != nil {
		return nil, err
	}
	return findUser(a.store.View().Tables, r.Scope.Account, name)
}

// noLogin is IAM's answer about the password of a user who has none.
func (a *API) noLogin(r *frontdoor.Request, named *string) error {
	u, err := a.ofUser(r, named)
	if err != nil {
		return err
	}
	return noSuch("Login Profile for User %s cannot be found.", u.Name)
}

func (a *API) getLoginProfile(_ context.Context, r *frontdoor.Request, in *awsiam.GetLoginProfileInput) (*awsiam.GetLoginProfileOutput, error) {
	return nil, a.noLogin(r, in.UserName)
}

func (a *API) deleteLoginProfile(_ context.Context, r *frontdoor.Request, in *awsiam.DeleteLoginProfileInput) (*awsiam.DeleteLoginProfileOutput, error) {
	return nil, a.noLogin(r, in.UserName)
}

func (a *API) listMFADevices(_ context.Context, r *frontdoor.Request, in *awsiam.ListMFADevicesInput) (*awsiam.ListMFADevicesOutput, error) {
	_, err := a.ofUser(r, in.UserName)
	return &awsiam.ListMFADevicesOutput{MFADevices: []types.MFADevice{}}, err
}

func (a *API) listSSHPublicKeys(_ context.Context, r *frontdoor.Request, in *awsiam.ListSSHPublicKeysInput) (*awsiam.ListSSHPublicKeysOutput, error) {
	_, err := a.ofUser(r, in.UserName)
	return &awsiam.ListSSHPublicKeysOutput{SSHPublicKeys: []types.SSHPublicKeyMetadata{}}, err
}

func (a *API) listSigningCertificates(
	_ context.Context, r *frontdoor.Request, in *awsiam.ListSigningCertificatesInput,
) (*awsiam.ListSigningCertificatesOutput, error) {
	_, err := a.ofUser(r, in.UserName)
	return &awsiam.ListSigningCertificatesOutput{Certificates: []types.SigningCertificate{}}, err
}

func (a *API) listServiceSpecificCredentials(
	_ context.Context, r *frontdoor.Request, in *awsiam.ListServiceSpecificCredentialsInput,
) (*awsiam.ListServiceSpecificCredentialsOutput, error) {
	_, err := a.ofUser(r, in.UserName)
	return &awsiam.ListServiceSpecificCredentialsOutput{ServiceSpecificCredentials: []types.ServiceSpecificCredentialMetadata{}}, err
}

func listVirtualMFADevices(context.Context, *frontdoor.Request, *awsiam.ListVirtualMFADevicesInput) (*awsiam.ListVirtualMFADevicesOutput, error) {
	return &awsiam.ListVirtualMFADevicesOutput{VirtualMFADevices: []types.VirtualMFADevice{}}, nil
}

func listServerCertificates(context.Context, *frontdoor.Request, *awsiam.ListServerCertificatesInput) (*awsiam.ListServerCertificatesOutput, error) {
	return &awsiam.ListServerCertificatesOutput{ServerCertificateMetadataList: []types.ServerCertificateMetadata{}}, nil
}

func listSAMLProviders(context.Context, *frontdoor.Request, *awsiam.ListSAMLProvidersInput) (*awsiam.ListSAMLProvidersOutput, error) {
	return &awsiam.ListSAMLProvidersOutput{SAMLProviderList: []types.SAMLProviderListEntry{}}, nil
}
