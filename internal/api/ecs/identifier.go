package ecs

import (
	"strings"

	"berth/internal/apierr"
	"berth/internal/arn"
)

// identify reads an ARN that a request gives for a resource of a kind ("service", "container-instance"), and returns what stands behind the
// kind. It must be of the request's account and region. An error is an InvalidParameterException.
func identify(s arn.Scope, kind, name string) (rest string, err error) {
	p, wrong := arn.Parse(name)
	if wrong != nil || p.Service != "ecs" {
		return "", apierr.InvalidParameter("Invalid identifier: %s is not the ARN of a resource of ECS.", name)
	}
	of, rest, _ := strings.Cut(p.Resource, "/")
	switch {
	case p.Account != s.Account:
		return "", apierr.InvalidParameter("Invalid identifier: Identifier is for %s. Your accountId is %s", p.Account, s.Account)
	case p.Region != s.Region:
		return "", apierr.InvalidParameter("Invalid Region in ARN")
	case of != kind:
		return "", apierr.InvalidParameter("Invalid identifier: Identifier is for a %s. The request needs a %s", words(of), words(kind))
	case rest == "":
		return "", separators()
	}
	return rest, nil
}

// inCluster reads an ARN that a request gives for something in one of its clusters, and returns its name or id. ARNs of the old format do not
// say the cluster.
func inCluster(c arn.Cluster, kind, name string) (id string, err error) {
	rest, err := identify(arn.ScopeOf(c), kind, name)
	if err != nil {
		return "", err
	}
	of, id, long := strings.Cut(rest, "/")
	switch {
	case !long:
		return rest, nil
	case of == "" || id == "" || strings.Contains(id, "/"):
		return "", separators()
	case of != c.Name():
		return "", apierr.InvalidParameter("Invalid identifier: Identifier is for cluster %s. Your cluster is %s", of, c.Name())
	}
	return id, nil
}

// short checks a name or an id that is no ARN: whether it can be one, and not whether there is such a resource.
func short(name string) (string, error) {
	if strings.ContainsAny(name, "/:") {
		return "", separators()
	}
	return name, nil
}

func separators() error {
	return apierr.InvalidParameter("Invalid identifier: Unexpected number of separators")
}

// words is the kind of a resource as texts say it.
func words(kind string) string { return strings.ReplaceAll(kind, "-", " ") }
