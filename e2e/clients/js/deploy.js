// Deploys as the GitHub action amazon-ecs-deploy-task-definition does, with the same requests in the same order: it registers the definition of
// a file that the CLI's describe-task-definition has printed, runs a task of it and waits for its end, and updates a service and waits for it.
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const { ecs, client, often, assertRecent, main } = require('./client.js');

const [, , file, service] = process.argv;
const cluster = 'default';

// readOnly are the members that describe-task-definition prints and RegisterTaskDefinition does not take.
const readOnly = [
  'compatibilities', 'taskDefinitionArn', 'requiresAttributes', 'revision', 'status', 'registeredAt', 'deregisteredAt', 'registeredBy',
];

// isEmpty tells null, "", and lists and objects of nothing but such.
function isEmpty(v) {
  if (v === null || v === undefined || v === '') return true;
  return typeof v === 'object' && Object.values(v).every(isEmpty);
}

// withoutEmpty is a value without all that is empty in it.
function withoutEmpty(v) {
  return JSON.parse(JSON.stringify(v, (_, x) => {
    if (isEmpty(x)) return undefined;
    return Array.isArray(x) ? x.filter((e) => !isEmpty(e)) : x;
  }));
}

async function register() {
  const printed = JSON.parse(fs.readFileSync(file));
  for (const member of readOnly.filter((m) => m !== 'deregisteredAt')) assert(member in printed, `the CLI prints no ${member}`);
  const definition = withoutEmpty(printed);
  for (const member of readOnly) delete definition[member];
  for (const c of definition.containerDefinitions) for (const e of c.environment) e.value ??= '';
  const { taskDefinition } = await client.registerTaskDefinition(definition);
  assert.equal(taskDefinition.revision, printed.revision + 1);
  assert.deepEqual(taskDefinition.containerDefinitions, printed.containerDefinitions);
  return taskDefinition.taskDefinitionArn;
}

// runTask runs one task of the definition to its end. What is not set is sent as null and empty lists.
async function runTask(taskDefinition) {
  const ran = await client.runTask({
    startedBy: 'GitHub-Actions', cluster, taskDefinition, launchType: 'EC2', capacityProviderStrategy: null, networkConfiguration: null,
    overrides: { containerOverrides: [{ name: 'main', command: ['sh', '-c', 'exit 0'] }] }, enableECSManagedTags: null, tags: [], volumeConfigurations: [],
  });
  assert.deepEqual(ran.failures, []);
  const tasks = ran.tasks.map((t) => t.taskArn);
  assert.equal((await ecs.waitUntilTasksStopped(often, { cluster, tasks })).state, 'SUCCESS');
  const ended = await client.describeTasks({ cluster, tasks });
  const containers = ended.tasks.flatMap((t) => t.containers);
  assert.deepEqual(containers.map((c) => c.exitCode), [0]);
  assert.equal(ended.tasks[0].startedBy, 'GitHub-Actions');
  assertRecent(ended.tasks[0].stoppedAt, 'stoppedAt');
}

async function updateService(taskDefinition) {
  const { services: [found], failures } = await client.describeServices({ services: [service], cluster });
  assert.deepEqual(failures, []);
  assert.equal(found.status, 'ACTIVE');
  assert(!found.deploymentController?.type || found.deploymentController.type === 'ECS');
  await client.updateService({
    cluster, service, taskDefinition, forceNewDeployment: false, enableECSManagedTags: null, propagateTags: null, volumeConfigurations: [],
  });
  assert.equal((await ecs.waitUntilServicesStable(often, { services: [service], cluster })).state, 'SUCCESS');
  const { services: [after] } = await client.describeServices({ services: [service], cluster });
  assert.equal(after.taskDefinition, taskDefinition);
  assert.equal(after.deployments[0].taskDefinition, taskDefinition);
  assert.equal(after.runningCount, found.desiredCount);
}

// missing is what the action says of a service that is not there, from the first failure.
async function missing() {
  const { failures: [failure] } = await client.describeServices({ services: ['nowhere'], cluster });
  assert.match(`${failure.arn} is ${failure.reason}`, /^arn:aws:ecs:.*:service\/default\/nowhere is MISSING$/);
}

let taskDefinition;
main(
  async () => { taskDefinition = await register(); },
  () => runTask(taskDefinition),
  () => updateService(taskDefinition),
  missing,
);
