package ssm

import (
	"fmt"
	"strings"
	"testing"
)

const validation = "ValidationException"

func one(value, member, must string) string {
	if value != "" {
		value += " "
	}
	return "1 validation error detected: Value " + value + "at '" + member + "' failed to satisfy constraint: Member must " + must
}

func refusedMember(name string) string {
	return "Berth does not act on " + name + " yet; leave it out. docs/coverage.md lists what it acts on."
}

// shelf is an account with the parameters p (String, two versions), s (SecureString) and big (Advanced), and two roles.
func shelf(t *testing.T) *account {
	a := newAccount(t, roles()...)
	a.must(t, "PutParameter", `{"Name":"p","Value":"1","Type":"String"}`)
	a.must(t, "PutParameter", `{"Name":"p","Value":"2","Overwrite":true}`)
	a.must(t, "PutParameter", `{"Name":"s","Value":"1","Type":"SecureString"}`)
	a.must(t, "PutParameter", `{"Name":"big","Value":"1","Type":"String","Tier":"Advanced"}`)
	return a
}

func counted(n int, prefix, between string) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprint(prefix, i))
	}
	return strings.Join(all, between)
}

func TestWrongNames(t *testing.T) {
	a := shelf(t)
	put := func(name, code, message string) wrong {
		return wrong{"PutParameter", fmt.Sprintf(`{"Name":%q,"Value":"v","Type":"String"}`, name), code, message}
	}
	const prefixes = `Parameter name: can't be prefixed with "aws" or "ssm" (case-insensitive).`
	tests := []wrong{
		{"PutParameter", `{"Value":"v"}`, validation, one("null", "name", "not be null")},
		put("", validation, one("''", "name", "have length greater than or equal to 1")),
		put("aws-x", validation, prefixes), put("SSMx", validation, prefixes), put("/awsx", "AccessDeniedException", "No access to reserved parameter name: /awsx."),
		put("/aws/x", "AccessDeniedException", "No access to reserved parameter name: /aws/x."), put("/ssm/x", validation, badName),
		put("a/b", validation, "Parameter name must be a fully qualified name."), put("/a//b", validation, badName), put("/a/", validation, badName),
		put("/", validation, badName), put("a b", validation, badName), put("ä", validation, badName), put("a:1", validation, badName),
		put(ours+"parameter/a", validation, "Name: a parameter is put by its name, not by its ARN."),
		put("/"+counted(16, "l", "/"), "HierarchyLevelLimitExceededException", "The hierarchy of the parameter Name has more than 15 levels."),
		put(strings.Repeat("x", 1012), validation, "Parameter name: can be at most 1011 characters long."),
	}
	for operation, rest := range map[string]string{
		"GetParameter": "", "DeleteParameter": "", "GetParameterHistory": "", "LabelParameterVersion": `,"Labels":["l"]`,
		"UnlabelParameterVersion": `,"Labels":["l"],"ParameterVersion":1`,
	} {
		with := func(name string) string { return fmt.Sprintf(`{"Name":%q%s}`, name, rest) }
		tests = append(tests, wrong{operation, `{` + strings.TrimPrefix(rest, ",") + `}`, validation, one("null", "name", "not be null")},
			wrong{operation, with(""), validation, one("''", "name", "have length greater than or equal to 1")})
		for _, name := range []string{"none", "/p", "p:", ":1", "/", "arn:", ours + "parameter/", "arn:aws:ssm:us-east-1:210987654321:parameter/p", "arn:aws:ssm:us-east-2:123456789012:parameter/p",
			"arn:aws:secretsmanager:us-east-1:123456789012:secret:p", "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended"} {
			tests = append(tests, wrong{operation, with(name), "ParameterNotFound", "Parameter " + name + " not found."})
		}
		if operation != "GetParameter" {
			tests = append(tests, wrong{operation, with("p:1"), "ParameterNotFound", "Parameter p:1 not found."})
		}
	}
	for _, operation := range []string{"GetParameters", "DeleteParameters"} {
		tests = append(tests,
			wrong{operation, `{}`, validation, one("null", "names", "not be null")},
			wrong{operation, `{"Names":[]}`, validation, one("'[]'", "names", "have length greater than or equal to 1")},
			wrong{operation, `{"Names":["` + counted(11, "n", `","`) + `"]}`, validation, one("'["+counted(11, "n", ", ")+"]'", "names", "have length less than or equal to 10")},
			wrong{operation, `{"Names":["p",""]}`, validation, one("''", "names.member", "have length greater than or equal to 1")})
	}
	a.refuses(t, tests)
}

