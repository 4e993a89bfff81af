package ecs

import (
	"slices"
	"strings"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
)

// containerSecrets checks where secrets come from. AWS reads them as the execution role.
func containerSecrets(in *awsecs.RegisterTaskDefinitionInput, c *types.ContainerDefinition) error {
	if err := secretsFault(in, c.Secrets, "secrets", *c.Name); err != nil {
		return err
	}
	names := map[string]bool{}
	for _, v := range c.Environment {
		names[text(v.Name)] = true
	}
	for _, s := range c.Secrets {
		if names[*s.Name] {
			return apierr.ClientException("%s", sharedName(*s.Name))
		}
		names[*s.Name] = true
	}
	switch r := c.RepositoryCredentials; {
	case r == nil:
	case blank(r.CredentialsParameter):
		return apierr.ClientException("Invalid 'repositoryCredentials' setting for container '%s': credentialsParameter should not be null or empty.", *c.Name)
	case blank(in.ExecutionRoleArn):
		return apierr.ClientException("Private repository authentication requires that the task definition specify a value for executionRoleArn.")
	}
	return nil
}

// secretsFault checks secrets of one member, each by itself, and that there is a role to read them.
func secretsFault(in *awsecs.RegisterTaskDefinitionInput, list []types.Secret, member, container string) error {
	for _, s := range list {
		if blank(s.Name) || blank(s.ValueFrom) {
			return apierr.ClientException("Invalid '%s' setting for container '%s': name and valueFrom should not be null or empty.", member, container)
		}
		if strings.ContainsAny(*s.Name, "=\x00\r\n") {
			return apierr.ClientException("Invalid '%s' setting for container '%s': the name %q contains invalid characters.", member, container, *s.Name)
		}
	}
	if len(list) > 0 && blank(in.ExecutionRoleArn) {
		return apierr.ClientException("When you are specifying container secrets, you must also specify a value for 'executionRoleArn'.")
	}
	return nil
}

// sharedName is AWS's text for a variable that is a secret and something else too.
func sharedName(name string) string {
	return "The secret name must be unique and not shared with any new or existing environment variables set on the container, such as '" + name + "'."
}

// logSecrets checks the options of a log driver that are secrets: it takes its own, as of its other options.
func logSecrets(in *awsecs.RegisterTaskDefinitionInput, c *types.ContainerDefinition) error {
	l := c.LogConfiguration
	if l == nil {
		return nil
	}
	if err := secretsFault(in, l.SecretOptions, "logConfiguration.secretOptions", *c.Name); err != nil {
		return err
	}
	own, is := logOptions(l.LogDriver)
	seen := map[string]bool{}
	for _, s := range l.SecretOptions {
		_, plain := l.Options[*s.Name]
		switch {
		case is && !slices.Contains(own, *s.Name):
			return apierr.ClientException("Log driver %s disallows options: %s", l.LogDriver, *s.Name)
		case plain || seen[*s.Name]:
			return apierr.ClientException("Invalid 'logConfiguration.secretOptions' setting for container '%s': the option '%s' is given more than once.", *c.Name, *s.Name)
		}
		seen[*s.Name] = true
	}
	return nil
}

// sharedSecret is a secret of a container that an override makes a variable too, "" where there is none.
func sharedSecret(o *types.ContainerOverride, c *types.ContainerDefinition) string {
	for _, v := range o.Environment {
		if slices.ContainsFunc(c.Secrets, func(s types.Secret) bool { return text(s.Name) == text(v.Name) }) {
			return text(v.Name)
		}
	}
	return ""
}
