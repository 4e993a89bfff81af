package vpc

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/e2e/site"
	"berth/internal/sdkhttp"
)

// control is the control plane, as a client sees it.
type control struct {
	t             *testing.T
	endpoint      string
	keyID, secret string
	ecs           *awsecs.Client
}

func newControl(t *testing.T, endpoint, keyID, secret string) *control {
	return &control{t: t, endpoint: endpoint, keyID: keyID, secret: secret, ecs: awsecs.New(awsecs.Options{
		Region: "us-east-1", BaseEndpoint: &endpoint, HTTPClient: sdkhttp.New(), Credentials: credentials.NewStaticCredentialsProvider(keyID, secret, ""),
	})}
}

// answer is what the tests read of the EC2 API's answers.
type answer struct {
	VPC        string   `xml:"vpc>vpcId"`
	Subnet     string   `xml:"subnet>subnetId"`
	Group      string   `xml:"groupId"`
	Interface  string   `xml:"networkInterface>networkInterfaceId"`
	VPCs       []string `xml:"vpcSet>item>vpcId"`
	Subnets    []string `xml:"subnetSet>item>subnetId"`
	Groups     []string `xml:"securityGroupInfo>item>groupId"`
	Interfaces []string `xml:"networkInterfaceSet>item>networkInterfaceId"`
}

// ec2 makes a call of the EC2 API, with the names and values of its parameters by turns.
func (c *control) ec2(action string, pairs ...string) (a answer) {
	c.t.Helper()
	form := url.Values{"Action": {action}, "Version": {"2016-11-15"}}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	body := form.Encode()
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, c.endpoint+"/", strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	sum := sha256.Sum256([]byte(body))
	if err := v4.NewSigner().SignHTTP(context.Background(), aws.Credentials{AccessKeyID: c.keyID, SecretAccessKey: c.secret}, r, hex.EncodeToString(sum[:]), "ec2",
		"us-east-1", time.Now()); err != nil {
		c.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		c.t.Fatalf("%s %v: %s %v\n%s", action, pairs, resp.Status, err, text)
	}
	if err := xml.Unmarshal(text, &a); err != nil {
		c.t.Fatalf("%s: %v\n%s", action, err, text)
	}
	return a
}

// subnet makes a subnet in the zone of the machines.
func (c *control) subnet(vpc, cidr string) string {
	c.t.Helper()
	return c.ec2("CreateSubnet", "VpcId", vpc, "CidrBlock", cidr, "AvailabilityZone", "us-east-1a").Subnet
}

// group makes a security group that lets nothing in.
func (c *control) group(vpc, name string) string {
	c.t.Helper()
	return c.ec2("CreateSecurityGroup", "VpcId", vpc, "GroupName", name, "GroupDescription", name).Group
}

// occupy takes all addresses of a subnet of a /28 but those that EC2 keeps and one.
func (c *control) occupy(subnet, group string, but netip.Addr) (interfaces []string) {
	c.t.Helper()
	all := netip.PrefixFrom(but, 28).Masked()
	for a, n := all.Addr(), 0; n < 15; a, n = a.Next(), n+1 {
		if n > 3 && a != but {
			interfaces = append(interfaces, c.ec2("CreateNetworkInterface", "SubnetId", subnet, "PrivateIpAddress", a.String(), "SecurityGroupId.1", group).Interface)
		}
	}
	return interfaces
}

// web are the parameters of a rule that lets members of a group in at TCP port 80.
func web(of, from string) []string {
	return []string{"GroupId", of, "IpPermissions.1.IpProtocol", "tcp", "IpPermissions.1.FromPort", "80", "IpPermissions.1.ToPort", "80",
		"IpPermissions.1.Groups.1.GroupId", from}
}

// interfaces are the ids of all network interfaces, in order.
func (c *control) interfaces() []string {
	c.t.Helper()
	ids := c.ec2("DescribeNetworkInterfaces").Interfaces
	slices.Sort(ids)
	return ids
}

