package ecs

import (
	"time"

	"berth/internal/vpc"
)

// TaskInterface is the network interface of a task in awsvpc mode, and its attachment. It stays in the record of a stopped task; the interface itself and its
// address are free then. One that is in a task is not changed: a copy takes its place.
type TaskInterface struct {
	AttachmentID       string // a UUID
	NetworkInterfaceID vpc.ID `json:"networkInterfaceId"`
	VpcID              vpc.ID `json:"vpcId"`
	SubnetID           vpc.ID `json:"subnetId"`
	PrivateIPv4Address string `json:"privateIPv4Address"` // "" until there was one for it
	MACAddress         string `json:"macAddress"`
	Groups             []vpc.ID
	PublicIP           string     `json:"publicIp"`
	AttachedAt         *time.Time // when the agent had it in the task. Written by: Attach only.
	Failed             bool       // it was never to be had
}

// Attach records that the task has its interface. It reports whether that is news.
func (t *Task) Attach(now time.Time) bool {
	if t.Interface == nil || t.Interface.AttachedAt != nil {
		return false
	}
	i := *t.Interface
	i.AttachedAt = &now
	t.Interface = &i
	return true
}

// PrivateDNSName is the interface's name in the VPC: ip-10-0-0-5.ec2.internal.
func (i *TaskInterface) PrivateDNSName(region string) string {
	return vpc.PrivateDNSName(region, i.PrivateIPv4Address)
}

// The statuses of an attachment, as AWS spells them.
const (
	AttachmentPrecreated = "PRECREATED"
	AttachmentAttaching  = "ATTACHING"
	AttachmentAttached   = "ATTACHED"
	AttachmentDetaching  = "DETACHING"
	AttachmentDeleted    = "DELETED"
	AttachmentFailed     = "FAILED"
)

// AttachmentStatus is how far the task's interface is: it follows from where the task is, "" without an interface.
func (t *Task) AttachmentStatus() string {
	switch i := t.Interface; {
	case i == nil:
		return ""
	case i.Failed:
		return AttachmentFailed
	case t.Over():
		return AttachmentDeleted
	case t.LastStatus.After(Stopping):
		return AttachmentDetaching
	case i.AttachedAt != nil:
		return AttachmentAttached
	case t.ContainerInstanceArn != "":
		return AttachmentAttaching
	}
	return AttachmentPrecreated
}
