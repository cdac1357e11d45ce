'use strict';
// The faye server. Options: port, timeout in ms (as for the other server; faye itself counts seconds).

const http = require('node:http');
const faye = require('faye');
const {obey, options, say} = require('./lines.js');
const {listen, lose, observe} = require('./wire.js');

const {port, timeout} = options({port: 0, timeout: 30000});
const bayeux = new faye.NodeAdapter({mount: '/faye', timeout: timeout / 1000});

// faye's events do not tell our own client, through which we publish, from those of the network; the
// request of an extension does.
const sessions = new Set();
const refused = new Set();
bayeux.addExtension({
    incoming: (message, request, callback) => {
        const channel = message.channel === '/meta/subscribe' ? message.subscription : message.channel;
        if (request && refused.has(channel)) {
            message.error = `403:${channel}:Refused by policy`;
        }
        callback(message);
    },
    outgoing: (message, request, callback) => {
        if (request && message.channel === '/meta/handshake' && message.successful) {
            sessions.add(message.clientId);
            say('opened', {session: message.clientId});
        }
        callback(message);
    },
});
const subscriptions = new Map();
bayeux.on('subscribe', (session, channel) => subscriptions.set(`${session} ${channel}`, channel));
bayeux.on('unsubscribe', (session, channel) => subscriptions.delete(`${session} ${channel}`));
bayeux.on('disconnect', session => {
    if (sessions.delete(session)) {
        say('closed', {session});
    }
});

const httpServer = http.createServer();
bayeux.attach(httpServer);
observe(httpServer);

// Connected first: what is published while faye's client is still connecting may leave in another order.
const publisher = bayeux.getClient();
publisher.connect(() => listen(httpServer, port, '/faye'));

obey({
    publish: async ({channel, data}) => { await publisher.publish(channel, data); },
    flood: async ({channel, count}) => {
        for (let n = 0; n < count; ++n) {
            publisher.publish(channel, {n});
        }
    },
    lose,
    sessions: () => [...sessions],
    subscriptions: () => [...subscriptions.values()],
    refuse: ({channel}) => { refused.add(channel); },
    allow: ({channel}) => { refused.delete(channel); },
    // What faye itself does when a session expires; a client that is well never lets it come to that.
    forget: () => {
        for (const session of [...sessions]) {
            bayeux._server._engine.destroyClient(session);
        }
    },
});
