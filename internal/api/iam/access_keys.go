package iam

import (
	"context"
	"fmt"
	"iter"

	"berth/internal/apierr"
	"berth/internal/frontdoor"
	"berth/internal/iam"
	"berth/internal/seal"
	"berth/internal/state"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// keys are a user's access keys, in the order of their ids.
func keys(t *state.Tables, u *iam.User) iter.Seq[*iam.AccessKey] {
	return where(t.AccessKeys.All(), func(k *iam.AccessKey) bool { return k.Account == u.Account && both(u.Account, k.UserName, u.Name) })
}

func keyStatus(k *iam.AccessKey) types.StatusType {
	if k.Inactive {
		return types.StatusTypeInactive
	}
	return types.StatusTypeActive
}

// createAccessKey makes a key. Its secret is shown now and never again: it is kept sealed.
func (a *API) createAccessKey(ctx context.Context, r *frontdoor.Request, in *awsiam.CreateAccessKeyInput) (*awsiam.CreateAccessKeyOutput, error) {
	name, err := userName(r, in.UserName)
	if err != nil {
		return nil, err
	}
	id, secret := seal.NewAccessKey()
	k := &iam.AccessKey{AccessKeyID: id, SealedSecret: a.seal.Seal(secret, id), Account: r.Scope.Account, CreateDate: now()}
	err = a.store.Update(ctx, func(tx *state.Tx) error {
		u, err := findUser(tx.Tables, r.Scope.Account, name)
		if err != nil {
			return err
		}
		if count(keys(tx.Tables, u)) >= mostKeys {
			return quota("AccessKeysPerUser", mostKeys)
		}
		k.UserName = u.Name
		tx.Put(k)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("create an access key of %s: %w", name, err)
	}
	return &awsiam.CreateAccessKeyOutput{AccessKey: &types.AccessKey{
		AccessKeyId: &id, SecretAccessKey: &secret, UserName: &k.UserName, Status: types.StatusTypeActive, CreateDate: &k.CreateDate,
	}}, nil
}

func (a *API) listAccessKeys(_ context.Context, r *frontdoor.Request, in *awsiam.ListAccessKeysInput) (*awsiam.ListAccessKeysOutput, error) {
	p, err := newPager(in.MaxItems, in.Marker)
	if err != nil {
		return nil, err
	}
	name, err := userName(r, in.UserName)
	if err != nil {
		return nil, err
	}
	t := a.store.View().Tables
	u, err := findUser(t, r.Scope.Account, name)
	if err != nil {
		return nil, err
	}
	list, marker := page(p, keys(t, u), (*iam.AccessKey).Key)
	return &awsiam.ListAccessKeysOutput{AccessKeyMetadata: mapped(list, keyShape), Marker: marker, IsTruncated: marker != nil}, nil
}

func keyShape(k *iam.AccessKey) types.AccessKeyMetadata {
	return types.AccessKeyMetadata{AccessKeyId: &k.AccessKeyID, UserName: &k.UserName, Status: keyStatus(k), CreateDate: &k.CreateDate}
}

// findKey finds an access key of the user that a request names or that calls.
func findKey(t *state.Tables, r *frontdoor.Request, named *string, id string) (*iam.AccessKey, error) {
	name, err := userName(r, named)
	if err != nil {
		return nil, err
	}
	u, err := findUser(t, r.Scope.Account, name)
	if err != nil {
		return nil, err
	}
	if k := t.AccessKeys.Get(id); k != nil && k.Account == u.Account && both(u.Account, k.UserName, u.Name) {
		return k, nil
	}
	return nil, noKey(id)
}

func noKey(id string) error { return noSuch("The Access Key with id %s cannot be found.", id) }

func (a *API) updateAccessKey(ctx context.Context, r *frontdoor.Request, in *awsiam.UpdateAccessKeyInput) (*awsiam.UpdateAccessKeyOutput, error) {
	if in.Status != types.StatusTypeActive && in.Status != types.StatusTypeInactive {
		return nil, apierr.New("ValidationError", "1 validation error detected: Value at 'status' failed to satisfy constraint: "+
			"Member must satisfy enum value set: [Active, Inactive]")
	}
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		k, err := findKey(tx.Tables, r, in.UserName, *in.AccessKeyId)
		if err != nil {
			return err
		}
		c := *k
		c.Inactive = in.Status == types.StatusTypeInactive
		tx.Put(&c)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("update access key %s: %w", *in.AccessKeyId, err)
	}
	return &awsiam.UpdateAccessKeyOutput{}, nil
}

func (a *API) deleteAccessKey(ctx context.Context, r *frontdoor.Request, in *awsiam.DeleteAccessKeyInput) (*awsiam.DeleteAccessKeyOutput, error) {
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		k, err := findKey(tx.Tables, r, in.UserName, *in.AccessKeyId)
		if err != nil {
			return err
		}
		tx.Delete(k)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("delete access key %s: %w", *in.AccessKeyId, err)
	}
	return &awsiam.DeleteAccessKeyOutput{}, nil
}

// onKeyHolder is the user whose an access key is.
func (a *API) onKeyHolder(r *frontdoor.Request, in any) []string {
	t := a.store.View().Tables
	k := t.AccessKeys.Get(member(in, "AccessKeyId"))
	if k == nil || k.Account != r.Scope.Account {
		return nil
	}
	if u := t.Users.Get(iam.Key(k.Account, k.UserName)); u != nil {
		return []string{u.ARN()}
	}
	return nil
}

// getAccessKeyLastUsed says N/A of a key that was never used, as IAM does.
func (a *API) getAccessKeyLastUsed(
	_ context.Context, r *frontdoor.Request, in *awsiam.GetAccessKeyLastUsedInput,
) (*awsiam.GetAccessKeyLastUsedOutput, error) {
	k := a.store.View().AccessKeys.Get(*in.AccessKeyId)
	if k == nil || k.Account != r.Scope.Account {
		return nil, noKey(*in.AccessKeyId)
	}
	used := &types.AccessKeyLastUsed{Region: new("N/A"), ServiceName: new("N/A")}
	if !k.LastUsedDate.IsZero() {
		used = &types.AccessKeyLastUsed{Region: &k.LastUsedRegion, ServiceName: &k.LastUsedService, LastUsedDate: &k.LastUsedDate}
	}
	return &awsiam.GetAccessKeyLastUsedOutput{UserName: &k.UserName, AccessKeyLastUsed: used}, nil
}