func TestWrongPuts(t *testing.T) {
	a := shelf(t)
	put := func(members, code, message string) wrong {
		return wrong{"PutParameter", `{"Name":"new",` + members + `}`, code, message}
	}
	over := func(members, code, message string) wrong {
		return wrong{"PutParameter", `{"Overwrite":true,` + members + `}`, code, message}
	}
	const str = `"Value":"v","Type":"String"`
	a.refuses(t, []wrong{
		put(`"Type":"String"`, validation, one("null", "value", "not be null")),
		put(`"Type":"String","Value":""`, validation, one("", "value", "have length greater than or equal to 1")),
		put(`"Value":"v"`, validation, "A parameter type is required when you create a parameter."),
		put(`"Value":"v","Type":"Text"`, validation, one("'Text'", "type", "satisfy enum value set: [SecureString, String, StringList]")),
		put(str+`,"Tier":"x"`, validation, one("'x'", "tier", "satisfy enum value set: [Advanced, Intelligent-Tiering, Standard]")),
		put(str+`,"Description":"`+strings.Repeat("d", 1025)+`"`, validation, one("'"+strings.Repeat("d", 256)+"'", "description", "have length less than or equal to 1024")),
		put(str+`,"Policies":"[]"`, validation, refusedMember("Policies")),
		put(str+`,"KeyId":"alias/aws/ssm"`, validation, "KeyId is required for SecureString type parameter only."),
		put(`"Value":"v","Type":"SecureString","KeyId":"alias/mine"`, "InvalidKeyId", "Invalid keyId alias/mine"),
		put(str+`,"DataType":"Text"`, validation, "The following data type is not supported: Text (Data type names are all lowercase.)"),
		put(str+`,"DataType":"aws:ec2:image"`, validation, "Parameter value: the DataType aws:ec2:image needs the id of an image, in a parameter of type String."),
		put(str+`,"AllowedPattern":"("`, "InvalidAllowedPatternException", "The request does not meet the regular expression requirement: AllowedPattern (."),
		put(str+`,"AllowedPattern":"^x$"`, "ParameterPatternMismatchException", "Parameter value, cannot be validated against allowedPattern: ^x$"),
		put(`"Value":"`+strings.Repeat("v", 4097)+`","Type":"String"`, validation, "Standard tier parameters support a maximum parameter value of 4096 characters. To create "+
			"a larger parameter value, upgrade the parameter to use the advanced-parameter tier. For more information, see "+
			"https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html"),
		put(`"Value":"`+strings.Repeat("v", 8193)+`","Type":"String","Tier":"Intelligent-Tiering"`, validation,
			"Advanced tier parameters support a maximum parameter value of 8192 characters."),
		put(str+`,"Tags":[{"Key":"aws:k","Value":""}]`, validation, "Tags: the key aws:k is not allowed: aws: prefixed tag key names are not allowed for external use."),
		put(str+`,"Tags":[{"Key":"k"}]`, validation, one("null", "tags.member.value", "not be null")),
		put(str+`,"Tags":[{"Key":"k!","Value":""}]`, validation, one("'k!'", "tags.member.key", `satisfy regular expression pattern: ^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$`)),
		put(str+`,"Tags":[{"Key":"k","Value":""},{"Key":"k","Value":""}]`, validation, "Tags: the key k is given more than once."),
		put(str+`,"Tags":[{"Key":"`+counted(51, "k", `","Value":""},{"Key":"`)+`","Value":""}]`, "TooManyTagsError", "The Tags of a resource can be at most 50."),
		{"PutParameter", `{"Name":"p",` + str + `}`, "ParameterAlreadyExists",
			"The parameter already exists. To overwrite this value, set the overwrite option in the request to true."},
		over(`"Name":"p","Value":"v","Tags":[{"Key":"k","Value":""}]`, validation, "Invalid request: tags and overwrite can't be used together. To create a parameter with "+
			"tags, please remove overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or RemoveTagsFromResource."),
		over(`"Name":"p","Value":"v","Type":"SecureString"`, "HierarchyTypeMismatchException",
			"Parameter Store doesn't support changing a parameter type. The Type of p is String."),
		over(`"Name":"p","Value":"v","KeyId":"alias/aws/ssm"`, validation, "KeyId is required for SecureString type parameter only."),
		over(`"Name":"big","Value":"v","Tier":"Standard"`, validation, "This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the "+
			"advanced-parameter tier to the standard-parameter tier. If necessary, you can delete the advanced parameter and recreate it as a standard parameter."),
	})
}

