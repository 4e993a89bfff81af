package ecr

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"

	"berth/internal/arn"
	"berth/internal/awswire"
	"berth/internal/registry"
)

func TestShapes(t *testing.T) {
	const (
		image  = "sha256:11"
		denied = "User: u is not authorized to perform: ecr:PutImage"
		of     = `"registryId":"1","repositoryName":"app"`
	)
	failed := errors.New("failed")
	for _, c := range []struct {
		registry.Call
		in, out, code string
	}{
		{registry.Call{Operation: "BatchGetImage", Tag: "v1"}, `{"imageIds":[{"imageTag":"v1"}],` + of + `}`, "", ""},
		{registry.Call{Operation: "BatchGetImage", Digest: image}, `{"imageIds":[{"imageDigest":"sha256:11"}],` + of + `}`, "", ""},
		{registry.Call{Operation: "BatchGetImage", Tag: "v1", Err: failed, Status: 404, Code: "MANIFEST_UNKNOWN"}, `{"imageIds":[{"imageTag":"v1"}],` + of + `}`, "", ""},
		{registry.Call{Operation: "BatchCheckLayerAvailability", Digest: image}, `{"layerDigests":["sha256:11"],` + of + `}`, "", ""},
		{registry.Call{Operation: "BatchCheckLayerAvailability", Digest: image, Err: failed, Status: 404, Code: "BLOB_UNKNOWN"}, `{"layerDigests":["sha256:11"],` + of + `}`, "", ""},
		{registry.Call{Operation: "GetDownloadUrlForLayer", Digest: image}, `{"layerDigest":"sha256:11",` + of + `}`, "", ""},
		{registry.Call{Operation: "GetDownloadUrlForLayer", Digest: image, Err: failed, Status: 404, Code: "BLOB_UNKNOWN"}, `{"layerDigest":"sha256:11",` + of + `}`, "", "LayersNotFoundException"},
		{registry.Call{Operation: "InitiateLayerUpload", Upload: "u1"}, `{` + of + `}`, `{"uploadId":"u1"}`, ""},
		{registry.Call{Operation: "InitiateLayerUpload", Err: failed, Status: 507, Code: "UNAVAILABLE"}, `{` + of + `}`, "", "ServerException"},
		{registry.Call{Operation: "InitiateLayerUpload", Err: failed, Status: 400, Code: "DIGEST_INVALID"}, `{` + of + `}`, "", "InvalidParameterException"},
		{registry.Call{Operation: "UploadLayerPart", Upload: "u1"}, `{` + of + `,"uploadId":"u1"}`, `{` + of + `,"uploadId":"u1"}`, ""},
		{registry.Call{Operation: "UploadLayerPart", Upload: "u1", Err: failed, Status: 416, Code: "BLOB_UPLOAD_INVALID"}, `{` + of + `,"uploadId":"u1"}`, "", "InvalidLayerPartException"},
		{registry.Call{Operation: "CompleteLayerUpload", Upload: "u1", Digest: image}, `{"layerDigests":["sha256:11"],` + of + `,"uploadId":"u1"}`, `{"layerDigest":"sha256:11",` + of + `,"uploadId":"u1"}`, ""},
		{registry.Call{Operation: "CompleteLayerUpload", Upload: "u1", Err: failed, Status: 404, Code: "BLOB_UPLOAD_UNKNOWN"}, `{` + of + `,"uploadId":"u1"}`, "", "UploadNotFoundException"},
		{registry.Call{Operation: "CompleteLayerUpload", Upload: "u1", Err: failed, Status: 400, Code: "DIGEST_INVALID"}, `{` + of + `,"uploadId":"u1"}`, "", "InvalidLayerException"},
		{registry.Call{Operation: "PutImage", Tag: "v1", Digest: image}, `{"imageDigest":"sha256:11","imageTag":"v1",` + of + `}`, `{"image":{"imageId":{"imageDigest":"sha256:11","imageTag":"v1"},` + of + `}}`, ""},
		{registry.Call{Operation: "PutImage", Tag: "v1", Err: failed, Status: 403, Code: "DENIED", Message: denied}, `{"imageTag":"v1",` + of + `}`, "", "AccessDeniedException"},
		{registry.Call{Operation: "PutImage", Tag: "v1", Err: failed, Status: 404, Code: "NAME_UNKNOWN"}, `{"imageTag":"v1",` + of + `}`, "", "RepositoryNotFoundException"},
		{registry.Call{Operation: "PutImage", Tag: "v1", Err: registry.ErrTagTaken, Status: 400, Code: "TAG_INVALID"}, `{"imageTag":"v1",` + of + `}`, "", "ImageTagAlreadyExistsException"},
		{registry.Call{Operation: "PutImage", Tag: "-", Err: failed, Status: 400, Code: "TAG_INVALID"}, `{"imageTag":"-",` + of + `}`, "", "InvalidParameterException"},
		{registry.Call{Operation: "PutImage", Digest: image, Err: registry.ErrOtherDigest, Status: 400, Code: "DIGEST_INVALID"}, `{"imageDigest":"sha256:11",` + of + `}`, "", "ImageDigestDoesNotMatchException"},
		{registry.Call{Operation: "PutImage", Tag: "v1", Err: registry.Missing{}, Status: 404, Code: "MANIFEST_BLOB_UNKNOWN"}, `{"imageTag":"v1",` + of + `}`, "", "LayersNotFoundException"},
		{registry.Call{Operation: "PutImage", Tag: "v1", Err: registry.Missing{Images: true}, Status: 404, Code: "MANIFEST_BLOB_UNKNOWN"}, `{"imageTag":"v1",` + of + `}`, "", "ReferencedImagesNotFoundException"},
		{registry.Call{Operation: "PutImage", Tag: "v1", Err: failed, Status: 400, Code: "MANIFEST_INVALID"}, `{"imageTag":"v1",` + of + `}`, "", "InvalidParameterException"},
		{registry.Call{Operation: "BatchDeleteImage", Tag: "v1"}, `{"imageIds":[{"imageTag":"v1"}],` + of + `}`, `{"imageIds":[{"imageTag":"v1"}]}`, ""},
		{registry.Call{Operation: "BatchDeleteImage", Tag: "v1", Err: failed, Status: 404, Code: "MANIFEST_UNKNOWN", Message: "m"}, `{"imageIds":[{"imageTag":"v1"}],` + of + `}`,
			`{"failures":[{"failureCode":"ImageNotFound","failureReason":"m","imageId":{"imageTag":"v1"}}]}`, ""},
		{registry.Call{Operation: "BatchDeleteImage", Digest: image, Err: failed, Status: 409, Code: "DENIED", Message: "m"}, `{"imageIds":[{"imageDigest":"sha256:11"}],` + of + `}`,
			`{"failures":[{"failureCode":"ImageReferencedByManifestList","failureReason":"m","imageId":{"imageDigest":"sha256:11"}}]}`, ""},
		{registry.Call{Operation: "ListImages"}, `{` + of + `}`, "", ""},
	} {
		c.Scope, c.Name = arn.Scope{Partition: "aws", Region: "r", Account: "1"}, "app"
		in, out, failure := Shapes(&c.Call)
		if got := spelled(t, in); !sameJSON(t, got, c.in) {
			t.Errorf("%s: in %s, want %s", c.Operation, got, c.in)
		}
		if got := spelled(t, out); !sameJSON(t, got, c.out) {
			t.Errorf("%s: out %s, want %s", c.Operation, got, c.out)
		}
		code := ""
		if failure != nil {
			code = failure.Code
			if failure.Message != c.Message {
				t.Errorf("%s: message %q", c.Operation, failure.Message)
			}
		}
		if code != c.code {
			t.Errorf("%s (%s): error %q, want %q", c.Operation, c.Code, code, c.code)
		}
	}
}

// spelled is a shape as CloudTrail spells it, "" of none.
func spelled(t *testing.T, shape any) string {
	t.Helper()
	if shape == nil {
		return ""
	}
	return string(awswire.NewCompiler(awswire.LowerCamel).Plan(reflect.TypeOf(shape)).EncodeJSON(shape))
}

func sameJSON(t *testing.T, a, b string) bool {
	t.Helper()
	if a == "" || b == "" {
		return a == b
	}
	var x, y any
	if err := errors.Join(json.Unmarshal([]byte(a), &x), json.Unmarshal([]byte(b), &y)); err != nil {
		t.Fatal(err)
	}
	return reflect.DeepEqual(x, y)
}
