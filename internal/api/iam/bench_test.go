package iam

import (
	"fmt"
	"testing"

	"berth/internal/ecs"
	"berth/internal/iam"
)

// large is an account with as many users and roles as it may have, each with policies attached.
func large(b *testing.B) *account {
	b.Helper()
	a := openAccount(b)
	entity := func(name string) iam.Entity {
		return iam.Entity{Account: testScope.Account, Name: name, Path: "/", Attached: []string{awsPolicy, "arn:aws:iam::aws:policy/AmazonECS_FullAccess"}}
	}
	var all []ecs.Record
	for n := range mostUsers {
		all = append(all, &iam.User{Entity: entity(fmt.Sprintf("u%d", n))})
	}
	for n := range mostRoles {
		all = append(all, &iam.Role{Entity: entity(fmt.Sprintf("r%d", n)), Trust: documents["trust"]})
	}
	for len(all) > 0 {
		n := min(100, len(all))
		a.put(b, all[:n]...)
		all = all[n:]
	}
	return a
}

func BenchmarkRequests(b *testing.B) {
	a := large(b)
	for _, line := range []string{
		"GetRole RoleName=r500", "ListRoles", "GetPolicy PolicyArn=" + awsPolicy, "ListPolicies", "ListEntitiesForPolicy PolicyArn=" + awsPolicy,
		"GetAccountSummary", "GetAccountAuthorizationDetails", "SimulatePrincipalPolicy PolicySourceArn=arn:aws:iam::123456789012:role/r500 ActionNames.member.1=ecs:RunTask",
	} {
		operation, parameters := a.request(b, line)
		b.Run(operation, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := a.ask(b, operation, parameters); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
