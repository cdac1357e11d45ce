'use strict';
// The faye client: a callback for each event.

const {Meter, what} = require('./meter.js');
const faye = require('faye');

const meter = new Meter();
const client = new faye.Client(what.url);
client.disable('websocket');
for (const channel of what.channels) {
    client.subscribe(channel, data => meter.event(data)).then(() => {}, problem => {
        console.error(problem);
        process.exit(1);
    });
}
