package ecs

import (
	"strings"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
)

// containerNetwork checks what a container says of the network against the task's network mode.
func containerNetwork(in *awsecs.RegisterTaskDefinitionInput, c *types.ContainerDefinition) error {
	mode := in.NetworkMode
	if len(c.Links) > 0 && mode != "" && mode != types.NetworkModeBridge {
		return apierr.ClientException("Links are not supported when networkMode=%s.", mode)
	}
	if len(c.PortMappings) > 0 && mode == types.NetworkModeNone {
		return apierr.ClientException("Port mappings are not supported when networkMode=none.")
	}
	for _, h := range c.ExtraHosts {
		if blank(h.Hostname) || blank(h.IpAddress) {
			return apierr.ClientException("Invalid 'extraHosts' setting for container '%s': hostname and ipAddress should not be null or empty.", *c.Name)
		}
	}
	if mode != types.NetworkModeAwsvpc {
		return nil
	}
	switch {
	case c.Hostname != nil:
		return apierr.ClientException("hostname is not supported on container when networkMode=awsvpc")
	case len(c.ExtraHosts) > 0:
		return apierr.ClientException("Extra hosts are not supported on container when networkMode=awsvpc")
	case len(c.DnsServers) > 0:
		return apierr.ClientException("DNS servers are not supported on container when networkMode=awsvpc")
	case len(c.DnsSearchDomains) > 0:
		return apierr.ClientException("DNS search domains are not supported on container when networkMode=awsvpc")
	case yes(c.DisableNetworking):
		return apierr.ClientException("Disable Networking is not supported on container when networkMode=awsvpc")
	}
	return nil
}

// definitionLinks checks that links name containers of the task.
func definitionLinks(in *awsecs.RegisterTaskDefinitionInput) error {
	for i := range in.ContainerDefinitions {
		for _, link := range in.ContainerDefinitions[i].Links {
			if name := linked(link); findContainer(in, name) == nil {
				return apierr.ClientException("Invalid 'links' setting. Unknown container: '%s'", name)
			}
		}
	}
	return nil
}

// linked is the container of a link, "name" or "name:alias".
func linked(link string) string {
	name, _, _ := strings.Cut(link, ":")
	return name
}
