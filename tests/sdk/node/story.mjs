// The whole story with Microsoft's SDK for Node, unmodified: a device made in a factory meets its
// operator. Provisioning over the transport named by the first argument, then the hub over MQTT.
//
//     node story.mjs mqtt|http      MUSTER: the program; MUSTER_DATA: the running server's folder;
//                                   MUSTER_NODE_FOLDER: where the SDK is installed

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const { MUSTER, MUSTER_DATA, MUSTER_NODE_FOLDER } = process.env;
const transport = process.argv[2];
const require = createRequire(`${MUSTER_NODE_FOLDER}/`);
const { Client, Message } = require('azure-iot-device');
const { Mqtt } = require('azure-iot-device-mqtt');
const { ProvisioningDeviceClient } = require('azure-iot-provisioning-device');
const { SymmetricKeySecurityClient } = require('azure-iot-security-symmetric-key');
const Provisioning = {
  mqtt: require('azure-iot-provisioning-device-mqtt').Mqtt,
  http: require('azure-iot-provisioning-device-http').Http,
}[transport];

const run = promisify(execFile);
const id = `node-${transport}`;

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
const { primaryKey } = await musterJson('enrollment', 'show', 'SAS-IoT-Devices', '--keys');

step('the factory makes the key, offline, from the key of the group');
const { stdout } = await run(MUSTER, ['keygen', `-mk:${primaryKey}`, `-di:${id}`]);
const key = stdout.trim().split(/\s+/).pop();

function register() {
  const security = new SymmetricKeySecurityClient(id, key);
  const client = ProvisioningDeviceClient.create(
    info.provisioningHost, info.idScope, new Provisioning(), security);
  return within(25, client.register(), 'registration');
}

step('switched on for the first time it is refused, and its operator sees it');
const isRefusal = (error) => error.result?.registrationState?.errorCode === 400209;
await assert.rejects(register(), isRefusal);
const seen = await device();
assert.equal(seen.status, 'registered');
assert.equal(seen.approved, false);
assert.equal(seen.template, null);

step('approved and associated, it is assigned with the next attempt');
await muster('device', 'approve', id);
await muster('device', 'associate', id, '--template', 'generic');
const { assignedHub, deviceId } = await register();
assert.equal(deviceId, id);
assert.equal((await device()).status, 'provisioned');

function hubClient() {
  const client = Client.fromConnectionString(
    `HostName=${assignedHub};DeviceId=${deviceId};SharedAccessKey=${key}`, Mqtt);
  return client.setOptions({ ca: info.caFile }).then(() => client);
}

step('it connects and its telemetry is seen');
const client = await hubClient();
await within(10, client.open(), 'connection');
const monitor = spawn(MUSTER, ['monitor', '--json', '--from-start', '--device', id,
  '--data', MUSTER_DATA], { stdio: ['ignore', 'pipe', 'inherit'] });
const messages = createInterface({ input: monitor.stdout });
const nextMessage = () => within(10, once(messages, 'line'), 'message').then(([line]) => JSON.parse(line));
const telemetry = new Message(JSON.stringify({ temperature: 21.5 }));
telemetry.contentType = 'application/json';
telemetry.properties.add('alarm', 'no & yes');
const shown = nextMessage();
await within(10, client.sendEvent(telemetry), 'acknowledgement');
const message = await shown;
assert.deepEqual(message.body, { temperature: 21.5 });
assert.deepEqual(message.properties, { alarm: 'no & yes' });
assert.equal(message.system['content-type'], 'application/json');

step('its reported property is seen');
const twin = await within(10, client.getTwin(), 'twin');
await within(10, promisify(twin.properties.reported.update.bind(twin.properties.reported))(
  { firmware: '1.2' }), 'report');
assert.equal((await musterJson('device', 'twin', id)).properties.reported.firmware, '1.2');

step('it receives a desired setting');
const desired = new Promise((resolve) => {
  twin.on('properties.desired', (patch) => patch.fan !== undefined && resolve(patch));
});
// The SDK subscribes when the handler is set and tells nobody when that is done.
await musterJson('device', 'twin', id, '--desired', '{"fan":7}');
const patch = await within(10, desired, 'desired setting');
assert.equal(patch.fan, 7);

step('it answers a method');
const called = new Promise((resolve) => {
  client.onDeviceMethod('reboot', (request, response) => {
    resolve(request.payload);
    response.send(200, { rebooting: true });
  });
});
const answer = await musterJson('device', 'invoke', id, 'reboot', '--payload', '{"delay":1}',
  '--connect-timeout', '10', '--timeout', '10');
assert.deepEqual(await called, { delay: 1 });
assert.deepEqual(answer, { status: 200, payload: { rebooting: true } });

step('it receives a cloud-to-device message');
const received = once(client, 'message');
await muster('device', 'send', id, 'hello', '--property', 'note=a b+c&d=e%f');
const [c2d] = await within(10, received, 'cloud-to-device message');
assert.equal(c2d.data.toString(), 'hello');
assert.equal(c2d.properties.getValue('note'), 'a b+c&d=e%f');
await within(10, client.complete(c2d), 'completion');

step('blocked, it is cut off and refused');
await muster('device', 'block', id);
const blocked = await device();
assert.equal(blocked.status, 'blocked');
assert.equal(blocked.connected, false);
await client.close();
const refusedClient = await hubClient();
await assert.rejects(within(20, refusedClient.open(), 'refusal'), { name: 'UnauthorizedError' });
await assert.rejects(register(), isRefusal);

step('unblocked, it is what it was, and works again');
await muster('device', 'unblock', id);
assert.equal((await device()).status, 'provisioned');
const again = await hubClient();
await within(10, again.open(), 'connection');
const shownAgain = nextMessage();
await within(10, again.sendEvent(new Message('"back"')), 'acknowledgement');
assert.equal((await shownAgain).body, 'back');
await again.close();
monitor.kill();
process.exit(0);
