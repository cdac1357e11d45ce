'use strict';
// The CometD project's server for Node. Options: port, timeout and maxInterval in ms, ack (true or false).

const http = require('node:http');
const {createCometDServer} = require('cometd-nodejs-server');
const {AcknowledgedMessagesExtension} = require('cometd-nodejs-server/ack-extension');
const {obey, options, say} = require('./lines.js');
const {listen, lose, observe} = require('./wire.js');

const {port, ack, ...settings} = options({port: 0, ack: false, timeout: 30000, maxInterval: 10000});
const bayeux = createCometDServer(settings);
if (ack) {
    bayeux.addExtension(new AcknowledgedMessagesExtension());
}

const sessions = new Map();
bayeux.addListener('sessionAdded', session => {
    sessions.set(session.id, session);
    say('opened', {session: session.id});
});
bayeux.addListener('sessionRemoved', (session, expired) => {
    sessions.delete(session.id);
    say('closed', {session: session.id, expired});
});

const refused = new Set();
bayeux.policy = {
    canSubscribe: (session, message, channel, callback) => callback(undefined, !refused.has(channel.name)),
    canPublish: (session, message, channel, callback) => callback(undefined, !refused.has(channel.name)),
};

const httpServer = http.createServer(bayeux.handle);
observe(httpServer);
listen(httpServer, port, '/cometd');

obey({
    publish: ({channel, data}) => bayeux.createServerChannel(channel).publish(null, data),
    flood: ({channel, count}) => {
        for (let n = 0; n < count; ++n) {
            bayeux.createServerChannel(channel).publish(null, {n});
        }
    },
    lose,
    sessions: () => [...sessions.keys()],
    subscriptions: () => [...sessions.values()].flatMap(each => each.subscriptions.map(channel => channel.name)),
    refuse: ({channel}) => { refused.add(channel); },
    allow: ({channel}) => { refused.delete(channel); },
    // What the server's own sweep does when a session expires. There is no public way: while a connect is
    // held a session never expires, so a client that is well could not be made to lose it.
    forget: () => {
        for (const session of [...sessions.values()]) {
            session._scheduler?.cancel();
            bayeux._removeServerSession(session, true);
        }
    },
    disconnect: () => [...sessions.values()].forEach(session => session.disconnect()),
});
