# What the scripts of VPCs and of Fargate share. Sourced; the variables that it reads are those of the scripts.
set -e
export AWS_DEFAULT_OUTPUT=text

# container TASK NAME: the engine's id
container() { docker ps -q --no-trunc --filter "label=com.amazonaws.ecs.task-arn=$1" --filter "label=com.amazonaws.ecs.container-name=$2"; }
# within TASK NAME COMMAND...: runs busybox in a container
within() { w=$(container "$1" "$2"); test -n "$w"; shift 2; docker exec "$w" /bin/busybox "$@"; }
# detail TASK NAME: of its interface, "privateIPv4Address" and so on
detail() { aws ecs describe-tasks --tasks "$1" --query "tasks[0].attachments[0].details[?name==\`$2\`].value"; }
# hello TASK ADDRESS PORT: fails unless the container "main" of a task is answered at another one's address
hello() { test hello = "$(within "$1" main nc -w 1 "$2" "$3" </dev/null 2>/dev/null)"; }
# vpc CIDR: makes a VPC with an internet gateway and a public subnet in each of two zones, and sets vpc, igw, rtb, subnet1 and subnet2
vpc() {
	vpc=$(aws ec2 create-vpc --cidr-block "$1.0.0/16" --query Vpc.VpcId)
	subnet1=$(aws ec2 create-subnet --vpc-id "$vpc" --cidr-block "$1.1.0/24" --availability-zone "${AWS_REGION}a" --query Subnet.SubnetId)
	subnet2=$(aws ec2 create-subnet --vpc-id "$vpc" --cidr-block "$1.2.0/24" --availability-zone "${AWS_REGION}b" --query Subnet.SubnetId)
	igw=$(aws ec2 create-internet-gateway --query InternetGateway.InternetGatewayId)
	aws ec2 attach-internet-gateway --vpc-id "$vpc" --internet-gateway-id "$igw"
	rtb=$(aws ec2 describe-route-tables --filters "Name=vpc-id,Values=$vpc" --query 'RouteTables[0].RouteTableId')
	aws ec2 create-route --route-table-id "$rtb" --destination-cidr-block 0.0.0.0/0 --gateway-id "$igw" >/dev/null
}
# unmake: all that vpc has made goes again, after the groups that are given
unmake() {
	for id; do aws ec2 delete-security-group --group-id "$id" >/dev/null; done
	aws ec2 delete-subnet --subnet-id "$subnet1"
	aws ec2 delete-subnet --subnet-id "$subnet2"
	aws ec2 detach-internet-gateway --vpc-id "$vpc" --internet-gateway-id "$igw"
	aws ec2 delete-internet-gateway --internet-gateway-id "$igw"
	aws ec2 delete-vpc --vpc-id "$vpc"
}
# gone VPC: no interface of it is left, and on this machine neither its namespace nor its way out
gone() {
	test 0 = "$(aws ec2 describe-network-interfaces --filters "Name=vpc-id,Values=$1" --query 'length(NetworkInterfaces)')"
	! ip netns | grep -q "$1"
	! ip -d link | grep -q "$1"
}
# elsewhere ADDRESS: another installation of this machine has the way to the address
elsewhere() {
	dev=$(ip route get "$1" | sed -n 's/.* dev \([^ ]*\).*/\1/p')
	case $dev in be*) ! ip link show "$dev" | grep -q "alias berth $BERTH_INSTALLATION " ;; *) false ;; esac
}
# put NAME...: writes variables down in the file vars, which the next commands read
put() { for n; do eval "echo $n='\"'\$$n'\"'" >>vars; done; }
