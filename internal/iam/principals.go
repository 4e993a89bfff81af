package iam

import (
	"time"

	"berth/internal/record"
)

// Entity is what users, groups and roles have in common.
type Entity struct {
	Account    string
	Name       string
	ID         string `json:"id"` // AIDA..., AGPA... or AROA..., never given twice: what a session or a trust of an older one means is gone with it
	Path       string // begins and ends with a slash
	CreateDate time.Time
	Inline     []Inline // policies embedded in it, by name
	Attached   []string // ARNs of managed policies, in the order of attachment
	Boundary   string   // ARN of the managed policy that bounds it; not of groups
	Tags       []Tag
}

// Inline is an inline policy.
type Inline struct{ Name, Document string }

// User is an IAM user. Written by: api/iam.
type User struct {
	Entity
	Groups  []string // names
	Unknown Unknown
}

// Kind and Key make a User a record.
func (*User) Kind() record.Kind { return KindUser }
func (u *User) Key() string     { return Key(u.Account, u.Name) }

// ARN is the user's.
func (u *User) ARN() string { return ARN(u.Account, "user", u.Path, u.Name) }

// Group is an IAM group. Its members are the users that name it. Written by: api/iam.
type Group struct {
	Entity
	Unknown Unknown
}

// Kind and Key make a Group a record.
func (*Group) Kind() record.Kind { return KindGroup }
func (g *Group) Key() string     { return Key(g.Account, g.Name) }

// ARN is the group's.
func (g *Group) ARN() string { return ARN(g.Account, "group", g.Path, g.Name) }

// ServiceLinkedPath is what the path of service-linked roles begins with; the service's name follows: ecs.amazonaws.com/.
const ServiceLinkedPath = "/aws-service-role/"

// Role is an IAM role. Written by: api/iam.
type Role struct {
	Entity
	Trust       string // its trust policy (AssumeRolePolicyDocument)
	Description string
	MaxSession  int32 // seconds, 3600 to 43200

	LastUsedDate   time.Time // of the last use that was written down, and where; zero for never
	LastUsedRegion string

	Unknown Unknown
}

// Kind and Key make a Role a record.
func (*Role) Kind() record.Kind { return KindRole }
func (r *Role) Key() string     { return Key(r.Account, r.Name) }

// ARN is the role's.
func (r *Role) ARN() string { return ARN(r.Account, "role", r.Path, r.Name) }

// InstanceProfile hands a role to container instances. Written by: api/iam.
type InstanceProfile struct {
	Account    string
	Name       string
	ID         string `json:"id"` // AIPA...
	Path       string
	Role       string // name, "" for none; AWS allows one
	CreateDate time.Time
	Tags       []Tag
	Unknown    Unknown
}

// Kind and Key make an InstanceProfile a record.
func (*InstanceProfile) Kind() record.Kind { return KindInstanceProfile }
func (p *InstanceProfile) Key() string     { return Key(p.Account, p.Name) }

// ARN is the instance profile's.
func (p *InstanceProfile) ARN() string {
	return ARN(p.Account, "instance-profile", p.Path, p.Name)
}

// AccessKey is a long-term key of a user. Written by: api/iam and, for the installation's administrator, access.
type AccessKey struct {
	AccessKeyID  string `json:"accessKeyId"` // AKIA...
	SealedSecret []byte // bound to AccessKeyID
	Account      string
	UserName     string
	Inactive     bool
	CreateDate   time.Time
	LastUsedDate time.Time // of the last use that was written down, and what for; zero for never

	LastUsedService, LastUsedRegion string

	Unknown Unknown
}

// Kind and Key make an AccessKey a record.
func (*AccessKey) Kind() record.Kind { return KindAccessKey }
func (k *AccessKey) Key() string     { return k.AccessKeyID }

// OIDCProvider is an OpenID Connect identity provider that an account trusts. Written by: api/iam.
type OIDCProvider struct {
	Account     string
	URL         string   `json:"url"`        // without https://
	Plain       bool     `json:",omitempty"` // it is reached by http, on the loopback device
	ClientIDs   []string `json:"clientIds"`
	Thumbprints []string
	CreateDate  time.Time
	Tags        []Tag
	Unknown     Unknown
}

// Kind and Key make an OIDCProvider a record.
func (*OIDCProvider) Kind() record.Kind { return KindOIDCProvider }
func (p *OIDCProvider) Key() string     { return p.ARN() }

// ARN is the provider's.
func (p *OIDCProvider) ARN() string {
	return "arn:aws:iam::" + p.Account + ":oidc-provider/" + p.URL
}

// RoleDeletion is how the deletion of a service-linked role ended. Written by: api/iam, which keeps it for a day.
type RoleDeletion struct {
	Task       string // "task/aws-service-role/SERVICE/ROLE/UUID"
	Account    string
	RoleName   string
	CreateDate time.Time
	Reason     string   // why it failed, "" for a deletion that succeeded
	Region     string   // where the service still uses the role
	Resources  []string // ARNs of what uses it
	Unknown    Unknown
}

// Kind and Key make a RoleDeletion a record.
func (*RoleDeletion) Kind() record.Kind { return KindRoleDeletion }
func (d *RoleDeletion) Key() string     { return d.Account + "/" + d.Task }
