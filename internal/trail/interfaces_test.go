package trail

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"berth/internal/access"
	"berth/internal/ecs"
	"berth/internal/iam"
	"berth/internal/state"
	"berth/internal/state/statetest"
	"berth/internal/vpc"
)

const (
	faceAccount = "123456789012"
	faceTask    = "arn:aws:ecs:us-east-1:123456789012:task/demo/0f9de17a6465404e8b1b2356dc13c2f8"
	faceARN     = "arn:aws:ec2:us-east-1:123456789012:network-interface/eni-1"
	linkedName  = "AWSServiceRoleForECS"
)

// faces is a store whose tasks' interfaces are taken down, into a queue that nobody reads.
type faces struct {
	*Interfaces
	t *testing.T
}

// withFaces runs f with the store in it, in a bubble.
func withFaces(t *testing.T, f func(*faces), records ...ecs.Record) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		store := statetest.Open(t, records...)
		x, err := New(Config{Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		i := &Interfaces{Trail: x, State: store, Keys: &access.Keys{State: store}, Region: "eu-west-1"}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- i.Run(ctx) }()
		synctest.Wait()
		f(&faces{i, t})
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func (f *faces) write(change func(tx *state.Tx)) {
	f.t.Helper()
	if err := f.State.Update(f.t.Context(), func(tx *state.Tx) error { change(tx); return nil }); err != nil {
		f.t.Fatal(err)
	}
	synctest.Wait()
}

// told are the records that were taken down since the last time.
func (f *faces) told() (list []*Record) {
	for len(f.Trail.queue) > 0 {
		list = append(list, (<-f.Trail.queue).own.record())
	}
	return list
}

func faced() *ecs.Task {
	return &ecs.Task{TaskArn: faceTask, LastStatus: ecs.Provisioning, DesiredStatus: ecs.Running, AvailabilityZone: "us-east-1a", Interface: &ecs.TaskInterface{
		AttachmentID: "a1", NetworkInterfaceID: "eni-1", VpcID: "vpc-1", SubnetID: "subnet-1", PrivateIPv4Address: "10.0.0.5", MACAddress: "02:00:00:00:00:05", Groups: []vpc.ID{"sg-1"},
	}}
}

// TestInterfaces: an interface is taken down once when it is made for a task, and once when it is gone, with the role that ECS does it with and what the role's
// policy says.
func TestInterfaces(t *testing.T) {
	own := access.NewLinkedRole(faceAccount)
	withFaces(t, func(f *faces) {
		waiting := faced()
		waiting.Interface.PrivateIPv4Address = "" // it waits for room
		f.write(func(tx *state.Tx) { tx.Put(waiting) })
		if got := f.told(); len(got) != 0 {
			t.Fatalf("before there is an address: %d records", len(got))
		}
		f.write(func(tx *state.Tx) { tx.Put(faced()) })
		f.write(func(tx *state.Tx) {
			n := tx.Tasks.Get(faceTask).Clone()
			n.Attach(at)
			n.LastStatus = ecs.Running
			tx.Put(n)
		})
		got := f.told()
		if len(got) != 1 {
			t.Fatalf("made: %d records", len(got))
		}
		r := got[0]
		id, issuer := r.UserIdentity, r.UserIdentity.SessionContext.SessionIssuer
		if r.EventSource != "ec2.amazonaws.com" || r.EventName != "CreateNetworkInterface" || r.AwsRegion != "us-east-1" || r.RecipientAccountID != faceAccount || r.ReadOnly ||
			r.SourceIPAddress != access.ECS || r.UserAgent != access.ECS || id.Type != "AssumedRole" || id.InvokedBy != access.ECS ||
			id.ARN != "arn:aws:sts::123456789012:assumed-role/AWSServiceRoleForECS/ecs-eni-provisioning" || id.PrincipalID != own.ID+":ecs-eni-provisioning" ||
			issuer.ARN != own.ARN() || issuer.UserName != linkedName || issuer.PrincipalID != own.ID {
			t.Errorf("%+v of %+v by %+v", r, id, issuer)
		}
		if len(r.Resources) != 1 || r.Resources[0] != (Resource{faceARN, faceAccount, "AWS::EC2::NetworkInterface"}) || !slices.Equal(r.AdditionalEventData.Tasks, []string{faceTask}) {
			t.Errorf("resources %+v, %+v", r.Resources, r.AdditionalEventData)
		}
		if d := r.AdditionalEventData.Decisions; len(d) != 1 || d[0].Action != "ec2:CreateNetworkInterface" || d[0].Decision != "allowed" || short(d[0].Policy) != "AmazonECSServiceRolePolicy" {
			t.Errorf("decisions %+v", d)
		}
		const asked = `{"description":"arn:aws:ecs:us-east-1:123456789012:attachment/a1","groupSet":{"items":[{"groupId":"sg-1"}]},"privateIpAddressesSet":{},"subnetId":"subnet-1"}`
		if string(r.RequestParameters) != asked {
			t.Errorf("asked %s", r.RequestParameters)
		}
		answered := `{"networkInterface":{"availabilityZone":"us-east-1a","description":"arn:aws:ecs:us-east-1:123456789012:attachment/a1","groupSet":{"items":[{"groupId":"sg-1"}]},` +
			`"macAddress":"02:00:00:00:00:05","networkInterfaceId":"eni-1","ownerId":"123456789012","privateDnsName":"` + vpc.PrivateDNSName("us-east-1", "10.0.0.5") + `","privateIpAddress":"10.0.0.5",` +
			`"requesterManaged":true,"sourceDestCheck":true,"status":"pending","subnetId":"subnet-1","vpcId":"vpc-1"},"requestId":"` + r.RequestID + `"}`
		if string(r.ResponseElements) != answered {
			t.Errorf("answered %s, want %s", r.ResponseElements, answered)
		}
		f.write(func(tx *state.Tx) {
			n := tx.Tasks.Get(faceTask).Clone()
			n.LastStatus = ecs.Stopped
			tx.Put(n)
		})
		f.write(func(tx *state.Tx) { tx.Delete(tx.Tasks.Get(faceTask)) })
		got = f.told()
		if len(got) != 1 || got[0].EventName != "DeleteNetworkInterface" || string(got[0].RequestParameters) != `{"networkInterfaceId":"eni-1"}` ||
			string(got[0].ResponseElements) != `{"_return":true,"requestId":"`+got[0].RequestID+`"}` || len(got[0].AdditionalEventData.Decisions) != 1 {
			t.Errorf("gone: %d records, %+v", len(got), got)
		}
	}, own)
}

// TestInterfacesThatAreThere: what a leader before has made is not taken down again; and an interface goes with its task also where the role is gone, which is no
// refusal.
func TestInterfacesThatAreThere(t *testing.T) {
	withFaces(t, func(f *faces) {
		if got := f.told(); len(got) != 0 {
			t.Fatalf("%d records of what was there", len(got))
		}
		f.write(func(tx *state.Tx) { tx.Delete(tx.Tasks.Get(faceTask)) })
		got := f.told()
		if len(got) != 1 || got[0].EventName != "DeleteNetworkInterface" || got[0].UserIdentity.Type != "AWSService" || got[0].UserIdentity.InvokedBy != access.ECS || got[0].Denied() != nil {
			t.Errorf("%d records, %+v", len(got), got)
		}
	}, faced())
}

// TestNoInterfaces: that ECS may not make any is taken down once for each reason, until it may again.
func TestNoInterfaces(t *testing.T) {
	own := access.NewLinkedRole(faceAccount)
	powerless := *own
	powerless.Attached = nil
	withFaces(t, func(f *faces) {
		ask := func(want ...string) {
			t.Helper()
			for range 3 {
				err := f.MayAttach(f.State.View().Tables, faceAccount)
				if kept := f.Keys.MayAttach(f.State.View().Tables, faceAccount); fmt.Sprint(err) != fmt.Sprint(kept) {
					t.Errorf("answered %v, not %v", err, kept)
				}
			}
			var got []string
			for _, r := range f.told() {
				got = append(got, r.UserIdentity.Type+" "+r.EventSource+" "+r.EventName+" "+r.ErrorCode+": "+r.ErrorMessage)
				if r.AwsRegion != "eu-west-1" || r.RecipientAccountID != faceAccount || r.UserIdentity.InvokedBy != access.ECS || r.Denied() == nil || string(r.ResponseElements) != "null" {
					t.Errorf("%+v", r)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("told %q, want %q", got, want)
			}
		}
		const (
			gone = "AWSService sts.amazonaws.com AssumeRole AccessDenied: Unable to assume the service linked role. Please verify that the ECS service linked role exists."
			weak = "AssumedRole ec2.amazonaws.com DescribeSubnets Client.UnauthorizedOperation: You are not authorized to perform this operation. " +
				"User: arn:aws:sts::123456789012:assumed-role/AWSServiceRoleForECS/ecs-eni-provisioning is not authorized to perform: ec2:DescribeSubnets on resource: * " +
				"because no identity-based policy allows the ec2:DescribeSubnets action"
		)
		ask(gone)
		f.write(func(tx *state.Tx) { tx.Put(&iam.User{Entity: iam.Entity{Account: faceAccount, Name: "other"}}) })
		ask() // other records have changed
		f.write(func(tx *state.Tx) { tx.Put(&powerless) })
		ask(weak)
		f.write(func(tx *state.Tx) { tx.Put(own) })
		ask()
		f.write(func(tx *state.Tx) { tx.Delete(own) })
		ask(gone)
	})
}
