package ecr

import (
	"reflect"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecr "github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"berth/internal/arn"
	"berth/internal/ecr"
	"berth/internal/frontdoor"
	"berth/internal/policy"
	"berth/internal/record"
	"berth/internal/registry"
	"berth/internal/state"
)

const (
	mostListed = 1000
	mostShown  = 100 // of a page that asks for no number
)

var accountForm = regexp.MustCompile(`^[0-9]{12}$`)

// home is the scope of a request's registry: the caller's own, or the account that it names.
func home(r *frontdoor.Request, registryID *string) arn.Scope {
	s := r.Scope
	if registryID != nil {
		s.Account = *registryID
	}
	return s
}

// find is the repository that a request names.
func find(t *state.Tables, s arn.Scope, name string) (*ecr.Repository, error) {
	if found := t.Repositories.Get(ecr.ARN(s, name)); found != nil {
		return found, nil
	}
	return nil, about{name, s.Account}.notFound()
}

// onRepository gives an operation what policies are asked about: the ARN of the repository that it names, and that one's own policy.
func (a *API) onRepository(o frontdoor.Operation) frontdoor.Operation {
	name, hasName := o.Input.FieldByName("RepositoryName")
	id, hasID := o.Input.FieldByName("RegistryId")
	if !hasName || !hasID {
		panic("ecr: " + o.Name + " names no repository")
	}
	return a.withPolicy(o).On(func(r *frontdoor.Request, in any) []string {
		v := reflect.ValueOf(in).Elem()
		named := v.FieldByIndex(name.Index).Interface().(*string)
		if aws.ToString(named) == "" {
			return nil
		}
		return []string{ecr.ARN(home(r, v.FieldByIndex(id.Index).Interface().(*string)), *named)}
	})
}

// withPolicy has a repository's own policy asked too. Only that one lets other accounts in, so every operation that may name one of theirs needs it.
func (a *API) withPolicy(o frontdoor.Operation) frontdoor.Operation {
	o.ResourcePolicy = func(_ *frontdoor.Request, resource string) *policy.Set { return a.ResourcePolicy(resource) }
	return o
}

// namedRepositories are what DescribeRepositories is about: those that it names, or all.
func namedRepositories(r *frontdoor.Request, in any) []string {
	asked := in.(*awsecr.DescribeRepositoriesInput)
	s := home(r, asked.RegistryId)
	if len(asked.RepositoryNames) == 0 {
		return []string{ecr.ARN(s, "*")}
	}
	var list []string
	for _, name := range asked.RepositoryNames {
		list = append(list, ecr.ARN(s, name))
	}
	return list
}

// namedResource is the ARN that an operation on tags names.
func namedResource(_ *frontdoor.Request, in any) []string {
	named := reflect.ValueOf(in).Elem().FieldByName("ResourceArn").Interface().(*string)
	if aws.ToString(named) == "" {
		return nil
	}
	return []string{*named}
}

// findARN is the repository of an ARN, which is one of the region that is asked.
func findARN(t *state.Tables, r *frontdoor.Request, resource string) (*ecr.Repository, error) {
	p, err := arn.Parse(resource)
	name, is := strings.CutPrefix(p.Resource, "repository/")
	if err != nil || p.Service != "ecr" || !is || !ecr.ValidName(name) {
		return nil, invalid("resourceArn", "Invalid ARN")
	}
	if found := t.Repositories.Get(resource); found != nil && p.Region == r.Scope.Region {
		return found, nil
	}
	return nil, about{name, p.Account}.notFound()
}

// resourceTags are a repository's tags by its ARN.
func (a *API) resourceTags(resource string) map[string]string {
	r := a.store.View().Repositories.Get(resource)
	if r == nil {
		return nil
	}
	return record.TagMap(r.Tags)
}

// ResourcePolicy is a repository's policy by its ARN, nil where it has none. One that is stored and yet cannot be read lets nobody in.
func (a *API) ResourcePolicy(resource string) *policy.Set {
	r := a.store.View().Repositories.Get(resource)
	if r == nil || r.Policy == "" {
		return nil
	}
	d, err := readPolicy(r.Policy)
	if err != nil {
		d = &policy.Document{Statements: []policy.Statement{{
			Effect: policy.Deny, Principals: &policy.Principals{All: true}, Actions: []string{"*"}, Resources: []string{"*"},
		}}}
	}
	for i := range d.Statements {
		if one := &d.Statements[i]; one.Resources == nil && one.NotResources == nil { // ECR's policies need not name the repository that they are about
			one.Resources = []string{resource}
		}
	}
	return policy.Compile(policy.Source{Name: "policy of repository " + r.Name, Document: d})
}

// shape is a repository as answers show it, at the address that the caller reached us by.
func shape(r *frontdoor.Request, s arn.Scope, of *ecr.Repository) types.Repository {
	uri := r.Host + "/" + registry.Path(s, of.Name)
	out := types.Repository{
		RepositoryArn: &of.Arn, RegistryId: &s.Account, RepositoryName: &of.Name, RepositoryUri: &uri, CreatedAt: &of.CreatedAt,
		ImageTagMutability: mutability(of), ImageTagMutabilityExclusionFilters: exclusions(of),
		ImageScanningConfiguration: &types.ImageScanningConfiguration{ScanOnPush: of.ScanOnPush},
		EncryptionConfiguration:    &types.EncryptionConfiguration{EncryptionType: types.EncryptionType(of.EncryptionType)},
	}
	if of.KMSKey != "" {
		out.EncryptionConfiguration.KmsKey = &of.KMSKey
	}
	return out
}
