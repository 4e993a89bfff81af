package access

import (
	"testing"

	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/policy"
	"berth/internal/secret"
)

// TestSpeaksFor: only who has registered an instance hears which tasks it has, whatever the policies of others say.
func TestSpeaksFor(t *testing.T) {
	k := keys(t)
	byMachine, byUser, byRole, old := demo.Instance("1"), demo.Instance("2"), demo.Instance("3"), demo.Instance("4")
	put(t, k,
		&ecs.Credential{AccessKeyID: "AKIAMACHINE", Account: account, Principal: ContainerInstance, Cluster: demo, Instance: byMachine},
		&ecs.Credential{AccessKeyID: "AKIANEW", Account: account, Principal: ContainerInstance, Cluster: demo},
		&ecs.Instance{ContainerInstanceArn: byMachine, AccessKeyID: "AKIAMACHINE"},
		&ecs.Instance{ContainerInstanceArn: byUser, AccessKeyID: "AKIAADA1", Registrar: "AIDAADA"},
		&ecs.Instance{ContainerInstanceArn: byRole, AccessKeyID: "ASIA1", Registrar: "AROAROLE"},
		&ecs.Instance{ContainerInstanceArn: old, AccessKeyID: "AKIAADA1"},
	)
	session := func(id string) *policy.Principal { return &policy.Principal{Kind: policy.RoleSession, UserID: id} }
	for _, c := range []struct {
		who      string
		key      string
		caller   *policy.Principal
		machine  bool
		user     bool
		role     bool
		earlier  bool
		whatever bool
	}{
		{"the machine", "AKIAMACHINE", session("AROAMACHINES:AKIAMACHINE"), true, false, false, false, false},
		{"a machine that has not registered", "AKIANEW", session("AROAMACHINES:AKIANEW"), false, false, false, false, false},
		{"another session of the machine's role", "ASIA9", session("AROAMACHINES:i-1"), false, false, false, false, true},
		{"the user", "AKIAADA1", &policy.Principal{UserID: "AIDAADA"}, false, true, false, true, true},
		{"the user with another key", "AKIAADA2", &policy.Principal{UserID: "AIDAADA"}, false, true, false, false, true},
		{"another user", "AKIAEVE", &policy.Principal{UserID: "AIDAEVE"}, false, false, false, false, true},
		{"a later session of the role", "ASIA2", session("AROAROLE:later"), false, false, true, false, true},
		{"nobody with an id", "", &policy.Principal{}, false, false, false, false, true},
	} {
		for i, want := range map[arn.Instance]bool{byMachine: c.machine, byUser: c.user, byRole: c.role, old: c.earlier, demo.Instance("none"): c.whatever} {
			if got := SpeaksFor(k.State.View().Tables, c.key, c.caller, i); got != want {
				t.Errorf("%s speaks for %s: %v", c.who, i, got)
			}
		}
	}
}

// TestForgotten: an instance is forgotten with the registration of the managed instance that it is, and no other one is.
func TestForgotten(t *testing.T) {
	k := keys(t)
	put(t, k, &secret.ManagedInstance{Account: account, Region: "us-east-1", InstanceID: "mi-1"})
	i := func(id, key, registrar string) *ecs.Instance {
		return &ecs.Instance{ContainerInstanceArn: arn.Scope{Region: "us-east-1", Account: account}.Cluster("edge").Instance("1"), Ec2InstanceID: id, AccessKeyID: key, Registrar: registrar}
	}
	for _, c := range []struct {
		i    *ecs.Instance
		want bool
	}{
		{i("mi-1", "ASIA1", ""), false}, {i("mi-2", "ASIA1", ""), true}, {i("mi-2", "AKIAEXTERNAL", ""), false}, {i("mi-2", "ASIA1", "AROAROLE"), false}, {i("i-2", "ASIA1", ""), false},
	} {
		if got := Forgotten(k.State.View().Tables, c.i); got != c.want {
			t.Errorf("%s %s %s: %v", c.i.Ec2InstanceID, c.i.AccessKeyID, c.i.Registrar, got)
		}
	}
}
