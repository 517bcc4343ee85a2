// Settings as devices of 2018 know them, with Microsoft's SDK for Node, unmodified: each comes as
// {"value": v}, and is answered with its value, a word for its state, and the version it is for.
//
//     node settings_story.mjs CONNECTION-STRING CA-FILE     MUSTER_NODE_FOLDER: the SDK is there
//
// Sets what it is told, and says a line of JSON for each; ends when its standard input does.

import { createRequire } from 'node:module';

const require = createRequire(`${process.env.MUSTER_NODE_FOLDER}/`);
const { Client } = require('azure-iot-device');
const { Mqtt } = require('azure-iot-device-mqtt');
const [connectionString, ca] = process.argv.slice(2);

const client = Client.fromConnectionString(connectionString, Mqtt);
await client.setOptions({ ca });
await client.open();
const twin = await client.getTwin();

function answer(name, value, version) {
  const status = value > 10 ? 'too fast' : 'completed';
  const patch = { [name]: { value, status, desiredVersion: version, message: `set to ${value}` } };
  twin.properties.reported.update(patch, (error) => {
    console.log(JSON.stringify({ name, value, error: error?.message ?? null }));
  });
}

twin.on('properties.desired', (change) => {
  for (const [name, setting] of Object.entries(change)) {
    if (!name.startsWith('$')) answer(name, setting.value, change.$version);
  }
});
console.log(JSON.stringify({ ready: true }));
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