// define registers the definition of a task that says at port 80 which one it is: "web of ip-10-0-1-10".
func (c *control) define(family string) string {
	c.t.Helper()
	script := "trap exit TERM; busybox nc -ll -p 80 -e /bin/busybox echo " + family + " of $(busybox hostname) & wait"
	out, err := c.ecs.RegisterTaskDefinition(context.Background(), &awsecs.RegisterTaskDefinitionInput{
		Family: &family, NetworkMode: types.NetworkModeAwsvpc, ContainerDefinitions: []types.ContainerDefinition{{
			Name: aws.String("web"), Image: aws.String(image), Command: []string{"/bin/sh", "-c", script}, Cpu: 32, Memory: aws.Int32(16), StopTimeout: aws.Int32(2),
		}},
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return *out.TaskDefinition.TaskDefinitionArn
}

// network is the configuration of tasks in a subnet.
func network(subnet string, groups ...string) *types.NetworkConfiguration {
	return &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: []string{subnet}, SecurityGroups: groups}}
}

// instances are the container instances that are ACTIVE and connected.
func (c *control) instances() (arns []string) {
	c.t.Helper()
	list, err := c.ecs.ListContainerInstances(context.Background(), &awsecs.ListContainerInstancesInput{Status: types.ContainerInstanceStatusActive})
	if err != nil {
		c.t.Fatal(err)
	}
	if len(list.ContainerInstanceArns) == 0 {
		return nil
	}
	d, err := c.ecs.DescribeContainerInstances(context.Background(), &awsecs.DescribeContainerInstancesInput{ContainerInstances: list.ContainerInstanceArns})
	if err != nil {
		c.t.Fatal(err)
	}
	for _, i := range d.ContainerInstances {
		if i.AgentConnected {
			arns = append(arns, *i.ContainerInstanceArn)
		}
	}
	return arns
}

// describe reads tasks.
func (c *control) describe(arns ...string) []types.Task {
	c.t.Helper()
	d, err := c.ecs.DescribeTasks(context.Background(), &awsecs.DescribeTasksInput{Tasks: arns})
	if err != nil {
		c.t.Fatal(err)
	}
	return d.Tasks
}

// tasks are all that are wanted and those that stop.
func (c *control) tasks(of types.DesiredStatus) []string {
	c.t.Helper()
	var arns []string
	pages := awsecs.NewListTasksPaginator(c.ecs, &awsecs.ListTasksInput{DesiredStatus: of})
	for pages.HasMorePages() {
		page, err := pages.NextPage(context.Background())
		if err != nil {
			c.t.Fatal(err)
		}
		arns = append(arns, page.TaskArns...)
	}
	return arns
}

// waitTasks waits until tasks have a last status.
func (c *control) waitTasks(status string, arns ...string) []types.Task {
	c.t.Helper()
	var list []types.Task
	site.Eventually(c.t, "the tasks are "+status, func() error {
		list = c.describe(arns...)
		for _, t := range list {
			if *t.LastStatus != status {
				if *t.LastStatus == "STOPPED" {
					c.t.Fatalf("%s stopped: %s", *t.TaskArn, aws.ToString(t.StoppedReason))
				}
				return fmt.Errorf("%s is %s", *t.TaskArn, *t.LastStatus)
			}
		}
		return nil
	})
	return list
}

// detail of a task's attachment.
func detail(t types.Task, name string) string {
	for _, a := range t.Attachments {
		for _, d := range a.Details {
			if *d.Name == name {
				return *d.Value
			}
		}
	}
	return ""
}

// stop stops a task and waits until it has stopped.
func (c *control) stop(arns ...string) {
	c.t.Helper()
	for _, arn := range arns {
		if _, err := c.ecs.StopTask(context.Background(), &awsecs.StopTaskInput{Task: &arn}); err != nil {
			c.t.Fatal(err)
		}
	}
	c.waitTasks("STOPPED", arns...)
}