func TestWrongLabels(t *testing.T) {
	a := shelf(t)
	var tests []wrong
	for operation, rest := range map[string]string{"LabelParameterVersion": "", "UnlabelParameterVersion": `,"ParameterVersion":1`} {
		tests = append(tests,
			wrong{operation, `{"Name":"p"` + rest + `}`, validation, one("null", "labels", "not be null")},
			wrong{operation, `{"Name":"p","Labels":[]` + rest + `}`, validation, one("'[]'", "labels", "have length greater than or equal to 1")},
			wrong{operation, `{"Name":"p","Labels":[""]` + rest + `}`, validation, one("''", "labels.member", "have length greater than or equal to 1")},
			wrong{operation, `{"Name":"p","Labels":["` + strings.Repeat("l", 101) + `"]` + rest + `}`, validation,
				one("'"+strings.Repeat("l", 101)+"'", "labels.member", "have length less than or equal to 100")},
			wrong{operation, `{"Name":"p","Labels":["l"],"ParameterVersion":3}`, "ParameterVersionNotFound",
				"Systems Manager could not find version 3 of p. Verify the version and try again."},
			wrong{operation, `{"Name":"p","Labels":["l"],"ParameterVersion":-1}`, "ParameterVersionNotFound",
				"Systems Manager could not find version -1 of p. Verify the version and try again."})
	}
	a.refuses(t, append(tests,
		wrong{"UnlabelParameterVersion", `{"Name":"p","Labels":["l"]}`, validation, one("null", "parameterVersion", "not be null")},
		wrong{"UnlabelParameterVersion", `{"Name":"p","Labels":["l"],"ParameterVersion":0}`, "ParameterVersionNotFound",
			"Systems Manager could not find version 0 of p. Verify the version and try again."}))
}

func TestWrongLists(t *testing.T) {
	a := shelf(t)
	var tests []wrong
	for operation, named := range map[string]string{
		"GetParametersByPath": `"Path":"/",`, "GetParameterHistory": `"Name":"p",`, "DescribeParameters": "", "DescribeActivations": "", "DescribeInstanceInformation": "",
	} {
		least, most := map[string]string{"DescribeInstanceInformation": "5"}[operation], map[string]string{"GetParametersByPath": "10"}[operation]
		tests = append(tests,
			wrong{operation, `{` + named + `"MaxResults":0}`, validation, one("'0'", "maxResults", "have value greater than or equal to "+or(least, "1"))},
			wrong{operation, `{` + named + `"MaxResults":51}`, validation, one("'51'", "maxResults", "have value less than or equal to "+or(most, "50"))},
			wrong{operation, `{` + named + `"NextToken":"x"}`, "InvalidNextToken", "The specified token is not valid: NextToken."})
	}
	for operation, all := range map[string]string{"GetParametersByPath": "Type, KeyId, Label", "DescribeParameters": "Path, Name, Type, KeyId, Tier, DataType, tag:"} {
		filter := func(filters, code, message string) {
			tests = append(tests, wrong{operation, `{"Path":"/","ParameterFilters":[` + filters + `]}`, code, message})
		}
		filter(`{"Values":["x"]}`, validation, one("null", "parameterFilters.member.key", "not be null"))
		filter(`{"Key":"x","Values":["x"]}`, "InvalidFilterKey", "The following filter key is not valid: x. Valid filter keys include: ["+all+"].")
		filter(`{"Key":"tag:","Values":["x"]}`, "InvalidFilterKey", "The following filter key is not valid: tag:. Valid filter keys include: ["+all+"].")
		filter(`{"Key":"Type"}`, "InvalidFilterValue", "The following filter values are missing: null for the filter key Type.")
		filter(`{"Key":"Type","Values":[]}`, validation, one("'[]'", "parameterFilters.member.values", "have length greater than or equal to 1"))
		filter(`{"Key":"Type","Values":["x"]}`, "InvalidFilterValue", "The following filter value is not valid: x. Valid values include: [String, StringList, SecureString].")
		filter(`{"Key":"Type","Option":"Contains","Values":["String"]}`, "InvalidFilterOption",
			"The following filter option is not valid: Contains. Valid options include: [Equals, BeginsWith].")
		filter(`{"Key":"KeyId","Values":["x"]},{"Key":"KeyId","Values":["y"]}`, "InvalidFilterKey",
			"The following filter is duplicated in the request: KeyId. A request can contain only one occurrence of a specific filter.")
	}
	for _, path := range []string{"x", "/a b", "//", "/ssm"} {
		tests = append(tests, wrong{"GetParametersByPath", `{"Path":"` + path + `"}`, validation, badPath},
			wrong{"DescribeParameters", `{"ParameterFilters":[{"Key":"Path","Values":["` + path + `"]}]}`, validation, badPath})
	}
	a.refuses(t, append(tests,
		wrong{"GetParametersByPath", `{}`, validation, one("null", "path", "not be null")},
		wrong{"DescribeParameters", `{"Filters":[{"Key":"x","Values":["y"]}]}`, validation, one("'x'", "filters.member.key", "satisfy enum value set: [KeyId, Name, Type]")},
		wrong{"DescribeParameters", `{"Filters":[{"Key":"Name","Values":["y"]}],"ParameterFilters":[{"Key":"Name","Values":["y"]}]}`, validation,
			"You can use either Filters or ParameterFilters in a single request."},
		wrong{"DescribeActivations", `{"Filters":[{"FilterKey":"x","FilterValues":["y"]}]}`, validation,
			one("'x'", "filters.member.filterKey", "satisfy enum value set: [ActivationIds, DefaultInstanceName, IamRole]")},
		wrong{"DescribeActivations", `{"Filters":[{"FilterKey":"IamRole"}]}`, "InvalidFilter", "The filter name is not valid: Filters need a FilterKey and FilterValues."},
		wrong{"DescribeInstanceInformation", `{"Filters":[{"Key":"x","Values":["y"]}]}`, "InvalidFilterKey", "The specified key is not valid: Filters.Key x."},
		wrong{"DescribeInstanceInformation", `{"InstanceInformationFilterList":[{}]}`, validation, refusedMember("InstanceInformationFilterList")}))
}

