// Makes the wrong requests of a file and checks that they become the SDK's classes of errors.
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const { ecs, client, main } = require('./client.js');

const requests = JSON.parse(fs.readFileSync(process.argv[2]));

// unmodelled are errors that the SDK has no class for.
const unmodelled = ['UnsupportedOperationException'];

async function typedErrors() {
  assert(requests.length > 0);
  for (const { operation, parameters, error } of requests) {
    const method = operation[0].toLowerCase() + operation.slice(1);
    const what = `${operation} ${JSON.stringify(parameters)}`;
    const err = await client[method](parameters).then(() => null, (e) => e);
    const type = unmodelled.includes(error) ? ecs.ECSServiceException : ecs[error];
    assert(type, `the SDK has no ${error}`);
    assert(err instanceof type, `${what}: ${err}, want ${error}`);
    assert.equal(err.name, error, what);
    assert.equal(err.$fault, 'client', what);
    assert.equal(err.$metadata.httpStatusCode, 400, what);
    assert(err.message && err.$metadata.requestId, `${what}: no message or request id`);
  }
}

main(typedErrors);
