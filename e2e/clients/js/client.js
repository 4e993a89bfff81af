// The client of all scripts here: the SDK as it comes, which reads the endpoint, the region and the key from the environment.
'use strict';
const assert = require('node:assert/strict');
const ecs = require('@aws-sdk/client-ecs');

const client = new ecs.ECS({});

// often lets waiters ask more often than every 15 seconds; how long they wait at most is in seconds too.
const often = { client, minDelay: 1, maxDelay: 1, maxWaitTime: 60 };

// sleeper registers a definition of one small container that runs until it is stopped, and returns its ARN.
async function sleeper(family) {
  const { taskDefinition } = await client.registerTaskDefinition({
    family,
    containerDefinitions: [{
      name: 'main', image: 'berth-test/busybox:1', entryPoint: ['/bin/busybox'], command: ['sleep', '3600'], cpu: 16, memory: 16, stopTimeout: 2,
    }],
  });
  assertRecent(taskDefinition.registeredAt, 'registeredAt');
  return taskDefinition.taskDefinitionArn;
}

// assertRecent checks that a time is one, and of the last minutes.
function assertRecent(time, what) {
  assert(time instanceof Date, `${what} is no time: ${time}`);
  assert(Math.abs(Date.now() - time) < 300_000, `${what} is ${time.toISOString()}`);
}

// main runs a script's steps; what they throw ends the program with it.
function main(...steps) {
  (async () => { for (const step of steps) await step(); })().catch((err) => {
    console.error(err);
    process.exitCode = 1;
  });
}

module.exports = { ecs, client, often, sleeper, assertRecent, main };
