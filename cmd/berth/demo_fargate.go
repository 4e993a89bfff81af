package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

const (
	// fargateName is the demo's service and family in Fargate mode.
	fargateName = "hello-fargate"
	// fargateGroup is the name of its security group.
	fargateGroup = "hello"
	// reachWithin is how long its tasks may take to be reached from here, once they run.
	reachWithin = 5 * time.Second
)

// demoFargate makes the service hello-fargate in the default VPC. It reports false, and says why, where there can be none.
func (c *client) demoFargate(ctx context.Context, say func(string, ...any)) (bool, error) {
	if os.Geteuid() != 0 {
		say("leaving the service %s out: the tasks' network needs root", fargateName)
		return false, nil
	}
	if there, err := c.hasService(ctx, fargateName); err != nil || there {
		return there, err
	}
	vpc, err := c.defaultVPC(ctx)
	if err != nil {
		return false, err
	}
	if vpc == "" {
		say("leaving the service %s out: there is no default VPC (`aws ec2 create-default-vpc` makes one)", fargateName)
		return false, nil
	}
	return true, c.createFargate(ctx, vpc, say)
}

// createFargate makes the service hello-fargate and what it needs.
func (c *client) createFargate(ctx context.Context, vpc string, say func(string, ...any)) error {
	say("creating the security group %s, which lets TCP 80 in", fargateGroup)
	group, err := c.webGroup(ctx, vpc)
	if err != nil {
		return err
	}
	subnets, err := c.subnets(ctx, vpc)
	if err != nil {
		return err
	}
	say("registering the task definition %s and creating the service %s, in Fargate mode", fargateName, fargateName)
	return c.createService(ctx,
		&awsecs.RegisterTaskDefinitionInput{
			Family: aws.String(fargateName), RequiresCompatibilities: []types.Compatibility{types.CompatibilityFargate}, NetworkMode: types.NetworkModeAwsvpc,
			Cpu: aws.String("256"), Memory: aws.String("512"), ContainerDefinitions: []types.ContainerDefinition{demoContainer()},
		},
		&awsecs.CreateServiceInput{
			ServiceName: aws.String(fargateName), LaunchType: types.LaunchTypeFargate,
			NetworkConfiguration: &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{
				Subnets: subnets, SecurityGroups: []string{group}, AssignPublicIp: types.AssignPublicIpEnabled,
			}},
		})
}

// where are the parameters of a Describe call with filters, given as names and values by turns.
func where(pairs ...string) url.Values {
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		filter := fmt.Sprintf("Filter.%d.", i/2+1)
		v.Set(filter+"Name", pairs[i])
		v.Set(filter+"Value.1", pairs[i+1])
	}
	return v
}

// defaultVPC is the id of the default VPC; "" if there is none.
func (c *client) defaultVPC(ctx context.Context) (string, error) {
	var out struct {
		ID string `xml:"vpcSet>item>vpcId"`
	}
	err := c.ec2(ctx, "DescribeVpcs", where("is-default", "true"), &out)
	return out.ID, err
}

// subnets are the ids of a VPC's default subnets, one in each zone.
func (c *client) subnets(ctx context.Context, vpc string) ([]string, error) {
	var out struct {
		IDs []string `xml:"subnetSet>item>subnetId"`
	}
	err := c.ec2(ctx, "DescribeSubnets", where("vpc-id", vpc, "default-for-az", "true"), &out)
	return out.IDs, err
}

// webGroup is the security group of the demo, which is made if it is missing, and lets TCP 80 in.
func (c *client) webGroup(ctx context.Context, vpc string) (string, error) {
	var made struct {
		ID string `xml:"groupId"`
	}
	err := c.ec2(ctx, "CreateSecurityGroup", url.Values{
		"GroupName": {fargateGroup}, "GroupDescription": {"HTTP from everywhere"}, "VpcId": {vpc},
	}, &made)
	if ec2Refused(err, "InvalidGroup.Duplicate") {
		var found struct {
			ID string `xml:"securityGroupInfo>item>groupId"`
		}
		err = c.ec2(ctx, "DescribeSecurityGroups", where("vpc-id", vpc, "group-name", fargateGroup), &found)
		made.ID = found.ID
	}
	if err != nil {
		return "", err
	}
	err = c.ec2(ctx, "AuthorizeSecurityGroupIngress", url.Values{
		"GroupId": {made.ID}, "IpPermissions.1.IpProtocol": {"tcp"}, "IpPermissions.1.FromPort": {"80"}, "IpPermissions.1.ToPort": {"80"},
		"IpPermissions.1.IpRanges.1.CidrIp": {"0.0.0.0/0"},
	}, nil)
	if ec2Refused(err, "InvalidPermission.Duplicate") {
		err = nil
	}
	return made.ID, err
}

// fargateAddress is the address of a running task of hello-fargate that answers this machine; "" if there is none, for a reason that it says.
func (c *client) fargateAddress(ctx context.Context, say func(string, ...any)) (string, error) {
	list, err := c.ecs().ListTasks(ctx, &awsecs.ListTasksInput{ServiceName: aws.String(fargateName)})
	if err != nil || len(list.TaskArns) == 0 {
		return "", err
	}
	d, err := c.ecs().DescribeTasks(ctx, &awsecs.DescribeTasksInput{Tasks: list.TaskArns})
	if err != nil {
		return "", err
	}
	last := ""
	for deadline := time.Now().Add(reachWithin); ; {
		for _, t := range d.Tasks {
			if last = taskAddress(t); last != "" && answers(ctx, last) {
				return last, nil
			}
		}
		if time.Now().After(deadline) {
			break
		}
		if !pauseFor(ctx, 100*time.Millisecond) {
			return "", ctx.Err()
		}
	}
	say("this machine does not reach the tasks of %s: `ip route get %s` tells who has their addresses here, the security group %s who may", fargateName, last, fargateGroup)
	return "", nil
}

// taskAddress is the address of a task's network interface.
func taskAddress(t types.Task) string {
	for _, a := range t.Attachments {
		for _, d := range a.Details {
			if aws.ToString(d.Name) == "privateIPv4Address" {
				return aws.ToString(d.Value)
			}
		}
	}
	return ""
}

// answers reports whether a web server at an address answers within a second.
func answers(ctx context.Context, address string) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address, nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	return err == nil && resp.StatusCode == http.StatusOK
}
