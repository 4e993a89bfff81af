package secretsmanager

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
)

const (
	validation = "ValidationException"
	parameter  = "InvalidParameterException"
	badRequest = "InvalidRequestException"
	missing    = "ResourceNotFoundException"
	gone       = "Secrets Manager can't find the specified secret."
	badName    = "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!"
)

func one(value, member, must string) string {
	if value != "" {
		value += " "
	}
	return "1 validation error detected: Value " + value + "at '" + member + "' failed to satisfy constraint: Member must " + must
}

// shelf is an account with a secret s of two versions, one that is marked for deletion, and one of another account.
func shelf(t *testing.T) *account {
	a := newAccount(t)
	a.must(t, "CreateSecret", long(`{"Name":"s","SecretString":"one","ClientRequestToken":"#1"}`))
	a.must(t, "PutSecretValue", long(`{"SecretId":"s","SecretString":"two","ClientRequestToken":"#2"}`))
	a.must(t, "CreateSecret", `{"Name":"marked"}`)
	a.must(t, "DeleteSecret", `{"SecretId":"marked"}`)
	return a
}

// Every operation that names a secret says so when it is missing, has the wrong form, is not there or is marked for deletion.
func TestWrongSecrets(t *testing.T) {
	rest := map[string]string{
		"PutSecretValue": `,"SecretString":"x","ClientRequestToken":"#9"`, "UpdateSecretVersionStage": `,"VersionStage":"x","MoveToVersionId":"#1"`,
		"TagResource": `,"Tags":[{"Key":"k"}]`, "UntagResource": `,"TagKeys":["k"]`, "PutResourcePolicy": `,"ResourcePolicy":` + quote(somePolicy),
		"ValidateResourcePolicy": `,"ResourcePolicy":` + quote(somePolicy),
	}
	marked := map[string]bool{"DescribeSecret": true, "ListSecretVersionIds": true, "RestoreSecret": true} // they serve such a secret
	a := shelf(t)
	var tests []wrong
	for _, o := range a.api.Service().Operations {
		if _, names := o.Input.FieldByName("SecretId"); !names {
			continue
		}
		with := func(id string) string { return `{"SecretId":` + quote(id) + rest[o.Name] + `}` }
		if o.Name != "ValidateResourcePolicy" {
			tests = append(tests, wrong{o.Name, `{` + strings.TrimPrefix(rest[o.Name], ",") + `}`, validation, one("null", "secretId", "not be null")})
		}
		if !marked[o.Name] {
			tests = append(tests, wrong{o.Name, with("marked"), badRequest, "You can't perform this operation on the secret because it was marked for deletion."})
		}
		tests = append(tests,
			wrong{o.Name, with(""), validation, one("''", "secretId", "have length greater than or equal to 1")},
			wrong{o.Name, with("a b"), validation, badName}, wrong{o.Name, with("none"), missing, gone},
			wrong{o.Name, with("arn:aws:secretsmanager:us-east-1:123456789012:secret:none"), missing, gone},
			wrong{o.Name, with("arn:aws:secretsmanager:us-east-1:210987654321:secret:s"), missing, gone},
			wrong{o.Name, with("arn:aws:secretsmanager:us-east-2:123456789012:secret:s"), missing, gone},
			wrong{o.Name, with("arn:aws:ssm:us-east-1:123456789012:parameter/s"), missing, gone})
	}
	a.refuses(t, tests)
}

const somePolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"secretsmanager:*","Resource":"*"}]}`

func quote(text string) string { return fmt.Sprintf("%q", text) }

func TestWrongValues(t *testing.T) {
	big := strings.Repeat("x", 65537)
	tooBig := base64.StdEncoding.EncodeToString([]byte(big))
	a := shelf(t)
	var tests []wrong
	for operation, named := range map[string]string{"CreateSecret": `"Name":"new"`, "PutSecretValue": `"SecretId":"s"`, "UpdateSecret": `"SecretId":"s"`} {
		put := func(members, code, message string) {
			tests = append(tests, wrong{operation, `{` + named + members + `}`, code, message})
		}
		put(`,"SecretString":"x"`, badRequest, "You must provide a ClientRequestToken value. We recommend a UUID-type value.")
		put(`,"SecretString":"x","ClientRequestToken":"short"`, validation, one("'short'", "clientRequestToken", "have length greater than or equal to 32"))
		put(`,"SecretString":"x","ClientRequestToken":"#1#1#1"`, validation, one("'#1#1#1'", "clientRequestToken", "have length less than or equal to 64"))
		put(`,"ClientRequestToken":"#9","SecretString":"`+big+`"`, validation, one("", "secretString", "have length less than or equal to 65536"))
		put(`,"ClientRequestToken":"#9","SecretString":""`, validation, one("", "secretString", "have length greater than or equal to 1"))
		put(`,"ClientRequestToken":"#9","SecretBinary":"`+tooBig+`"`, validation, one("", "secretBinary", "have length less than or equal to 65536"))
		put(`,"ClientRequestToken":"#9","SecretBinary":""`, validation, one("", "secretBinary", "have length greater than or equal to 1"))
		put(`,"ClientRequestToken":"#9","SecretString":"x","SecretBinary":"eA=="`, parameter,
			"You can't specify both a binary secret value and a string secret value in the same secret. Provide either SecretString or SecretBinary.")
		if operation != "CreateSecret" {
			put(`,"ClientRequestToken":"#1","SecretString":"x"`, "ResourceExistsException",
				"You can't use ClientRequestToken #1 because that value is already in use for a version of secret "+a.arn("s")+".")
		}
		if operation != "PutSecretValue" {
			put(`,"KmsKeyId":"alias/mine"`, "EncryptionFailure", "Secrets Manager can't encrypt the protected secret text using the provided KMS key. Check that "+
				"the KMS key is available, enabled, and not in an invalid state: KmsKeyId alias/mine is neither alias/aws/secretsmanager nor the ARN of a key.")
			put(`,"Description":"`+strings.Repeat("d", 2049)+`"`, validation, one("'"+strings.Repeat("d", 256)+"'", "description", "have length less than or equal to 2048"))
			put(`,"Type":"x"`, parameter, refusedMember("Type"))
		}
	}
	tests = append(tests,
		wrong{"CreateSecret", `{}`, validation, one("null", "name", "not be null")},
		wrong{"CreateSecret", `{"Name":""}`, validation, one("''", "name", "have length greater than or equal to 1")},
		wrong{"CreateSecret", `{"Name":"a:b"}`, validation, badName},
		wrong{"CreateSecret", `{"Name":"ä"}`, validation, badName},
		wrong{"CreateSecret", `{"Name":"new","AddReplicaRegions":[{"Region":"eu-west-1"}]}`, parameter, refusedMember("AddReplicaRegions")},
		wrong{"CreateSecret", `{"Name":"new","ForceOverwriteReplicaSecret":true}`, parameter, refusedMember("ForceOverwriteReplicaSecret")},
		wrong{"CreateSecret", `{"Name":"marked"}`, badRequest, "You can't create this secret because a secret with this name is already scheduled for deletion."},
		wrong{"CreateSecret", `{"Name":"s"}`, "ResourceExistsException", "The operation failed because the secret s already exists."},
		wrong{"PutSecretValue", `{"SecretId":"s","ClientRequestToken":"#9"}`, badRequest, "You must provide either SecretString or SecretBinary."},
		wrong{"PutSecretValue", `{"SecretId":"s","ClientRequestToken":"#9","SecretString":"x","RotationToken":"t"}`, parameter, refusedMember("RotationToken")},
		wrong{"PutSecretValue", `{"SecretId":"s","ClientRequestToken":"#9","SecretString":"x","VersionStages":[]}`, validation,
			one("'[]'", "versionStages", "have length greater than or equal to 1")},
		wrong{"PutSecretValue", `{"SecretId":"s","ClientRequestToken":"#9","SecretString":"x","VersionStages":[""]}`, validation,
			one("''", "versionStages.member", "have length greater than or equal to 1")},
		wrong{"PutSecretValue", `{"SecretId":"s","ClientRequestToken":"#9","SecretString":"x","VersionStages":["` + numbered(19, `","`) + `"]}`, "LimitExceededException",
			"The VersionStages exceed the limit: a secret can have at most 20 staging labels."},
	)
	a.refuses(t, tests)
}

// arn is the ARN of a secret.
func (a *account) arn(name string) string {
	for s := range a.store.View().Secrets.All() {
		if s.Name == name {
			return s.Arn
		}
	}
	return ""
}

func refusedMember(name string) string {
	return "Berth does not act on " + name + " yet; leave it out. docs/coverage.md lists what it acts on."
}

func numbered(n int, between string) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprint("label", i))
	}
	return strings.Join(all, between)
}

func TestWrongStages(t *testing.T) {
	a := shelf(t)
	put := func(members, code, message string) wrong {
		return wrong{"UpdateSecretVersionStage", `{"SecretId":"s",` + members + `}`, code, message}
	}
	a.refuses(t, []wrong{
		put(`"MoveToVersionId":"#1"`, validation, one("null", "versionStage", "not be null")),
		put(`"VersionStage":""`, validation, one("''", "versionStage", "have length greater than or equal to 1")),
		put(`"VersionStage":"x"`, parameter, "You must provide RemoveFromVersionId or MoveToVersionId."),
		put(`"VersionStage":"x","MoveToVersionId":"1"`, validation, one("'1'", "moveToVersionId", "have length greater than or equal to 32")),
		put(`"VersionStage":"x","RemoveFromVersionId":"1"`, validation, one("'1'", "removeFromVersionId", "have length greater than or equal to 32")),
		put(`"VersionStage":"x","MoveToVersionId":"#9"`, missing, "Secrets Manager can't find the specified secret value for VersionId: #9"),
		put(`"VersionStage":"x","RemoveFromVersionId":"#9"`, missing, "Secrets Manager can't find the specified secret value for VersionId: #9"),
		put(`"VersionStage":"x","RemoveFromVersionId":"#1"`, parameter, "RemoveFromVersionId: staging label x is not attached to version #1."),
		put(`"VersionStage":"AWSCURRENT","RemoveFromVersionId":"#1","MoveToVersionId":"#2"`, parameter,
			"RemoveFromVersionId: staging label AWSCURRENT is not attached to version #1."),
		put(`"VersionStage":"AWSCURRENT","MoveToVersionId":"#1"`, parameter, "The parameter RemoveFromVersionId can't be empty. Staging label AWSCURRENT is currently "+
			"attached to version #2, so you must explicitly reference that version in RemoveFromVersionId."),
		put(`"VersionStage":"AWSCURRENT","RemoveFromVersionId":"#2"`, parameter,
			"You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed."),
		{"GetSecretValue", `{"SecretId":"s","VersionId":"1"}`, validation, one("'1'", "versionId", "have length greater than or equal to 32")},
		{"GetSecretValue", `{"SecretId":"s","VersionStage":""}`, validation, one("''", "versionStage", "have length greater than or equal to 1")},
		{"GetSecretValue", `{"SecretId":"s","VersionStage":"x"}`, missing, "Secrets Manager can't find the specified secret value for staging label: x"},
		{"GetSecretValue", `{"SecretId":"s","VersionId":"#1","VersionStage":"AWSCURRENT"}`, badRequest,
			"You provided a VersionStage that is not associated to the provided VersionId."},
	})
}

func TestWrongLists(t *testing.T) {
	a := shelf(t)
	enum := "satisfy enum value set: [all, description, name, owning-service, primary-region, tag-key, tag-value]"
	var tests []wrong
	for operation, most := range map[string]string{"ListSecrets": "100", "BatchGetSecretValue": "20", "ListSecretVersionIds": "100"} {
		id := map[string]string{"ListSecretVersionIds": `"SecretId":"s",`, "BatchGetSecretValue": `"Filters":[{"Key":"name","Values":["x"]}],`}[operation]
		tests = append(tests,
			wrong{operation, `{` + id + `"MaxResults":0}`, validation, one("'0'", "maxResults", "have value greater than or equal to 1")},
			wrong{operation, `{` + id + `"MaxResults":101}`, validation, one("'101'", "maxResults", "have value less than or equal to "+most)},
			wrong{operation, `{` + id + `"NextToken":"x"}`, "InvalidNextTokenException", "The NextToken value is invalid."})
		if operation == "ListSecretVersionIds" {
			continue
		}
		filter := func(filters, code, message string) {
			tests = append(tests, wrong{operation, `{"Filters":[` + filters + `]}`, code, message})
		}
		filter(`{"Key":"x","Values":["y"]}`, validation, one("'x'", "filters.member.key", enum))
		filter(`{"Values":["y"]}`, parameter, "Invalid filter key: Filters.Key can't be empty.")
		filter(`{"Key":"name"}`, parameter, "Invalid filter values for key: name")
		filter(`{"Key":"name","Values":[]}`, validation, one("'[]'", "filters.member.values", "have length greater than or equal to 1"))
		filter(`{"Key":"name","Values":["a*"]}`, validation,
			one("'a*'", "filters.member.values.member", `satisfy regular expression pattern: ^!?[a-zA-Z0-9 :_@/+=.!-]{0,512}$`))
		many := strings.Repeat(`{"Key":"name","Values":["x"]},`, 10)
		filter(many+`{"Key":"all","Values":["x"]}`, validation,
			one("'["+strings.Repeat("name, ", 10)+"all]'", "filters", "have length less than or equal to 10"))
	}
	tests = append(tests,
		wrong{"ListSecrets", `{"SortBy":"x"}`, validation, one("'x'", "sortBy", "satisfy enum value set: [created-date, last-accessed-date, last-changed-date, name]")},
		wrong{"ListSecrets", `{"SortOrder":"x"}`, validation, one("'x'", "sortOrder", "satisfy enum value set: [asc, desc]")},
		wrong{"ListSecrets", `{"SortBy":"last-accessed-date"}`, parameter, refusedMember("SortBy last-accessed-date")},
		wrong{"BatchGetSecretValue", `{}`, parameter, "Either 'SecretIdList' or 'Filters' must be provided, but not both."},
		wrong{"BatchGetSecretValue", `{"SecretIdList":["s"],"Filters":[{"Key":"name","Values":["x"]}]}`, parameter,
			"Either 'SecretIdList' or 'Filters' must be provided, but not both."},
		wrong{"BatchGetSecretValue", `{"SecretIdList":[]}`, validation, one("'[]'", "secretIdList", "have length greater than or equal to 1")},
		wrong{"BatchGetSecretValue", `{"SecretIdList":["s",""]}`, validation, one("''", "secretIdList.member", "have length greater than or equal to 1")},
		wrong{"BatchGetSecretValue", `{"SecretIdList":["s"],"MaxResults":1}`, parameter,
			"'Filters' not specified. 'Filters' must also be specified when 'MaxResults' or 'NextToken' is provided."})
	a.refuses(t, tests)
}

func TestWrongRest(t *testing.T) {
	a := shelf(t)
	const public = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"secretsmanager:*","Resource":"*"}]}`
	many := func(n int) string {
		return `[{"Key":"` + strings.ReplaceAll(numbered(n, `"},{"Key":"`), "label", "k") + `"}]`
	}
	a.refuses(t, []wrong{
		{"DeleteSecret", `{"SecretId":"s","RecoveryWindowInDays":6}`, parameter, "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive)."},
		{"DeleteSecret", `{"SecretId":"s","RecoveryWindowInDays":31}`, parameter, "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive)."},
		{"DeleteSecret", `{"SecretId":"s","RecoveryWindowInDays":7,"ForceDeleteWithoutRecovery":true}`, parameter,
			"You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays."},
		{"TagResource", `{"SecretId":"s"}`, validation, one("null", "tags", "not be null")},
		{"TagResource", `{"SecretId":"s","Tags":[{"Value":"v"}]}`, validation, one("null", "tags.member.key", "not be null")},
		{"TagResource", `{"SecretId":"s","Tags":[{"Key":"aws:k"}]}`, parameter, "Tags: the key aws:k is not allowed: tag keys can't start with aws:."},
		{"TagResource", `{"SecretId":"s","Tags":[{"Key":"k"},{"Key":"k"}]}`, parameter, "Tags: the key k is given more than once."},
		{"TagResource", `{"SecretId":"s","Tags":` + many(51) + `}`, parameter, "Tags: a secret can have at most 50 tags."},
		{"CreateSecret", `{"Name":"new","Tags":` + many(51) + `}`, parameter, "Tags: a secret can have at most 50 tags."},
		{"UntagResource", `{"SecretId":"s"}`, validation, one("null", "tagKeys", "not be null")},
		{"UntagResource", `{"SecretId":"s","TagKeys":[""]}`, validation, one("''", "tagKeys.member", "have length greater than or equal to 1")},
		{"UntagResource", `{"SecretId":"s","TagKeys":["aws:k"]}`, parameter, "TagKeys: the key aws:k is not allowed: tag keys can't start with aws:."},
		{"PutResourcePolicy", `{"SecretId":"s"}`, validation, one("null", "resourcePolicy", "not be null")},
		{"PutResourcePolicy", `{"SecretId":"s","BlockPublicPolicy":true,"ResourcePolicy":` + quote(public) + `}`, "PublicPolicyException",
			"The BlockPublicPolicy parameter is set to true, and the resource policy did not prevent broad access to the secret."},
		{"ValidateResourcePolicy", `{}`, validation, one("null", "resourcePolicy", "not be null")},
		{"GetRandomPassword", `{"PasswordLength":0}`, validation, one("'0'", "passwordLength", "have value greater than or equal to 1")},
		{"GetRandomPassword", `{"PasswordLength":4097}`, validation, one("'4097'", "passwordLength", "have value less than or equal to 4096")},
		{"GetRandomPassword", `{"PasswordLength":3}`, parameter, "Password length 3 is too short based on the required types."},
		{"GetRandomPassword", `{"ExcludeLowercase":true,"ExcludeUppercase":true,"ExcludeNumbers":true,"ExcludePunctuation":true}`, parameter,
			"Your password exclusions leave no character: ExcludeCharacters and the excluded types exclude them all."},
	})
	for _, operation := range []string{"PutResourcePolicy", "ValidateResourcePolicy"} {
		for _, text := range []string{"{", "[]", `{"Version":"2012-10-17"}`, `{"Version":"2012-10-17","Statement":[{"Effect":"Maybe"}]}`} {
			before := a.store.View().N
			if out, err := a.ask(t, operation, `{"SecretId":"s","ResourcePolicy":`+quote(text)+`}`); err == nil || err.Code != "MalformedPolicyDocumentException" ||
				!strings.Contains(err.Message, "ResourcePolicy") || a.store.View().N != before {
				t.Errorf("%s %s: %s, %v", operation, text, out, err)
			}
		}
	}
}
