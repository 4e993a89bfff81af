package ec2

import (
	"context"
	"strings"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/frontdoor"
	"berth/internal/state"
	"berth/internal/vpc"
)

type createSecurityGroupInput struct {
	DryRun            *bool
	GroupDescription  *string
	GroupName         *string
	TagSpecifications []TagSpecification `json:"TagSpecification"`
	VpcId             *string
}

type createSecurityGroupOutput struct {
	GroupId          string
	Return           bool
	SecurityGroupArn string
	TagSet           []Tag
}

// createSecurityGroup makes a security group that lets everything out and nothing in.
func (a *API) createSecurityGroup(ctx context.Context, r *frontdoor.Request, in *createSecurityGroupInput) (*createSecurityGroupOutput, error) {
	name := strings.TrimRight(text(in.GroupName), " ")
	if err := groupName(name); err != nil {
		return nil, err
	}
	switch description := text(in.GroupDescription); {
	case description == "":
		return nil, missing("GroupDescription")
	case !vpc.Describes(description):
		return nil, invalid("Invalid security group description. Valid descriptions are strings less than 256 characters from the following set:  a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*")
	}
	tags, err := tagsFor("security-group", in.TagSpecifications)
	if err != nil {
		return nil, err
	}
	out := &createSecurityGroupOutput{}
	return out, a.store.Update(ctx, func(tx *state.Tx) error {
		v, err := vpcOrDefault(tx.Tables, r.Scope, in.VpcId)
		if err != nil {
			return err
		}
		if groupNamed(tx.Tables, r.Scope, v.ID(), name) != nil {
			return apierr.New("InvalidGroup.Duplicate", "The security group '%s' already exists for VPC '%s'", name, v.ID())
		}
		if count(securityGroupsOf(tx.Tables, r.Scope)) >= mostSecurityGroups {
			return limit("SecurityGroup", "security groups")
		}
		g := newGroup(r.Scope, v.ID(), name, *in.GroupDescription)
		g.Tags = tags
		tx.Put(g)
		*out = createSecurityGroupOutput{GroupId: g.ID(), Return: true, SecurityGroupArn: g.Arn, TagSet: shown(tags)}
		return nil
	})
}

// newGroup is a security group that lets everything out.
func newGroup(s arn.Scope, vpcID vpc.ID, name, description string) *vpc.SecurityGroup {
	return &vpc.SecurityGroup{
		Arn: vpc.ARN(s, vpc.KindSecurityGroup, newID("sg-")), GroupName: name, Description: description, VpcID: vpcID, CreatedAt: now(),
		Rules: []vpc.Rule{{ID: newID("sgr-"), Egress: true, Protocol: vpc.AllProtocols, FromPort: -1, ToPort: -1, CidrIPv4: "0.0.0.0/0"}},
	}
}

// groupName checks the name of a new security group.
func groupName(name string) error {
	switch {
	case name == "":
		return missing("GroupName")
	case strings.EqualFold(name, defaultGroup):
		return invalid("Cannot use reserved security group name: %s", name)
	case strings.HasPrefix(name, "sg-"):
		return invalid("Value (%.255s) for parameter GroupName is invalid. Group names may not be in the format sg-*.", name)
	case strings.IndexFunc(name, func(c rune) bool { return c > 127 }) >= 0:
		return invalid("Value (%.255s) for parameter GroupName is invalid. Character sets beyond ASCII are not supported.", name)
	case !vpc.Describes(name):
		return invalid("Invalid security group name. Valid names are strings less than 256 characters from the following set:  a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*")
	}
	return nil
}

// vpcOrDefault finds the VPC that a request names, or the default VPC where it names none.
func vpcOrDefault(t *state.Tables, s arn.Scope, id *string) (*vpc.VPC, error) {
	if text(id) != "" {
		return findVPC(t, s, *id)
	}
	if v := defaultVPC(t, s); v != nil {
		return v, nil
	}
	return nil, noDefaultVPC()
}
