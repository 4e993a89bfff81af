package ecr

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"berth/internal/apierr"
	"berth/internal/ecr"
)

// invalid says that a member of a request is not as it must be.
func invalid(member, format string, args ...any) error {
	return invalidParameter("Invalid parameter at '%s' failed to satisfy constraint: '%s'", member, fmt.Sprintf(format, args...))
}

func invalidParameter(format string, args ...any) error {
	return apierr.New("InvalidParameterException", format, args...)
}

// about is a repository as errors name it.
type about struct{ name, account string }

func (b about) notFound() error {
	return apierr.New("RepositoryNotFoundException", "The repository with name '%s' does not exist in the registry with id '%s'", b.name, b.account)
}

func (b about) exists() error {
	return apierr.New("RepositoryAlreadyExistsException", "The repository with name '%s' already exists in the registry with id '%s'", b.name, b.account)
}

func (b about) notEmpty() error {
	return apierr.New("RepositoryNotEmptyException", "The repository with name '%s' in registry with id '%s' cannot be deleted because it still contains images", b.name, b.account)
}

func (b about) noPolicy() error {
	return apierr.New("RepositoryPolicyNotFoundException", "Repository policy does not exist for the repository with name '%s' in the registry with id '%s'", b.name, b.account)
}

func (b about) noLifecycle() error {
	return apierr.New("LifecyclePolicyNotFoundException", "Lifecycle policy does not exist for the repository with name '%s' in the registry with id '%s'", b.name, b.account)
}

func (b about) noImage(id types.ImageIdentifier) error {
	return apierr.New("ImageNotFoundException", "The image with imageId {imageDigest:'%s', imageTag:'%s'} does not exist within the repository with name '%s' in the registry with id '%s'",
		orNull(id.ImageDigest), orNull(id.ImageTag), b.name, b.account)
}

func orNull(text *string) string {
	if text == nil {
		return "null"
	}
	return *text
}

// check finds what is wrong with a request first.
type check struct{ err error }

func (c *check) fail(member, format string, args ...any) {
	if c.err == nil {
		c.err = invalid(member, format, args...)
	}
}

// first keeps an error that was found elsewhere.
func (c *check) first(err error) {
	if c.err == nil {
		c.err = err
	}
}

// text wants a text that is there to have so many characters.
func (c *check) text(member string, value *string, least, most int) {
	if value == nil {
		return
	}
	if n := len([]rune(*value)); n < least || n > most {
		c.fail(member, "length must be between %d and %d", least, most)
	}
}

func (c *check) needed(member string, value *string, least, most int) {
	if value == nil {
		c.fail(member, "must not be null")
	}
	c.text(member, value, least, most)
}

// count wants a list that is there to have so many items.
func (c *check) count(member string, there bool, n, least, most int) {
	if there && (n < least || n > most) {
		c.fail(member, "size must be between %d and %d", least, most)
	}
}

func (c *check) page(most *int32) {
	if most == nil {
		return
	}
	if n := *most; n < 1 || n > mostListed {
		c.fail("maxResults", "must be between 1 and %d", mostListed)
	}
}

// enum wants a value, if there is one, to be of its type.
func enum[E ~string](c *check, member string, value E, all []E) {
	if value != "" && !slices.Contains(all, value) {
		texts := make([]string, len(all))
		for i, one := range all {
			texts[i] = string(one)
		}
		slices.Sort(texts)
		c.fail(member, "Member must satisfy enum value set: [%s]", strings.Join(texts, ", "))
	}
}

// repository looks at what names a repository.
func (c *check) repository(registryID, name *string) {
	c.registry(registryID)
	c.needed("repositoryName", name, ecr.LeastName, ecr.MostName)
	if c.err == nil && !ecr.ValidName(*name) {
		c.fail("repositoryName", "must satisfy regular expression '%s'", ecr.NamePattern)
	}
}

func (c *check) registry(id *string) {
	if id != nil && !accountForm.MatchString(aws.ToString(id)) {
		c.fail("registryId", "must satisfy regular expression '[0-9]{12}'")
	}
}
