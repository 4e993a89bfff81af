"""Makes the wrong requests of a file and checks that they become boto3's classes of errors, with the error's code."""
import json
import sys

from botocore.exceptions import ClientError

from client import ecs

with open(sys.argv[1], encoding='utf-8') as f:
    REQUESTS = json.load(f)

tried = 0
for r in REQUESTS:
    if r['operation'] not in ecs.meta.service_model.operation_names:
        continue  # it is newer than this boto3
    method = ''.join('_' + c.lower() if c.isupper() else c for c in r['operation'])[1:]
    modelled = r['error'] in ecs.exceptions._code_to_exception  # pylint: disable=protected-access
    assert modelled or r['error'] == 'UnsupportedOperationException', r
    try:
        getattr(ecs, method)(**r['parameters'])
    except ClientError as e:
        if modelled:
            assert isinstance(e, getattr(ecs.exceptions, r['error'])), (r, e)
        assert e.response['Error']['Code'] == r['error'], (r, e)
        assert e.response['Error']['Message'], (r, e)
        assert e.response['ResponseMetadata']['HTTPStatusCode'] == 400, (r, e)
        assert e.response['ResponseMetadata']['RequestId'], (r, e)
    else:
        raise AssertionError(f'{r} was answered')
    tried += 1
assert tried >= 10, f'{tried} requests'
