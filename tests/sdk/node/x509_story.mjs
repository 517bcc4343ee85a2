// A device with a certificate, played by Microsoft's SDK for Node, unmodified. Its authority has been
// added and verified, its leaf is made; it provisions over the transport named by the first
// argument, then it meets the hub over MQTT.
//
//     node x509_story.mjs mqtt|http     MUSTER: the program; MUSTER_DATA: the running server's
//                                       folder; MUSTER_NODE_FOLDER: where the SDK is installed;
//                                       DEVICE: {id, addedBefore, certificate, key, revocation}

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const { MUSTER, MUSTER_DATA, MUSTER_NODE_FOLDER } = process.env;
const transport = process.argv[2];
const require = createRequire(`${MUSTER_NODE_FOLDER}/`);
const { Client, Message } = require('azure-iot-device');
const { Mqtt } = require('azure-iot-device-mqtt');
const { ProvisioningDeviceClient } = require('azure-iot-provisioning-device');
const { X509Security } = require('azure-iot-security-x509');
const Provisioning = {
  mqtt: require('azure-iot-provisioning-device-mqtt').Mqtt,
  http: require('azure-iot-provisioning-device-http').Http,
}[transport];

const { id, addedBefore, certificate, key, revocation } = JSON.parse(process.env.DEVICE);
const x509 = { cert: readFileSync(certificate, 'ascii'), key: readFileSync(key, 'ascii') };

const run = promisify(execFile);
async function muster(...words) {
  return (await run(MUSTER, [...words, '--data', MUSTER_DATA])).stdout.trim();
}
async function musterJson(...words) {
  return JSON.parse(await muster(...words, '--json'));
}
const device = () => musterJson('device', 'show', id);

function step(text) {
  console.log(`- ${text}`);
}

function within(seconds, promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${seconds} s: ${what}`)), seconds * 1000);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

const info = await musterJson('info');

function register() {
  const client = ProvisioningDeviceClient.create(
    info.provisioningHost, info.idScope, new Provisioning(), new X509Security(id, x509));
  return within(25, client.register(), 'registration');
}

if (!addedBefore) {
  step('unknown, it is refused when it is switched on; its operator sees it and lets it in');
  await assert.rejects(register(), (error) =>
    error.result?.registrationState?.errorCode === 400209);
  const seen = await device();
  assert.equal(seen.status, 'registered');
  assert.equal(seen.approved, false);
  assert.equal(seen.template, null);
  await muster('device', 'approve', id);
  await muster('device', 'associate', id, '--template', 'generic');
}

step('it is assigned');
const { assignedHub, deviceId } = await register();
assert.equal(deviceId, id);
assert.equal((await device()).status, 'provisioned');

async function hubClient() {
  const client = Client.fromConnectionString(
    `HostName=${assignedHub};DeviceId=${deviceId};x509=true`, Mqtt);
  await client.setOptions({ ...x509, ca: info.caFile });
  return client;
}

step('it connects with the same certificate, and its telemetry is seen');
const client = await hubClient();
await within(10, client.open(), 'connection');
const monitor = spawn(MUSTER, ['monitor', '--json', '--from-start', '--device', id,
  '--data', MUSTER_DATA], { stdio: ['ignore', 'pipe', 'inherit'] });
const messages = createInterface({ input: monitor.stdout });
const nextMessage = () => within(10, once(messages, 'line'), 'message').then(([line]) => JSON.parse(line));
const shown = nextMessage();
await within(10, client.sendEvent(new Message(JSON.stringify({ temperature: 21.5 }))),
  'acknowledgement');
assert.deepEqual((await shown).body, { temperature: 21.5 });

// The SDK comes back by itself and tells nobody, so it is the server that is asked.
async function assertCutOff(connection, ...order) {
  const started = Date.now();
  await muster(...order);
  while ((await device()).connected) {
    assert(Date.now() - started < 1000, 'still connected after a second');
  }
  await connection.close();
  const refused = await hubClient();
  await assert.rejects(within(20, refused.open(), 'refusal'), { name: 'UnauthorizedError' });
  await assert.rejects(register());
}

step('blocked, it is cut off and refused');
await assertCutOff(client, 'device', 'block', id);

step('unblocked, it is what it was, and works again');
await muster('device', 'unblock', id);
assert.equal((await device()).status, 'provisioned');
const again = await hubClient();
await within(10, again.open(), 'connection');
const shownAgain = nextMessage();
await within(10, again.sendEvent(new Message('"back"')), 'acknowledgement');
assert.equal((await shownAgain).body, 'back');

step('revoked by its authority, it is cut off and cannot come back');
for (const words of revocation.slice(0, -1)) await muster(...words);
assert.equal((await device()).connected, true);
await assertCutOff(again, ...revocation.at(-1));
monitor.kill();
process.exit(0);
