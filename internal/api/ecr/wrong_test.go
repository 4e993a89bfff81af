package ecr

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"berth/internal/ecr"
	"berth/internal/state"
)

const parameter = "InvalidParameterException"

// bad is the text about a member that is not as it must be.
func bad(member, constraint string) string {
	return "Invalid parameter at '" + member + "' failed to satisfy constraint: '" + constraint + "'"
}

// furnished is an account with a repository app, which has an image v1 and an index with another, and a repository fixed with immutable tags.
func furnished(t *testing.T) (a *account, inIndex, index digest.Digest) {
	t.Helper()
	a = newAccount(t)
	a.must(t, "CreateRepository", `{"repositoryName":"app"}`)
	a.must(t, "CreateRepository", `{"repositoryName":"fixed","imageTagMutability":"IMMUTABLE"}`)
	a.push(t, "app", "v1", "one")
	inIndex = a.push(t, "app", "inside", "two")
	index = a.index(t, "app", inIndex)
	a.push(t, "fixed", "v1", "one")
	return a, inIndex, index
}

// rest is what operations need besides a repository.
var rest = map[string]string{
	"PutImageTagMutability": `,"imageTagMutability":"MUTABLE"`, "PutImageScanningConfiguration": `,"imageScanningConfiguration":{}`,
	"SetRepositoryPolicy": `,"policyText":` + quote(somePolicy), "PutLifecyclePolicy": `,"lifecyclePolicyText":` + quote(someLifecycle),
	"BatchGetImage": `,"imageIds":[{"imageTag":"v1"}]`, "BatchDeleteImage": `,"imageIds":[{"imageTag":"v1"}]`, "PutImage": `,"imageManifest":"{}"`,
	"BatchCheckLayerAvailability": `,"layerDigests":["sha256:00"]`, "GetDownloadUrlForLayer": `,"layerDigest":"sha256:00"`,
}

