"""The client of all scripts here: boto3 as it comes. It is older than 1.28 on Debian 12, and is told the endpoint in code."""
import datetime
import os

import boto3
from botocore.exceptions import WaiterError

ecs = boto3.client('ecs', endpoint_url=os.environ['AWS_ENDPOINT_URL'])

# OFTEN lets waiters ask more often than they do by themselves.
OFTEN = {'Delay': 1, 'MaxAttempts': 60}


def sleeper(family):
    """Registers a definition of one small container that runs until it is stopped, and returns its ARN."""
    definition = ecs.register_task_definition(family=family, containerDefinitions=[{
        'name': 'main', 'image': 'berth-test/busybox:1', 'entryPoint': ['/bin/busybox'], 'command': ['sleep', '3600'],
        'cpu': 16, 'memory': 16, 'stopTimeout': 2,
    }])['taskDefinition']
    check_recent(definition['registeredAt'])
    return definition['taskDefinitionArn']


def check_recent(time):
    """Checks that a time is one, and of the last minutes."""
    assert isinstance(time, datetime.datetime), time
    age = datetime.datetime.now(datetime.timezone.utc) - time
    assert abs(age) < datetime.timedelta(minutes=5), time


def wait(name, **which):
    """Waits with the waiter of a name."""
    ecs.get_waiter(name).wait(WaiterConfig=OFTEN, **which)


def check_gives_up(name, **which):
    """Checks that a waiter gives up because of what it is told, not because of the time."""
    try:
        wait(name, **which)
    except WaiterError as e:
        assert 'terminal failure state' in str(e), e
        return
    raise AssertionError(f'{name} {which} did not give up')
