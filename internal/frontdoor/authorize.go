package frontdoor

import (
	"net"
	"strconv"
	"time"

	"berth/internal/apierr"
	"berth/internal/policy"
)

// Question is what policies are asked: may the caller do Action on Resource?
type Question struct {
	Action   string         // "iam:PassRole"
	Resource string         // an ARN, or "*" for no one resource
	Keys     policy.Context // the condition keys that only this question has; nil for none
	// ResourcePolicy is the resource-based policy of the resource, nil if it has none; Trust says that it is a role's trust policy.
	ResourcePolicy *policy.Set
	Trust          bool
	Owner          string // the account whose the resource is, "" for the one that its ARN names
}

// Decision is a question that was asked, and the answer.
type Decision struct {
	Action, Resource string
	Verdict          policy.Verdict
}

// Authorize asks the caller's policies, in AWS's words where they say no. It is for operations whose parameters need more than their own action; the door
// asks about that one.
func (r *Request) Authorize(q Question) *apierr.Error {
	v := policy.Decide(policy.Request{
		Principal: &r.Caller, Action: q.Action, Resource: q.Resource, Context: policy.Chain{q.Keys, r.Keys},
		ResourcePolicy: q.ResourcePolicy, Trust: q.Trust, Owner: q.Owner,
	})
	r.Decisions = append(r.Decisions, Decision{q.Action, q.Resource, v})
	if v.Decision == policy.Allowed {
		return nil
	}
	return apierr.New("AccessDeniedException", "%s", v.Text(r.Caller.ARN, q.Action, q.Resource))
}

// authorize asks the policies about an operation: its action on each of its resources, and what else it needs.
func (c *call) authorize(r *Request, in any) *apierr.Error {
	r.Keys = policy.Chain{r.Keys, c.keys(r, in)}
	for _, resource := range c.resources(r, in) {
		q := Question{Action: c.action, Resource: resource, Owner: r.Caller.Account} // whose it really is, the operation says
		if c.ResourcePolicy != nil {
			q.ResourcePolicy, q.Owner = c.ResourcePolicy(r, resource), ""
		}
		if c.tags != nil && resource != "*" {
			q.Keys = resourceTags{c.service, resource, c.tags}
		}
		if e := r.Authorize(q); e != nil {
			return e
		}
	}
	if c.Also == nil {
		return nil
	}
	for _, q := range c.Also(r, in) {
		if e := r.Authorize(q); e != nil {
			return e
		}
	}
	return nil
}

// keys are the condition keys that follow from an operation's input: the operation's own, and the tags that it asks for.
func (c *call) keys(r *Request, in any) policy.Context {
	var own policy.Context
	if c.Keys != nil {
		own = c.Keys(r, in)
	}
	if c.requestTags == nil {
		return own
	}
	return policy.Chain{own, requestTags{in, c.requestTags}}
}

// resources are what the policy is asked about, "*" if the operation is about no one resource.
func (c *call) resources(r *Request, in any) []string {
	if c.Resources != nil {
		if named := c.Resources(r, in); len(named) > 0 {
			return named
		}
	}
	return []string{"*"}
}

// about is the first resource that policies were asked about, "" for no one resource.
func (r *Request) about() string {
	if len(r.Decisions) == 0 || r.Decisions[0].Resource == "*" {
		return ""
	}
	return r.Decisions[0].Resource
}

// circumstances are the condition keys of every request.
type circumstances struct {
	x   *exchange
	now time.Time
}

// Values implements policy.Context.
func (c circumstances) Values(key string) []string {
	switch key {
	case "aws:currenttime":
		return []string{c.now.UTC().Format(time.RFC3339)}
	case "aws:epochtime":
		return []string{strconv.FormatInt(c.now.Unix(), 10)}
	case "aws:sourceip":
		return sourceIP(c.x.r.RemoteAddr)
	case "aws:securetransport":
		return []string{strconv.FormatBool(c.x.r.TLS != nil)}
	case "aws:requestedregion":
		return []string{c.x.region()}
	case "aws:useragent":
		return header(c.x.r.UserAgent())
	case "aws:referer":
		return header(c.x.r.Referer())
	case "aws:viaawsservice":
		return []string{"false"}
	case "aws:tokenissuetime":
		if !c.x.issued.IsZero() {
			return []string{c.x.issued.UTC().Format(time.RFC3339)}
		}
	}
	return nil
}

func sourceIP(address string) []string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil
	}
	return []string{host}
}

func header(value string) []string {
	if value == "" {
		return nil
	}
	return []string{value}
}
