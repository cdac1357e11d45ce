'use strict';
// The CometD project's JavaScript client, in Node by way of its adapter: a callback for each event.

const {Meter, what} = require('./meter.js');
const {createRequire} = require('module');
const {pathToFileURL} = require('url');

// Both packages are ES modules, and stand with the tests.
const modules = createRequire(`${process.env.NODE_PATH}/`);
const load = name => import(pathToFileURL(modules.resolve(name)));

(async () => {
    const {adapt} = await load('cometd-nodejs-client');
    const {CometD} = await load('cometd');
    adapt();
    const meter = new Meter();
    const cometd = new CometD();
    cometd.configure({url: what.url, logLevel: 'warn'});
    cometd.unregisterTransport('websocket');
    cometd.handshake(reply => {
        if (!reply.successful) {
            console.error(JSON.stringify(reply));
            process.exit(1);
        }
        for (const channel of what.channels) {
            cometd.subscribe(channel, event => meter.event(event.data));
        }
    });
})();