func or(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

func TestWrongTagsAndActivations(t *testing.T) {
	a := shelf(t)
	const noResource = "The resource ID is not valid: ResourceId %s. Verify that you entered the correct ID and try again."
	var tests []wrong
	for operation, rest := range map[string]string{
		"AddTagsToResource": `,"Tags":[{"Key":"k","Value":"v"}]`, "RemoveTagsFromResource": `,"TagKeys":["k"]`, "ListTagsForResource": "",
	} {
		for _, kind := range []string{"Parameter", "ManagedInstance", "Document"} {
			tests = append(tests, wrong{operation, `{"ResourceType":"` + kind + `","ResourceId":"none"` + rest + `}`, "InvalidResourceId", fmt.Sprintf(noResource, "none")})
		}
		tests = append(tests,
			wrong{operation, `{"ResourceType":"x","ResourceId":"p"` + rest + `}`, validation, one("'x'", "resourceType", "satisfy enum value set: "+
				"[Association, Automation, CloudConnector, Document, MaintenanceWindow, ManagedInstance, OpsItem, OpsMetadata, Parameter, PatchBaseline]")},
			wrong{operation, `{"ResourceId":"p"` + rest + `}`, validation, one("null", "resourceType", "not be null")},
			wrong{operation, `{"ResourceType":"Parameter"` + rest + `}`, validation, one("null", "resourceId", "not be null")})
	}
	activate := func(members, message string) wrong {
		return wrong{"CreateActivation", `{` + members + `}`, validation, message}
	}
	a.refuses(t, append(tests,
		wrong{"AddTagsToResource", `{"ResourceType":"Parameter","ResourceId":"p"}`, validation, one("null", "tags", "not be null")},
		wrong{"RemoveTagsFromResource", `{"ResourceType":"Parameter","ResourceId":"p"}`, validation, one("null", "tagKeys", "not be null")},
		activate(``, one("null", "iamRole", "not be null")),
		activate(`"IamRole":"Hybrid","RegistrationLimit":0`, one("'0'", "registrationLimit", "have value greater than or equal to 1")),
		activate(`"IamRole":"Hybrid","RegistrationLimit":1001`, one("'1001'", "registrationLimit", "have value less than or equal to 1000")),
		activate(`"IamRole":"Hybrid","ExpirationDate":1`, "ExpirationDate must be in the future."),
		activate(`"IamRole":"Hybrid","ExpirationDate":99999999999`, "ExpirationDate can be at most 30 days in the future."),
		activate(`"IamRole":"Hybrid","RegistrationMetadata":[{"Key":"k","Value":"v"}]`, refusedMember("RegistrationMetadata")),
		activate(`"IamRole":"Hybrid","DefaultInstanceName":"a!"`, one("'a!'", "defaultInstanceName", `satisfy regular expression pattern: ^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$`)),
		activate(`"IamRole":"None"`, "Nonexistent role or missing ssm service principal in trust policy: arn:aws:iam::123456789012:role/None"),
		wrong{"DeleteActivation", `{}`, validation, one("null", "activationId", "not be null")},
		wrong{"DeleteActivation", `{"ActivationId":"x"}`, validation,
			one("'x'", "activationId", "satisfy regular expression pattern: ^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")},
		wrong{"DeregisterManagedInstance", `{}`, validation, one("null", "instanceId", "not be null")},
		wrong{"DeregisterManagedInstance", `{"InstanceId":"i-1"}`, validation, one("'i-1'", "instanceId", "satisfy regular expression pattern: ^mi-[0-9a-f]{17}$")}))
}
