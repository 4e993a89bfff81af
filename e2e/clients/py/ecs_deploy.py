"""Deploys, runs and scales as fabfuel's ecs-deploy does: the same requests in the same order, and its decisions. Whatever a service's events say
with the word "unable" since the deployment began is an error to it, and a deployment is done when it is the only one and all tasks run."""
import sys
import time

from client import check_recent, ecs

CLUSTER, SERVICE = 'default', sys.argv[1]


def service():
    """Is the service now."""
    answer = ecs.describe_services(cluster=CLUSTER, services=[SERVICE])
    assert not answer['failures'], answer['failures']
    return answer['services'][0]


def primary(s):
    """Is the PRIMARY deployment of a service."""
    return next(d for d in s['deployments'] if d['status'] == 'PRIMARY')


def problems(s):
    """Are the events since the PRIMARY deployment was made that tell of tasks that could not be placed or started."""
    return [e['message'] for e in s['events'] if 'unable' in e['message'] and e['createdAt'] > primary(s)['createdAt']]


def running(s):
    """Is how many of the service's running tasks are of its task definition."""
    arns = ecs.list_tasks(cluster=CLUSTER, serviceName=SERVICE)['taskArns']
    if not arns:
        return 0
    tasks = ecs.describe_tasks(cluster=CLUSTER, tasks=arns)['tasks']
    return sum(t['lastStatus'] == 'RUNNING' and t['taskDefinitionArn'] == s['taskDefinition'] for t in tasks)


def wait():
    """Waits until the deployment is done. Returns "" or what made it fail."""
    for _ in range(120):
        s = service()
        if primary(s).get('rolloutState') == 'FAILED':
            return primary(s)['rolloutStateReason']
        if problems(s):
            return problems(s)[0]
        if len(s['deployments']) == 1 and running(s) == s['desiredCount']:
            return ''
        time.sleep(0.5)
    return f'timeout: {service()}'


def register(change):
    """Registers the service's task definition again, with a change to its container and without what cannot be registered."""
    answer = ecs.describe_task_definition(taskDefinition=service()['taskDefinition'], include=['TAGS'])
    old = answer['taskDefinition']
    check_recent(old['registeredAt'])
    more = {k: v for k, v in old.items() if k not in (
        'family', 'containerDefinitions', 'volumes', 'taskRoleArn', 'executionRoleArn', 'revision', 'status', 'taskDefinitionArn',
        'requiresAttributes', 'compatibilities', 'registeredAt', 'registeredBy')}
    if answer['tags']:
        more['tags'] = answer['tags']
    containers = [{**c, **change} for c in old['containerDefinitions']]
    # without a role it sends an empty one
    new = ecs.register_task_definition(family=old['family'], containerDefinitions=containers, volumes=old['volumes'], taskRoleArn='', executionRoleArn='', **more)
    return new['taskDefinition']['taskDefinitionArn'], old['taskDefinitionArn']


def deploy(change):
    """Deploys a changed task definition. Returns what made it fail, and the definitions."""
    new, old = register(change)
    answer = ecs.update_service(cluster=CLUSTER, service=SERVICE, taskDefinition=new)
    assert answer['service']['taskDefinition'] == new, answer
    return wait(), new, old


# a deployment, after which the old task definition is deregistered
failure, new, old = deploy({'environment': [{'name': 'VERSION', 'value': '2'}]})
assert failure == '', failure
assert ecs.deregister_task_definition(taskDefinition=old)['taskDefinition']['status'] == 'INACTIVE'
assert service()['taskDefinition'] == new

# a scale
ecs.update_service(cluster=CLUSTER, service=SERVICE, desiredCount=2, taskDefinition=new)
failure = wait()
assert failure == '', failure
assert service()['runningCount'] == 2

# a task that is run once
ran = ecs.run_task(cluster=CLUSTER, taskDefinition=new, count=1, startedBy='ECS Deploy',
                   overrides={'containerOverrides': [{'name': 'main', 'command': ['sh', '-c', 'exit 0'], 'environment': [{'name': 'A', 'value': 'b'}]}]})
assert not ran['failures'] and ran['tasks'][0]['startedBy'] == 'ECS Deploy', ran

# a deployment that fits nowhere is an error because of an event, and is rolled back
failure, huge, old = deploy({'memory': 900000})
assert 'unable to place a task because no container instance met all of its requirements' in failure, failure
ecs.update_service(cluster=CLUSTER, service=SERVICE, taskDefinition=old)
failure = wait()
assert failure == '', failure
ecs.deregister_task_definition(taskDefinition=huge)

# a deployment that the circuit breaker fails
ecs.update_service(cluster=CLUSTER, service=SERVICE, deploymentConfiguration={'deploymentCircuitBreaker': {'enable': True, 'rollback': False}})
assert wait() == ''
failure, broken, old = deploy({'entryPoint': ['/no/such/program']})
assert 'ECS deployment circuit breaker' in failure, failure
assert primary(service())['failedTasks'] >= 3
ecs.update_service(cluster=CLUSTER, service=SERVICE, taskDefinition=old)
failure = wait()
assert failure == '', failure
