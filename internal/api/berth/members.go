package berth

import (
	"context"
	"errors"
	"time"

	"berth/internal/apierr"
	"berth/internal/frontdoor"
)

// Replicas is the cluster that the replicas of a control plane form. Where they keep their store elsewhere, they form none.
type Replicas interface {
	// Fingerprint tells the installation's certificate authority from every other.
	Fingerprint() string
	// Members lists the replicas; ErrNotClustered where they form no cluster.
	Members(ctx context.Context) ([]Member, error)
	// Remove takes a member out of the cluster for good: ErrMember if there is no such member, ErrLeads if it leads, ErrUnsettled if
	// the cluster would be too small or is changing.
	Remove(ctx context.Context, id string) error
}

// The errors of Replicas that callers are told of.
var (
	ErrNotClustered = errors.New("the replicas form no cluster of their own")
	ErrMember       = errors.New("there is no such member")
	ErrLeads        = errors.New("the member leads")
	ErrUnsettled    = errors.New("the cluster cannot lose a member now")
)

// The roles of members.
const (
	RoleLeader     = "leader"
	RoleFollower   = "follower"
	RoleLearner    = "learner"     // catches up, does not count yet
	RoleAway       = "unreachable" // belongs to the cluster and does not answer
	RoleNotStarted = "not started" // was let in with a token, and has not been heard of since
)

// Member is a replica of the control plane.
type Member struct {
	Id          string
	Name        string
	Role        string
	Address     string // where clients reach it
	PeerAddress string // where the other members do
}

// CreateMemberTokenInput has no members.
type CreateMemberTokenInput struct{}

// CreateMemberTokenOutput is a token for one replica.
type CreateMemberTokenOutput struct {
	Token     string
	ExpiresAt time.Time
}

func (a *API) createMemberToken(ctx context.Context, _ *frontdoor.Request, _ *CreateMemberTokenInput) (*CreateMemberTokenOutput, error) {
	if _, err := a.Replicas.Members(ctx); err != nil {
		return nil, memberError(err)
	}
	token, expires, err := a.Keys.NewMemberToken(ctx, a.Replicas.Fingerprint())
	if err != nil {
		return nil, err
	}
	return &CreateMemberTokenOutput{token, expires}, nil
}

// ListMembersInput has no members.
type ListMembersInput struct{}

// ListMembersOutput are all replicas.
type ListMembersOutput struct{ Members []Member }

func (a *API) listMembers(ctx context.Context, _ *frontdoor.Request, _ *ListMembersInput) (*ListMembersOutput, error) {
	list, err := a.Replicas.Members(ctx)
	if err != nil {
		return nil, memberError(err)
	}
	return &ListMembersOutput{list}, nil
}

// RemoveMemberInput names a member.
type RemoveMemberInput struct{ Id *string }

// RemoveMemberOutput has no members.
type RemoveMemberOutput struct{}

func (a *API) removeMember(ctx context.Context, _ *frontdoor.Request, in *RemoveMemberInput) (*RemoveMemberOutput, error) {
	if in.Id == nil || *in.Id == "" {
		return nil, apierr.InvalidParameter("id must name a member.")
	}
	if err := a.Replicas.Remove(ctx, *in.Id); err != nil {
		return nil, memberError(err)
	}
	return &RemoveMemberOutput{}, nil
}

func memberError(err error) error {
	switch {
	case errors.Is(err, ErrNotClustered):
		return apierr.InvalidParameter("The replicas of this control plane form no cluster of their own. Start the server with --cluster-init to begin one.").Because(err)
	case errors.Is(err, ErrMember):
		return apierr.InvalidParameter("There is no such member; `berth server members list` shows all.").Because(err)
	case errors.Is(err, ErrLeads):
		return apierr.InvalidParameter("This member leads. Let another one take over first, with `berth server --drain` on its machine.").Because(err)
	case errors.Is(err, ErrUnsettled):
		return apierr.Unavailable("The cluster cannot lose a member right now: too few others are connected, or have been for less than some seconds. Try again.").Because(err)
	}
	return err
}
