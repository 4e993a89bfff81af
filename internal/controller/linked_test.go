package controller

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"berth/internal/ecs"
	"berth/internal/iam"
	"berth/internal/state"
)

// TestLinkedRole: a service whose tasks have network interfaces waits while ECS may make none, says so once in AWS's words, and goes on when the role is back.
func TestLinkedRole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		role := &iam.Role{Entity: iam.Entity{Account: "123456789012", Name: "AWSServiceRoleForECS"}}
		may := func(t *state.Tables, account string) error {
			if t.Roles.Get(iam.Key(account, role.Name)) == nil {
				return errors.New("Unable to assume the service linked role. Please verify that the ECS service linked role exists.")
			}
			return nil
		}
		s := startAwsvpcWith(t, &Services{MayAttach: may}, 2, nil, fargatePool(false), poolMember("1", "a"))
		time.Sleep(time.Minute)
		said := 0
		for e := range s.View().Events.All() {
			if strings.Contains(e.Message, "Unable to assume the service linked role.") {
				said++
			}
		}
		if n := s.View().Tasks.Len(); n != 0 || said != 1 {
			t.Fatalf("without the role: %d tasks, said %d times", n, said)
		}
		write(t, s, func(tx *state.Tx) { tx.Put(role) })
		if n := s.View().Tasks.Len(); n != 2 {
			t.Errorf("with the role: %d tasks", n)
		}
		write(t, s, func(tx *state.Tx) {
			tx.Delete(role)
			for x := range tx.Tasks.All() {
				n := x.Clone()
				n.Stop(stamp(), "TaskFailedToStart", "test")
				n.LastStatus = ecs.Stopped
				tx.Put(n)
			}
		})
		time.Sleep(time.Hour)
		if n := s.View().Tasks.Len(); n != 2 {
			t.Errorf("without it again: %d tasks", n)
		}
	})
}
