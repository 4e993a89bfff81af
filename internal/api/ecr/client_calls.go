package ecr

import (
	"errors"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecr "github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"berth/internal/apierr"
	"berth/internal/registry"
)

// Shapes are what a client of the registry did, as the operation that it stands for: pointers to its input and its output, and its error. There is no output of
// what only reads and of what failed. Manifests are left out.
func Shapes(c *registry.Call) (in, out any, failure *apierr.Error) {
	in, out = shapes(c)
	if failure = failureOf(c); failure != nil {
		out = nil
	}
	return in, out, failure
}

func shapes(c *registry.Call) (in, out any) {
	account, name, upload := &c.Scope.Account, &c.Name, orNil(c.Upload)
	image := types.ImageIdentifier{ImageDigest: orNil(c.Digest.String()), ImageTag: orNil(c.Tag)}
	var layers []string
	if c.Digest != "" {
		layers = []string{c.Digest.String()}
	}
	switch c.Operation {
	case "BatchGetImage":
		return &awsecr.BatchGetImageInput{RegistryId: account, RepositoryName: name, ImageIds: []types.ImageIdentifier{image}}, nil
	case "BatchDeleteImage":
		return &awsecr.BatchDeleteImageInput{RegistryId: account, RepositoryName: name, ImageIds: []types.ImageIdentifier{image}}, deleted(c, image)
	case "BatchCheckLayerAvailability":
		return &awsecr.BatchCheckLayerAvailabilityInput{RegistryId: account, RepositoryName: name, LayerDigests: layers}, nil
	case "GetDownloadUrlForLayer":
		return &awsecr.GetDownloadUrlForLayerInput{RegistryId: account, RepositoryName: name, LayerDigest: orNil(c.Digest.String())}, nil
	case "InitiateLayerUpload":
		return &awsecr.InitiateLayerUploadInput{RegistryId: account, RepositoryName: name}, &awsecr.InitiateLayerUploadOutput{UploadId: upload}
	case "UploadLayerPart":
		return &awsecr.UploadLayerPartInput{RegistryId: account, RepositoryName: name, UploadId: upload},
			&awsecr.UploadLayerPartOutput{RegistryId: account, RepositoryName: name, UploadId: upload}
	case "CompleteLayerUpload":
		return &awsecr.CompleteLayerUploadInput{RegistryId: account, RepositoryName: name, UploadId: upload, LayerDigests: layers},
			&awsecr.CompleteLayerUploadOutput{RegistryId: account, RepositoryName: name, UploadId: upload, LayerDigest: orNil(c.Digest.String())}
	case "PutImage":
		return &awsecr.PutImageInput{RegistryId: account, RepositoryName: name, ImageTag: image.ImageTag, ImageDigest: image.ImageDigest},
			&awsecr.PutImageOutput{Image: &types.Image{RegistryId: account, RepositoryName: name, ImageId: &image}}
	case "ListImages":
		return &awsecr.ListImagesInput{RegistryId: account, RepositoryName: name}, nil
	}
	return nil, nil
}

// deleted is the answer of BatchDeleteImage, which names in itself what was not deleted.
func deleted(c *registry.Call, image types.ImageIdentifier) *awsecr.BatchDeleteImageOutput {
	if c.Err == nil {
		return &awsecr.BatchDeleteImageOutput{ImageIds: []types.ImageIdentifier{image}}
	}
	code := types.ImageFailureCodeImageNotFound
	if c.Status == http.StatusConflict {
		code = types.ImageFailureCodeImageReferencedByManifestList
	}
	return &awsecr.BatchDeleteImageOutput{Failures: []types.ImageFailure{{ImageId: &image, FailureCode: code, FailureReason: &c.Message}}}
}

func orNil(text string) *string {
	if text == "" {
		return nil
	}
	return aws.String(text)
}

// failureOf is the error of a call in ECR's words, nil where it was done, and where ECR's answer is one that says what is not there.
func failureOf(c *registry.Call) *apierr.Error {
	if c.Err == nil {
		return nil
	}
	if c.Status >= http.StatusInternalServerError {
		return apierr.Unavailable("%s", c.Message).Because(c.Err)
	}
	if code := exception(c); code != "" {
		return apierr.New(code, "%s", c.Message)
	}
	return nil
}

// exception is ECR's name of what a client was told, "" of what its answer says without an error.
func exception(c *registry.Call) string {
	var missing registry.Missing
	switch c.Code {
	case "MANIFEST_UNKNOWN":
		return ""
	case "DENIED":
		if c.Status == http.StatusConflict {
			return ""
		}
		return "AccessDeniedException"
	case "NAME_UNKNOWN":
		return "RepositoryNotFoundException"
	case "BLOB_UNKNOWN":
		if c.Operation == "BatchCheckLayerAvailability" {
			return ""
		}
		return "LayersNotFoundException"
	case "BLOB_UPLOAD_UNKNOWN":
		return "UploadNotFoundException"
	case "BLOB_UPLOAD_INVALID":
		return "InvalidLayerPartException"
	case "MANIFEST_BLOB_UNKNOWN":
		if errors.As(c.Err, &missing) && missing.Images {
			return "ReferencedImagesNotFoundException"
		}
		return "LayersNotFoundException"
	case "TAG_INVALID":
		if errors.Is(c.Err, registry.ErrTagTaken) {
			return "ImageTagAlreadyExistsException"
		}
	case "DIGEST_INVALID":
		if c.Operation == "CompleteLayerUpload" {
			return "InvalidLayerException"
		}
		if errors.Is(c.Err, registry.ErrOtherDigest) {
			return "ImageDigestDoesNotMatchException"
		}
	}
	return "InvalidParameterException"
}
