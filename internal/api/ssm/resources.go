package ssm

import (
	"reflect"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsssm "github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"berth/internal/arn"
	"berth/internal/frontdoor"
	"berth/internal/secret"
)

// What policies are asked about, by the Service Authorization Reference.

// namedParameter is the parameter that a request's Name names, nothing where it names none.
func namedParameter(r *frontdoor.Request, in any) []string {
	name := reflect.ValueOf(in).Elem().FieldByName("Name").Interface().(*string)
	if aws.ToString(name) == "" {
		return nil
	}
	return []string{resource(r.Scope, *name)}
}

// namedParameters are those of a request's Names.
func namedParameters(r *frontdoor.Request, in any) (resources []string) {
	for _, name := range reflect.ValueOf(in).Elem().FieldByName("Names").Interface().([]string) {
		resources = append(resources, resource(r.Scope, name))
	}
	return resources
}

func resource(s arn.Scope, name string) string {
	if ref, ok := secret.ParseParameter(s, name); ok {
		return ref.ARN
	}
	if arn.Is(name) {
		return name
	}
	return secret.ParameterARN(s, name)
}

func pathOfParameters(r *frontdoor.Request, in any) []string {
	return []string{secret.ParameterARN(r.Scope, aws.ToString(in.(*awsssm.GetParametersByPathInput).Path))}
}

func everything(r *frontdoor.Request, _ any) []string {
	return []string{secret.ARN(r.Scope, "ssm", "*")}
}

func instanceARN(s arn.Scope, id string) string { return secret.ARN(s, "ssm", "managed-instance/"+id) }

func namedInstance(r *frontdoor.Request, in any) []string {
	id := reflect.ValueOf(in).Elem().FieldByName("InstanceId").Interface().(*string)
	return []string{instanceARN(r.Scope, aws.ToString(id))}
}

// callingInstance is the managed instance that has signed a request.
func callingInstance(r *frontdoor.Request, _ any) []string {
	return []string{instanceARN(r.Scope, r.AccessKeyID)}
}

// namedSession is the session of a request.
func namedSession(r *frontdoor.Request, in any) []string {
	id := reflect.ValueOf(in).Elem().FieldByName("SessionId").Interface().(*string)
	return []string{secret.ARN(r.Scope, "ssm", "session/"+aws.ToString(id))}
}

// taggedResource is the parameter or managed instance of a request about tags.
func taggedResource(r *frontdoor.Request, in any) []string {
	v := reflect.ValueOf(in).Elem()
	kind := v.FieldByName("ResourceType").Interface().(types.ResourceTypeForTagging)
	id := aws.ToString(v.FieldByName("ResourceId").Interface().(*string))
	switch kind {
	case types.ResourceTypeForTaggingParameter:
		return []string{resource(r.Scope, id)}
	case types.ResourceTypeForTaggingManagedInstance:
		return []string{instanceARN(r.Scope, id)}
	}
	return everything(r, in)
}
