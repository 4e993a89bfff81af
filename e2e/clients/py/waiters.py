"""Waits for a service and a task with each of boto3's waiters, until it is so and where it cannot become so."""
from client import check_gives_up, check_recent, ecs, sleeper, wait

waiters = {w for w in ecs.waiter_names if not w.startswith('daemon')}  # daemons are not served
assert waiters == {'services_inactive', 'services_stable', 'tasks_running', 'tasks_stopped'}, waiters

NAME = 'py-waiters'
definition = sleeper(NAME)
service = {'services': [NAME]}
check_gives_up('services_stable', **service)
ecs.create_service(serviceName=NAME, taskDefinition=definition, desiredCount=1)
task = ecs.run_task(taskDefinition=definition, count=1)['tasks'][0]['taskArn']
wait('services_stable', **service)
stable = ecs.describe_services(**service)['services'][0]
assert (stable['runningCount'], stable['deployments'][0]['rolloutState']) == (1, 'COMPLETED'), stable
check_recent(stable['events'][0]['createdAt'])
ecs.delete_service(service=NAME, force=True)
wait('services_inactive', **service)
check_gives_up('services_stable', **service)

wait('tasks_running', tasks=[task])
ecs.stop_task(task=task, reason='waited for')
wait('tasks_stopped', tasks=[task])
stopped = ecs.describe_tasks(tasks=[task])['tasks'][0]
assert (stopped['stopCode'], stopped['stoppedReason']) == ('UserInitiated', 'waited for'), stopped
for when in ('createdAt', 'startedAt', 'stoppedAt'):
    check_recent(stopped[when])
check_gives_up('tasks_running', tasks=[task])
