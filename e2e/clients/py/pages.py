"""Goes through all lists of a file by boto3's paginators: whole with pages of one item, and in two parts."""
import json
import sys

from client import ecs

with open(sys.argv[1], encoding='utf-8') as f:
    LISTS = json.load(f)


def method(operation):
    """Is an operation's name in Python: "ListTasks" is "list_tasks"."""
    return ''.join('_' + c.lower() if c.isupper() else c for c in operation)[1:]


def listed(a_list, config):
    """Is what a paginator yields of a list, and its token for the rest."""
    pages = ecs.get_paginator(method(a_list['operation'])).paginate(PaginationConfig=config, **a_list['parameters'])
    items = pages.build_full_result()[a_list['result']]
    return [i[a_list['item']] if a_list['item'] else i for i in items], pages.resume_token


for op in ecs.meta.service_model.operation_names:
    if ecs.can_paginate(method(op)):
        assert op in [a['operation'] for a in LISTS], f'no list is for {op}'

for a in LISTS:
    got, _ = listed(a, {'PageSize': 1})
    assert got == a['want'], (a, got)
    got, token = listed(a, {'PageSize': 2, 'MaxItems': 1})  # the rest of the first page has to be kept in the token
    assert (token is None) == (len(a['want']) < 2), (a, token)
    if token is not None:
        rest, _ = listed(a, {'PageSize': 2, 'StartingToken': token})
        got += rest
    assert got == a['want'], (a, got)
