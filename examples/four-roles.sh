#!/bin/bash
# The four roles at work, with nothing but the AWS CLI, docker and the Session Manager plugin: makes roles, a log group, a secret and a repository, pushes an image,
# runs it in EC2 mode and in Fargate mode, reads its logs, opens a shell in it, shows that its task role may do what its policy says and no more, and removes
# everything again. docs/roles.md tells why each step is as it is.
#
# usage, after make up:  eval "$(bin/berth env)"; examples/four-roles.sh
set -euo pipefail
command -v session-manager-plugin >/dev/null || { echo "install the Session Manager plugin of AWS first: the shell in the container needs it" >&2; exit 1; }
export AWS_DEFAULT_OUTPUT=text AWS_PAGER=
cd "$(dirname "$0")/.."

name=four-roles-$$
work=$(mktemp -d)
tasks=()
say() { printf '\n== %s\n' "$*"; }
quietly() { "$@" >/dev/null 2>&1 || true; }

leave() {
	say "removing it all"
	for t in "${tasks[@]}"; do quietly aws ecs stop-task --task "$t"; done
	[ ${#tasks[@]} = 0 ] || quietly aws ecs wait tasks-stopped --tasks "${tasks[@]}"
	for f in ec2 fargate; do quietly aws ecs deregister-task-definition --task-definition "$name-$f:1"; done
	for r in task execution; do
		quietly aws iam detach-role-policy --role-name "$name-$r" --policy-arn arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy
		quietly aws iam delete-role-policy --role-name "$name-$r" --policy-name own
		quietly aws iam delete-role --role-name "$name-$r"
	done
	quietly aws logs delete-log-group --log-group-name "/$name"
	quietly aws secretsmanager delete-secret --secret-id "$name" --force-delete-without-recovery
	quietly aws ecr delete-repository --repository-name "$name" --force
	quietly docker rmi --force "${image:-none}" # the tasks' containers stay a while
	[ -z "${registry:-}" ] || quietly docker logout "$registry"
	rm -rf "$work"
}
trap leave EXIT

# allow ACTIONS RESOURCE: a policy
allow() { printf '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":[%s],"Resource":"%s"}]}' "$1" "$2"; }

say "a secret, a log group, a repository"
secret=$(aws secretsmanager create-secret --name "$name" --secret-string '{"word":"open sesame"}' --query ARN)
aws logs create-log-group --log-group-name "/$name"
image=$(aws ecr create-repository --repository-name "$name" --query repository.repositoryUri):1
registry=${image%%/*}
echo "$secret"
echo "$image"

say "the image, pushed"
ask=${ASK:-bin/ask} # a program with the AWS SDK, which finds everything by itself
[ -x "$ask" ] || CGO_ENABLED=0 go build -ldflags '-s -w' -o "$ask" ./examples/ask
cp "$ask" "$(command -v busybox)" "$work"
printf 'FROM scratch\nCOPY busybox /bin/busybox\nCOPY ask /bin/ask\nRUN ["/bin/busybox", "--install", "/bin"]\n' >"$work/Dockerfile"
DOCKER_BUILDKIT=0 docker build -q -t "$image" "$work" 2>/dev/null
aws ecr get-login-password | docker login --username AWS --password-stdin "$registry" 2>/dev/null
docker push -q "$image"
quietly docker rmi "$image" # it has to be pulled from the repository
aws ecr describe-images --repository-name "$name" --query 'imageDetails[].[imageTags[0],imageDigest]'

say "the task role, which may list clusters and have a shell, and the task execution role, which may pull, log, and read the secret"
trust='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
role=$(aws iam create-role --role-name "$name-task" --assume-role-policy-document "$trust" --query Role.Arn)
aws iam put-role-policy --role-name "$name-task" --policy-name own --policy-document "$(allow '"ecs:ListClusters","ssmmessages:*"' '*')"
execution=$(aws iam create-role --role-name "$name-execution" --assume-role-policy-document "$trust" --query Role.Arn)
aws iam attach-role-policy --role-name "$name-execution" --policy-arn arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy
aws iam put-role-policy --role-name "$name-execution" --policy-name own --policy-document "$(allow '"secretsmanager:GetSecretValue"' "$secret")"
echo "$role"
echo "$execution"

say "the same containers in both modes"
containers='[{"name":"main","image":"'$image'","command":["sh","-c","echo the word is $WORD; while :; do sleep 1; done"],"memory":128,"stopTimeout":1,
	"secrets":[{"name":"WORD","valueFrom":"'$secret':word::"}],
	"logConfiguration":{"logDriver":"awslogs","options":{"awslogs-group":"/'$name'","awslogs-region":"'$AWS_REGION'","awslogs-stream-prefix":"app"}}}]'
define() { aws ecs register-task-definition --task-role-arn "$role" --execution-role-arn "$execution" --container-definitions "$containers" --query taskDefinition.taskDefinitionArn "$@"; }
define --family "$name-ec2"
define --family "$name-fargate" --network-mode awsvpc --requires-compatibilities FARGATE --cpu 256 --memory 512
subnets=$(aws ec2 describe-subnets --filters Name=default-for-az,Values=true --query 'join(`,`, Subnets[].SubnetId)')
tasks+=("$(aws ecs run-task --enable-execute-command --task-definition "$name-ec2" --query 'tasks[].taskArn')")
tasks+=("$(aws ecs run-task --enable-execute-command --task-definition "$name-fargate" --launch-type FARGATE --network-configuration "awsvpcConfiguration={subnets=[$subnets]}" --query 'tasks[].taskArn')")
aws ecs wait tasks-running --tasks "${tasks[@]}"
aws ecs describe-tasks --tasks "${tasks[@]}" --query 'tasks[].[launchType,lastStatus,containers[0].imageDigest]'

say "its logs, which have the secret's word"
until [ "$(aws logs filter-log-events --log-group-name "/$name" --query 'length(events)')" = 2 ]; do sleep 0.5; done
aws logs filter-log-events --log-group-name "/$name" --query 'events[].[logStreamName,message]'

# shell TASK: a shell, in which a person would type this
shell() {
	local typed='echo I am in $(hostname); ask sts GetCallerIdentity; ask ecs ListClusters; ask ecs ListServices; ask secretsmanager GetSecretValue '"'{\"SecretId\": \"$name\"}'"'; exit'
	(sleep 2; echo "$typed"; sleep 5) | script -qec "aws ecs execute-command --task $1 --container main --interactive --command /bin/sh" /dev/null | tr -d '\r'
}
for t in "${tasks[@]}"; do
	say "a shell in ${t##*/}"
	shell "$t" | tee "$work/shown"
	session=assumed-role/$name-task/${t##*/}
	for expected in "I am in [a-z0-9]" "\"Arn\":\"arn:aws:sts::[0-9]*:$session\"" '"ClusterArns":\["arn:aws:ecs' \
		"$session is not authorized to perform: ecs:ListServices" "$session is not authorized to perform: secretsmanager:GetSecretValue"; do
		grep -q "$expected" "$work/shown" || { echo "the shell did not show: $expected" >&2; exit 1; }
	done
done
say "as it should be: the task role may list clusters, and neither list services nor read the secret that its program was given"
