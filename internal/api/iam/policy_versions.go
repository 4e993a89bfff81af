package iam

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"berth/internal/frontdoor"
	"berth/internal/iam"
	"berth/internal/state"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

func (a *API) createPolicyVersion(
	ctx context.Context, r *frontdoor.Request, in *awsiam.CreatePolicyVersionInput,
) (*awsiam.CreatePolicyVersionOutput, error) {
	if err := managedDocument(*in.PolicyDocument); err != nil {
		return nil, err
	}
	var shape types.PolicyVersion
	err := a.changePolicy(ctx, r.Scope.Account, *in.PolicyArn, func(_ *state.Tx, p *iam.Policy) error {
		if len(p.Versions) >= mostVersions {
			return withStatus(409, "LimitExceeded", "A managed policy can have up to %d versions. Before you create a new version, you must delete an existing version.",
				mostVersions)
		}
		p.Last++
		v := iam.Version{ID: "v" + strconv.Itoa(p.Last), Document: *in.PolicyDocument, CreateDate: now()}
		p.Versions, p.UpdateDate = append(p.Versions, v), v.CreateDate
		if in.SetAsDefault {
			p.Default = v.ID
		}
		shape = versionShape(p, &v, false)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &awsiam.CreatePolicyVersionOutput{PolicyVersion: &shape}, nil
}

func (a *API) getPolicyVersion(_ context.Context, r *frontdoor.Request, in *awsiam.GetPolicyVersionInput) (*awsiam.GetPolicyVersionOutput, error) {
	p, err := a.findPolicy(a.store.View().Tables, r.Scope.Account, *in.PolicyArn)
	if err != nil {
		return nil, err
	}
	i, err := findVersion(p, *in.VersionId)
	if err != nil {
		return nil, err
	}
	return &awsiam.GetPolicyVersionOutput{PolicyVersion: new(versionShape(p, &p.Versions[i], true))}, nil
}

// listPolicyVersions shows the newest first, as IAM does.
func (a *API) listPolicyVersions(_ context.Context, r *frontdoor.Request, in *awsiam.ListPolicyVersionsInput) (*awsiam.ListPolicyVersionsOutput, error) {
	pages, err := newPager(in.MaxItems, in.Marker)
	if err != nil {
		return nil, err
	}
	p, err := a.findPolicy(a.store.View().Tables, r.Scope.Account, *in.PolicyArn)
	if err != nil {
		return nil, err
	}
	newest := func(yield func(*iam.Version) bool) {
		for i := len(p.Versions) - 1; i >= 0 && yield(&p.Versions[i]); i-- {
		}
	}
	list, marker := page(pages, newest, func(v *iam.Version) string {
		n, _ := strconv.Atoi(v.ID[1:])
		return fmt.Sprintf("%09d", 999_999_999-n)
	})
	shape := func(v *iam.Version) types.PolicyVersion { return versionShape(p, v, false) }
	return &awsiam.ListPolicyVersionsOutput{Versions: mapped(list, shape), Marker: marker, IsTruncated: marker != nil}, nil
}

func (a *API) setDefaultPolicyVersion(
	ctx context.Context, r *frontdoor.Request, in *awsiam.SetDefaultPolicyVersionInput,
) (*awsiam.SetDefaultPolicyVersionOutput, error) {
	err := a.changePolicy(ctx, r.Scope.Account, *in.PolicyArn, func(_ *state.Tx, p *iam.Policy) error {
		if _, err := findVersion(p, *in.VersionId); err != nil {
			return err
		}
		p.Default, p.UpdateDate = *in.VersionId, now()
		return nil
	})
	return &awsiam.SetDefaultPolicyVersionOutput{}, err
}

func (a *API) deletePolicyVersion(
	ctx context.Context, r *frontdoor.Request, in *awsiam.DeletePolicyVersionInput,
) (*awsiam.DeletePolicyVersionOutput, error) {
	err := a.changePolicy(ctx, r.Scope.Account, *in.PolicyArn, func(_ *state.Tx, p *iam.Policy) error {
		i, err := findVersion(p, *in.VersionId)
		if err != nil {
			return err
		}
		if p.Default == *in.VersionId {
			return conflict("Cannot delete the default version of a policy.")
		}
		p.Versions = slices.Delete(p.Versions, i, i+1)
		return nil
	})
	return &awsiam.DeletePolicyVersionOutput{}, err
}
