package access

import (
	"testing"
	"time"

	"berth/internal/ecs"
	"berth/internal/iam"
	"berth/internal/state/statetest"
)

func linkedKeys(t *testing.T, records ...ecs.Record) *Keys {
	return &Keys{State: statetest.Open(t, records...)}
}

// TestMayAttach: ECS makes interfaces where its role is there, trusts it and allows it; the answer follows the records.
func TestMayAttach(t *testing.T) {
	const missing = "Unable to assume the service linked role. Please verify that the ECS service linked role exists."
	own := NewLinkedRole(account)
	distrusting, powerless, fake := *own, *own, *own
	distrusting.Trust, powerless.Attached, fake.Path = trustECS, nil, "/"
	for name, c := range map[string]struct {
		role *iam.Role
		want string
	}{
		"there":         {own, ""},
		"nobody's":      {nil, missing},
		"no trust":      {&distrusting, missing},
		"another's":     {&fake, missing},
		"without right": {&powerless, "Unexpected EC2 error while attempting to Create Network Interface: UnauthorizedOperation. " + own.ARN() + " is not authorized to perform: ec2:DescribeSubnets"},
	} {
		k := linkedKeys(t)
		if c.role != nil {
			put(t, k, c.role)
		}
		for range 2 { // also as it is kept
			got := ""
			if err := k.MayAttach(k.State.View().Tables, account); err != nil {
				got = err.Error()
			}
			if got != c.want {
				t.Errorf("%s: %q", name, got)
			}
		}
		if c.role != nil {
			put(t, k, nil, c.role)
		}
		if err := k.MayAttach(k.State.View().Tables, account); err == nil || err.Error() != missing {
			t.Errorf("%s, when it is gone: %v", name, err)
		}
		put(t, k, own)
		if err := k.MayAttach(k.State.View().Tables, account); err != nil {
			t.Errorf("%s, when it is back: %v", name, err)
		}
	}
}

// TestEnsureLinkedRoles: accounts with clusters get the role, once, and what is there stays.
func TestEnsureLinkedRoles(t *testing.T) {
	gone := &ecs.Cluster{ClusterArn: "arn:aws:ecs:us-east-1:333333333333:cluster/x", Status: ecs.Inactive}
	k := linkedKeys(t, &ecs.Cluster{ClusterArn: "arn:aws:ecs:us-east-1:222222222222:cluster/x", Status: ecs.Active}, gone)
	for range 2 {
		if err := k.EnsureLinkedRoles(t.Context(), account); err != nil {
			t.Fatal(err)
		}
	}
	v := k.State.View()
	for of, want := range map[string]bool{account: true, "222222222222": true, "333333333333": false} {
		r := LinkedRole(v.Tables, of)
		if (r != nil) != want {
			t.Errorf("%s: %v", of, r)
		}
		if r != nil && (r.ARN() != "arn:aws:iam::"+of+":role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS" || time.Since(r.CreateDate) > time.Hour) {
			t.Errorf("%+v", r)
		}
	}
	if v.Roles.Len() != 2 {
		t.Errorf("%d roles", v.Roles.Len())
	}
}

// BenchmarkMayAttach is what a task with a network interface pays.
func BenchmarkMayAttach(b *testing.B) {
	k := &Keys{State: statetest.Open(b, NewLinkedRole(account))}
	t := k.State.View().Tables
	b.ReportAllocs()
	for b.Loop() {
		if err := k.MayAttach(t, account); err != nil {
			b.Fatal(err)
		}
	}
}
