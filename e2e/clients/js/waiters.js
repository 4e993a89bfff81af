// Waits for a service and a task with each of the SDK's waiters, until it is so and where it cannot become so.
'use strict';
const assert = require('node:assert/strict');
const { ecs, client, often, sleeper, assertRecent, main } = require('./client.js');

const waiters = ['waitUntilServicesInactive', 'waitUntilServicesStable', 'waitUntilTasksRunning', 'waitUntilTasksStopped'];

async function everyWaiterIsKnown() {
  const all = Object.keys(ecs).filter((k) => k.startsWith('waitUntil') && !k.includes('Daemon')); // daemons are not served
  assert.deepEqual(all.sort(), waiters);
}

// givesUp checks that a waiter ends with the state FAILURE, and not because of the time.
async function givesUp(waiting, what) {
  await assert.rejects(waiting, (err) => JSON.parse(err.message).state === 'FAILURE', what);
}

async function services() {
  const service = 'js-waiters';
  const which = { services: [service] };
  await givesUp(ecs.waitUntilServicesStable(often, which), 'a service that is not there');
  const made = await client.createService({ serviceName: service, taskDefinition: await sleeper(service), desiredCount: 1 });
  assertRecent(made.service.createdAt, 'createdAt');
  assert.equal((await ecs.waitUntilServicesStable(often, which)).state, 'SUCCESS');
  const { services: [stable] } = await client.describeServices(which);
  assert.equal(stable.runningCount, 1);
  assert.equal(stable.deployments[0].rolloutState, 'COMPLETED');
  assertRecent(stable.events[0].createdAt, "an event's createdAt");
  await client.deleteService({ service, force: true });
  assert.equal((await ecs.waitUntilServicesInactive(often, which)).state, 'SUCCESS');
  await givesUp(ecs.waitUntilServicesStable(often, which), 'a deleted service');
}

async function tasks() {
  const taskDefinition = await sleeper('js-waiters-task');
  const { tasks: [{ taskArn }] } = await client.runTask({ taskDefinition });
  const which = { tasks: [taskArn] };
  assert.equal((await ecs.waitUntilTasksRunning(often, which)).state, 'SUCCESS');
  await client.stopTask({ task: taskArn, reason: 'waited for' });
  assert.equal((await ecs.waitUntilTasksStopped(often, which)).state, 'SUCCESS');
  const { tasks: [task] } = await client.describeTasks(which);
  assert.equal(task.stoppedReason, 'waited for');
  for (const when of ['createdAt', 'startedAt', 'stoppedAt']) assertRecent(task[when], when);
  await givesUp(ecs.waitUntilTasksRunning(often, which), 'a stopped task');
}

main(everyWaiterIsKnown, () => Promise.all([services(), tasks()]));