const (
	somePolicy    = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"ecr:*"}]}`
	someLifecycle = `{"rules":[{"rulePriority":1,"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":1},"action":{"type":"expire"}}]}`
)

func quote(text string) string { return fmt.Sprintf("%q", text) }

// Every operation that names a repository says so when it is missing, has the wrong form or is not there.
func TestWrongRepositories(t *testing.T) {
	a, _, _ := furnished(t)
	form := bad("repositoryName", "must satisfy regular expression '"+ecr.NamePattern+"'")
	var tests []wrong
	for name, o := range a.ops {
		if _, is := o.Input.FieldByName("RepositoryName"); !is {
			continue
		}
		with := func(repository string) string { return `{"repositoryName":` + repository + rest[name] + `}` }
		tests = append(tests,
			wrong{name, `{"repositoryName":null` + rest[name] + `}`, parameter, bad("repositoryName", "must not be null")},
			wrong{name, with(`"a"`), parameter, bad("repositoryName", "length must be between 2 and 256")},
			wrong{name, with(quote(strings.Repeat("a", 257))), parameter, bad("repositoryName", "length must be between 2 and 256")},
			wrong{name, with(`"App"`), parameter, form}, wrong{name, with(`"app/"`), parameter, form}, wrong{name, with(`"../app"`), parameter, form},
			wrong{name, with(`"app","registryId":"1"`), parameter, bad("registryId", "must satisfy regular expression '[0-9]{12}'")})
		if name == "CreateRepository" {
			continue
		}
		tests = append(tests,
			wrong{name, with(`"none"`), "RepositoryNotFoundException", "The repository with name 'none' does not exist in the registry with id '123456789012'"},
			wrong{name, with(`"app","registryId":"210987654321"`), "RepositoryNotFoundException",
				"The repository with name 'app' does not exist in the registry with id '210987654321'"})
	}
	a.refuses(t, tests)
}

// What is wrong in several operations: pages and filters of lists, images, ARNs.
func TestWrongInMany(t *testing.T) {
	a, _, _ := furnished(t)
	err := a.store.Update(t.Context(), func(tx *state.Tx) error {
		tx.Put(&ecr.Repository{Arn: "arn:aws:ecr:us-east-2:123456789012:repository/app", Name: "app", Storage: "elsewhere"})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var tests []wrong
	for _, list := range []string{"DescribeRepositories", "DescribeImages", "ListImages"} {
		with := func(members string) string {
			if list == "DescribeRepositories" {
				return `{` + members + `}`
			}
			return `{"repositoryName":"app",` + members + `}`
		}
		tests = append(tests,
			wrong{list, with(`"maxResults":0`), parameter, bad("maxResults", "must be between 1 and 1000")},
			wrong{list, with(`"maxResults":1001`), parameter, bad("maxResults", "must be between 1 and 1000")},
			wrong{list, with(`"nextToken":"x"`), parameter, bad("nextToken", "must be a token that the same request was answered with")})
		if list == "DescribeRepositories" {
			continue
		}
		tests = append(tests,
			wrong{list, with(`"filter":{"tagStatus":"x"}`), parameter, bad("filter.tagStatus", "Member must satisfy enum value set: [ANY, TAGGED, UNTAGGED]")},
			wrong{list, with(`"filter":{"imageStatus":"x"}`), parameter, bad("filter.imageStatus", "Member must satisfy enum value set: [ACTIVATING, ACTIVE, ANY, ARCHIVED]")})
	}
	for _, images := range []string{"DescribeImages", "BatchGetImage", "BatchDeleteImage"} {
		with := func(ids string) string { return `{"repositoryName":"app","imageIds":` + ids + `}` }
		many := `[{"imageTag":"x"}` + strings.Repeat(`,{"imageTag":"x"}`, 100) + `]`
		tests = append(tests,
			wrong{images, with(`[]`), parameter, bad("imageIds", "size must be between 1 and 100")},
			wrong{images, with(many), parameter, bad("imageIds", "size must be between 1 and 100")},
			wrong{images, with(`[{"imageTag":""}]`), parameter, bad("imageIds.imageTag", "length must be between 1 and 300")},
			wrong{images, with(`[{"imageDigest":""}]`), parameter, bad("imageIds.imageDigest", "length must be between 1 and 300")})
		if images != "DescribeImages" {
			tests = append(tests, wrong{images, with(`null`), parameter, bad("imageIds", "must not be null")})
		}
	}
	for _, tags := range []string{"TagResource", "UntagResource", "ListTagsForResource"} {
		with := func(arn string) string {
			return `{"resourceArn":` + arn + `,"tags":[{"Key":"k","Value":"v"}],"tagKeys":["k"]}`
		}
		tests = append(tests,
			wrong{tags, with(`null`), parameter, bad("resourceArn", "must not be null")},
			wrong{tags, with(`""`), parameter, bad("resourceArn", "length must be between 1 and 2048")},
			wrong{tags, with(`"app"`), parameter, bad("resourceArn", "Invalid ARN")},
			wrong{tags, with(`"arn:aws:ecs:us-east-1:123456789012:repository/app"`), parameter, bad("resourceArn", "Invalid ARN")},
			wrong{tags, with(`"arn:aws:ecr:us-east-1:123456789012:app"`), parameter, bad("resourceArn", "Invalid ARN")},
			wrong{tags, with(`"arn:aws:ecr:us-east-2:123456789012:repository/app"`), "RepositoryNotFoundException",
				"The repository with name 'app' does not exist in the registry with id '123456789012'"})
	}
	a.refuses(t, tests)
}

func TestWrongRest(t *testing.T) {
	a, _, _ := furnished(t)
	many := func(n int) string {
		var list []string
		for i := range n {
			list = append(list, fmt.Sprintf(`{"Key":"k%d","Value":""}`, i))
		}
		return "[" + strings.Join(list, ",") + "]"
	}
	tag := func(text string) string { return "Invalid parameter at 'tags' failed to satisfy constraint: " + text }
	tooMany := "The list of tags on the repository is over the limit. The maximum number of tags that can be applied to a repository is 50."
	app := `"resourceArn":"arn:aws:ecr:us-east-1:123456789012:repository/app"`
	mutability := "Member must satisfy enum value set: [IMMUTABLE, IMMUTABLE_WITH_EXCLUSION, MUTABLE, MUTABLE_WITH_EXCLUSION]"
	filters := "imageTagMutabilityExclusionFilters"
	wildcard := "must be a WILDCARD of letters, digits, '.', '_', '-' and at most 2 '*'"
	var tests []wrong
	for operation, named := range map[string]string{"CreateRepository": `"repositoryName":"new"`, "PutImageTagMutability": `"repositoryName":"app"`} {
		with := func(members string) string { return `{` + named + `,"imageTagMutability":` + members + `}` }
		tests = append(tests,
			wrong{operation, with(`"x"`), parameter, bad("imageTagMutability", mutability)},
			wrong{operation, with(`"MUTABLE_WITH_EXCLUSION"`), parameter, bad(filters, "must not be empty when imageTagMutability is MUTABLE_WITH_EXCLUSION")},
			wrong{operation, with(`"MUTABLE","` + filters + `":[{"filterType":"WILDCARD","filter":"x"}]`), parameter,
				bad(filters, "must be empty unless imageTagMutability is IMMUTABLE_WITH_EXCLUSION or MUTABLE_WITH_EXCLUSION")},
			wrong{operation, with(`"MUTABLE_WITH_EXCLUSION","` + filters + `":[{"filterType":"x","filter":"x"}]`), parameter,
				bad(filters+".filterType", "Member must satisfy enum value set: [WILDCARD]")},
			wrong{operation, with(`"MUTABLE_WITH_EXCLUSION","` + filters + `":[{"filterType":"WILDCARD","filter":"[x]"}]`), parameter, bad(filters+".filter", wildcard)},
			wrong{operation, with(`"MUTABLE_WITH_EXCLUSION","` + filters + `":[{"filterType":"WILDCARD","filter":"***"}]`), parameter, bad(filters+".filter", wildcard)})
	}
	tests = append(tests,
		wrong{"CreateRepository", `{"repositoryName":"app"}`, "RepositoryAlreadyExistsException", "The repository with name 'app' already exists in the registry with id '123456789012'"},
		wrong{"CreateRepository", `{"repositoryName":"new","tags":[{"Value":"v"}]}`, "InvalidTagParameterException", tag("A tag key must have 1 to 128 characters")},
		wrong{"CreateRepository", `{"repositoryName":"new","tags":` + many(51) + `}`, "TooManyTagsException", tooMany},
		wrong{"CreateRepository", `{"repositoryName":"new","encryptionConfiguration":{}}`, parameter, bad("encryptionConfiguration.encryptionType", "must not be null")},
		wrong{"CreateRepository", `{"repositoryName":"new","encryptionConfiguration":{"encryptionType":"x"}}`, parameter,
			bad("encryptionConfiguration.encryptionType", "Member must satisfy enum value set: [AES256, KMS, KMS_DSSE]")},
		wrong{"CreateRepository", `{"repositoryName":"new","encryptionConfiguration":{"encryptionType":"AES256","kmsKey":"x"}}`, parameter,
			bad("encryptionConfiguration.kmsKey", "must be null when encryptionType is AES256")},
		wrong{"DescribeRepositories", `{"repositoryNames":[]}`, parameter, bad("repositoryNames", "size must be between 1 and 100")},
		wrong{"DescribeRepositories", `{"repositoryNames":["app"],"maxResults":1}`, parameter, bad("repositoryNames", "must be null when maxResults or nextToken is given")},
		wrong{"DescribeRepositories", `{"repositoryNames":["A B"]}`, parameter, bad("repositoryName", "must satisfy regular expression '"+ecr.NamePattern+"'")},
		wrong{"DescribeRepositories", `{"registryId":"x"}`, parameter, bad("registryId", "must satisfy regular expression '[0-9]{12}'")},
		wrong{"DeleteRepository", `{"repositoryName":"app"}`, "RepositoryNotEmptyException",
			"The repository with name 'app' in registry with id '123456789012' cannot be deleted because it still contains images"},
		wrong{"PutImageTagMutability", `{"repositoryName":"app"}`, parameter, bad("imageTagMutability", "must not be null")},
		wrong{"PutImageScanningConfiguration", `{"repositoryName":"app"}`, parameter, bad("imageScanningConfiguration", "must not be null")},
		wrong{"SetRepositoryPolicy", `{"repositoryName":"app"}`, parameter, bad("policyText", "must not be null")},
		wrong{"SetRepositoryPolicy", `{"repositoryName":"app","policyText":"x"}`, parameter, bad("PolicyText", "Invalid repository policy provided")},
		wrong{"SetRepositoryPolicy", `{"repositoryName":"app","policyText":"` + strings.Repeat(" ", 10241) + `"}`, parameter, bad("policyText", "length must be between 0 and 10240")},
		wrong{"PutLifecyclePolicy", `{"repositoryName":"app"}`, parameter, bad("lifecyclePolicyText", "must not be null")},
		wrong{"PutLifecyclePolicy", `{"repositoryName":"app","lifecyclePolicyText":"{}"}`, parameter, bad("lifecyclePolicyText", "length must be between 100 and 30720")},
		wrong{"PutLifecyclePolicy", `{"repositoryName":"app","lifecyclePolicyText":` + quote(strings.Replace(someLifecycle, `"any"`, `"all"`, 1)) + `}`, parameter,
			bad("LifecyclePolicyText", `Lifecycle policy validation failure: rules[0].selection.tagStatus: "all" is neither "tagged", "untagged" nor "any"`)},
		wrong{"GetAuthorizationToken", `{"registryIds":["x"]}`, parameter, bad("registryIds", "must satisfy regular expression '[0-9]{12}'")},
		wrong{"GetAuthorizationToken", `{"registryIds":[]}`, parameter, bad("registryIds", "size must be between 1 and 10")},
		wrong{"TagResource", `{` + app + `}`, parameter, bad("tags", "must not be null")},
		wrong{"TagResource", `{` + app + `,"tags":[{"Key":"aws:x","Value":""}]}`, "InvalidTagParameterException", tag("The tag key 'aws:x' begins with aws:, which is reserved")},
		wrong{"TagResource", `{` + app + `,"tags":[{"Key":"k"}]}`, "InvalidTagParameterException", tag("The value of the tag with key 'k' must be there, with at most 256 characters")},
		wrong{"TagResource", `{` + app + `,"tags":[{"Key":"k","Value":""},{"Key":"k","Value":""}]}`, "InvalidTagParameterException", tag("The tag key 'k' is given more than once")},
		wrong{"TagResource", `{` + app + `,"tags":` + many(51) + `}`, "TooManyTagsException", tooMany},
		wrong{"UntagResource", `{` + app + `}`, parameter, bad("tagKeys", "must not be null")},
		wrong{"UntagResource", `{` + app + `,"tagKeys":[""]}`, "InvalidTagParameterException", tag("A tag key must have 1 to 128 characters")})
	a.refuses(t, tests)
}

func TestWrongImages(t *testing.T) {
	a, _, _ := furnished(t)
	m := string(a.manifest(t, "app", "new"))
	old := string(a.manifest(t, "fixed", "one"))
	d, none := digest.FromString(old).String(), digest.FromString("nothing").String()
	lacking := strings.Replace(m, digest.FromString("new").String(), none, 1)
	lackingImage := `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"` + none + `","size":1}]}`
	required := "s with digests '[" + none + "]' required for pushing image into repository with name 'app' in the registry with id '123456789012' do not exist"
	put := func(repository, members, code, message string) wrong {
		return wrong{"PutImage", `{"repositoryName":"` + repository + `",` + members + `}`, code, message}
	}
	a.refuses(t, []wrong{
		put("app", `"imageTag":"x"`, parameter, bad("imageManifest", "must not be null")),
		put("app", `"imageManifest":""`, parameter, bad("imageManifest", "length must be between 1 and 4194304")),
		put("app", `"imageManifest":"x"`, parameter, bad("ImageManifest", "Invalid image manifest provided: it is not valid JSON")),
		put("app", `"imageManifest":"{}"`, parameter, bad("ImageManifest", `Invalid image manifest provided: the media type "" is not supported`)),
		put("app", `"imageManifest":`+quote(m)+`,"imageManifestMediaType":"x"`, parameter,
			bad("ImageManifest", "Invalid image manifest provided: its media type is application/vnd.oci.image.manifest.v1+json, not x")),
		put("app", `"imageManifest":`+quote(m)+`,"imageTag":"-x"`, parameter, bad("imageTag", "must satisfy regular expression '[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127}'")),
		put("app", `"imageManifest":`+quote(m)+`,"imageDigest":"x"`, parameter, bad("imageDigest", "must satisfy regular expression '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'")),
		put("app", `"imageManifest":`+quote(m)+`,"imageDigest":"`+none+`"`, "ImageDigestDoesNotMatchException",
			"The provided digest '"+none+"' does not match the digest '"+digest.FromString(m).String()+"' of the image manifest"),
		put("app", `"imageManifest":`+quote(lacking), "LayersNotFoundException", "Layer"+required),
		put("app", `"imageManifest":`+quote(lackingImage), "ReferencedImagesNotFoundException", "The image"+required),
		put("app", `"imageManifest":`+quote(old), "ImageAlreadyExistsException",
			"Image with digest '"+d+"' already exists in the repository with name 'app' in registry with id '123456789012'"),
		put("fixed", `"imageTag":"v1","imageManifest":`+quote(old), "ImageAlreadyExistsException",
			"Image with digest '"+d+"' and tag 'v1' already exists in the repository with name 'fixed' in registry with id '123456789012'"),
		put("fixed", `"imageTag":"v1","imageManifest":`+quote(string(a.manifest(t, "fixed", "two"))), "ImageTagAlreadyExistsException",
			"The image tag 'v1' already exists in the 'fixed' repository and cannot be overwritten because the repository is immutable."),
		{"DescribeImages", `{"repositoryName":"app","imageIds":[{"imageTag":"v1"}],"maxResults":1}`, parameter, bad("imageIds", "must be null when maxResults or nextToken is given")},
		{"DescribeImages", `{"repositoryName":"app","imageIds":[{}]}`, parameter, bad("imageIds", "Invalid request parameters: both tag and digest cannot be null")},
		{"DescribeImages", `{"repositoryName":"app","imageIds":[{"imageTag":"inside","imageDigest":"` + d + `"}]}`, "ImageNotFoundException",
			"The image with imageId {imageDigest:'" + d + "', imageTag:'inside'} does not exist within the repository with name 'app' in the registry with id '123456789012'"},
		{"BatchCheckLayerAvailability", `{"repositoryName":"app"}`, parameter, bad("layerDigests", "must not be null")},
		{"BatchCheckLayerAvailability", `{"repositoryName":"app","layerDigests":[]}`, parameter, bad("layerDigests", "size must be between 1 and 100")},
		{"GetDownloadUrlForLayer", `{"repositoryName":"app"}`, parameter, bad("layerDigest", "must not be null")},
		{"GetDownloadUrlForLayer", `{"repositoryName":"app","layerDigest":"x"}`, parameter, bad("layerDigest", "must satisfy regular expression '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'")},
		{"GetDownloadUrlForLayer", `{"repositoryName":"fixed","layerDigest":"` + digest.FromString("new").String() + `"}`, "LayersNotFoundException",
			"Layers with digests '[" + digest.FromString("new").String() + "]' cannot be found in the repository with name 'fixed' in the registry with id '123456789012'"},
	})
}

// What an index has in it goes only together with the index, or after it.
func TestImagesOfIndexes(t *testing.T) {
	a, inside, index := furnished(t)
	ask := func(ids string) (gone, failed int, code string) {
		answer := a.must(t, "BatchDeleteImage", `{"repositoryName":"app","imageIds":[`+ids+`]}`)
		failures := answer["failures"].([]any)
		if len(failures) > 0 {
			code = failures[0].(map[string]any)["failureCode"].(string)
		}
		return len(answer["imageIds"].([]any)), len(failures), code
	}
	for _, id := range []string{`{"imageDigest":"` + inside.String() + `"}`, `{"imageTag":"inside"}`} {
		if gone, failed, code := ask(id); gone != 0 || failed != 1 || code != "ImageReferencedByManifestList" {
			t.Errorf("%s: %d %d %s", id, gone, failed, code)
		}
	}
	if gone, failed, _ := ask(`{"imageDigest":"` + inside.String() + `"},{"imageDigest":"` + index.String() + `"}`); gone != 2 || failed != 0 {
		t.Errorf("%d %d", gone, failed)
	}
}

// An image gets another tag as AWS's guide tells it: BatchGetImage, then PutImage.
func TestTagAgain(t *testing.T) {
	a, _, _ := furnished(t)
	got := a.must(t, "BatchGetImage", `{"repositoryName":"app","imageIds":[{"imageTag":"v1"}]}`)["images"].([]any)[0].(map[string]any)
	answer := a.must(t, "PutImage", `{"repositoryName":"app","imageTag":"v1-copy","imageManifest":`+quote(got["imageManifest"].(string))+`}`)
	if id := answer["image"].(map[string]any)["imageId"].(map[string]any); id["imageTag"] != "v1-copy" || id["imageDigest"] != got["imageId"].(map[string]any)["imageDigest"] {
		t.Errorf("%v", answer)
	}
	described := a.must(t, "DescribeImages", `{"repositoryName":"app","imageIds":[{"imageTag":"v1-copy"}]}`)["imageDetails"].([]any)[0].(map[string]any)
	if tags := described["imageTags"]; !reflect.DeepEqual(tags, []any{"v1", "v1-copy"}) {
		t.Errorf("%v", tags)
	}
}
