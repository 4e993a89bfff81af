// Package arn names things as AWS does: parses, builds and takes apart the ARNs of ECS resources.
package arn

import (
	"fmt"
	"strings"
)

// Scope is where a request is at home: the partition, region and account that its short names belong to.
type Scope struct{ Partition, Region, Account string }

// The identities of ECS resources. Each is a whole ARN in the long format (cluster name inside).
type (
	Cluster        string // arn:aws:ecs:R:A:cluster/NAME
	Service        string // arn:aws:ecs:R:A:service/CLUSTER/NAME
	Task           string // arn:aws:ecs:R:A:task/CLUSTER/ID
	Instance       string // arn:aws:ecs:R:A:container-instance/CLUSTER/ID
	TaskDefinition string // arn:aws:ecs:R:A:task-definition/FAMILY:REVISION
)

// Pool is the cluster of the members of Fargate's pool. It is no account's, so that no request reaches it.
const (
	Pool        Cluster = "arn:aws:ecs::" + PoolAccount + ":cluster/fargate"
	PoolAccount         = "berth"
)

func (s Scope) arn(resource string) string {
	partition := s.Partition
	if partition == "" {
		partition = "aws"
	}
	return "arn:" + partition + ":ecs:" + s.Region + ":" + s.Account + ":" + resource
}

// Cluster returns the ARN of the cluster called name.
func (s Scope) Cluster(name string) Cluster { return Cluster(s.arn("cluster/" + name)) }

// TaskDefinition returns the ARN of one revision of a family.
func (s Scope) TaskDefinition(family string, revision int) TaskDefinition {
	return TaskDefinition(s.arn(fmt.Sprintf("task-definition/%s:%d", family, revision)))
}

// Parsed is an ARN taken apart. Resource is everything after the account.
type Parsed struct {
	Scope
	Service, Resource string
}

// Parse takes an ARN apart. It fails unless there are six parts and the first is "arn".
func Parse(s string) (Parsed, error) {
	p := strings.SplitN(s, ":", 6)
	if len(p) != 6 || p[0] != "arn" || p[1] == "" || p[2] == "" || p[5] == "" {
		return Parsed{}, fmt.Errorf("parse %q: not an ARN", s)
	}
	return Parsed{Scope: Scope{Partition: p[1], Region: p[3], Account: p[4]}, Service: p[2], Resource: p[5]}, nil
}

// Is reports whether s has the form of an ARN, so that it is no short name.
func Is(s string) bool { return strings.HasPrefix(s, "arn:") }

// Resource splits the resource of an ECS ARN into its type and the rest: "task", "demo/0123".
func Resource(s string) (kind, rest string, ok bool) {
	p, err := Parse(s)
	if err != nil || p.Service != "ecs" {
		return "", "", false
	}
	return strings.Cut(p.Resource, "/")
}

// scope is the part of an ARN up to and with the colon before the resource; rest is the resource after its type.
func scope(s string) (prefix, rest string) {
	i := 0
	for n := 0; n < 5; n++ {
		j := strings.IndexByte(s[i:], ':')
		if j < 0 {
			return "", s
		}
		i += j + 1
	}
	_, rest, _ = strings.Cut(s[i:], "/")
	return s[:i], rest
}

// ScopeOf returns the partition, region and account of any of the ARNs above.
func ScopeOf[A ~string](a A) Scope {
	p, err := Parse(string(a))
	if err != nil {
		return Scope{}
	}
	return p.Scope
}

// last is the last path element.
func last(s string) string { return s[strings.LastIndexByte(s, '/')+1:] }

// Name is the cluster's short name.
func (c Cluster) Name() string { return last(string(c)) }

// Service returns the ARN of the cluster's service called name.
func (c Cluster) Service(name string) Service { return Service(c.child("service", name)) }

// Task returns the ARN of the cluster's task with that id.
func (c Cluster) Task(id string) Task { return Task(c.child("task", id)) }

// Instance returns the ARN of the cluster's container instance with that id.
func (c Cluster) Instance(id string) Instance { return Instance(c.child("container-instance", id)) }

func (c Cluster) child(kind, id string) string {
	prefix, name := scope(string(c))
	return prefix + kind + "/" + name + "/" + id
}

func clusterOf(s string) Cluster {
	prefix, rest := scope(s)
	name, _, _ := strings.Cut(rest, "/")
	return Cluster(prefix + "cluster/" + name)
}

// Cluster is the cluster that the service belongs to.
func (s Service) Cluster() Cluster { return clusterOf(string(s)) }

// Name is the service's short name.
func (s Service) Name() string { return last(string(s)) }

// Cluster is the cluster that the task belongs to.
func (t Task) Cluster() Cluster { return clusterOf(string(t)) }

// ID is the task's id, 32 hexadecimal digits.
func (t Task) ID() string { return last(string(t)) }

// Container returns the ARN of the task's container with that id.
func (t Task) Container(id string) string {
	prefix, rest := scope(string(t))
	return prefix + "container/" + rest + "/" + id
}

// Attachment returns the ARN of the task's attachment with that id.
func (t Task) Attachment(id string) string {
	prefix, _ := scope(string(t))
	return prefix + "attachment/" + id
}

// Cluster is the cluster that the container instance belongs to.
func (i Instance) Cluster() Cluster { return clusterOf(string(i)) }

// ID is the container instance's id, 32 hexadecimal digits.
func (i Instance) ID() string { return last(string(i)) }

// Family and Revision are the parts of a task definition's name; Revision is 0 where there is none.
func (d TaskDefinition) Family() string { f, _ := d.parts(); return f }

// Revision is the number after the colon.
func (d TaskDefinition) Revision() int { _, r := d.parts(); return r }

// FamilyRevision is the short name "family:revision".
func (d TaskDefinition) FamilyRevision() string { return last(string(d)) }

func (d TaskDefinition) parts() (string, int) {
	family, rev, _ := strings.Cut(last(string(d)), ":")
	n := 0
	for _, c := range rev {
		if c < '0' || c > '9' {
			return family, 0
		}
		n = n*10 + int(c-'0')
	}
	return family, n
}
