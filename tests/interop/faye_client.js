'use strict';
// The faye client. Options: url, retry in seconds.

const faye = require('faye');
const {obey, options, say} = require('./lines.js');

const {url, retry} = options({retry: 0.2});
const client = new faye.Client(url, {retry});
client.disable('websocket');
client.on('transport:down', () => say('down'));
client.on('transport:up', () => say('up'));
client.addExtension({
    incoming: (message, callback) => {
        // An event that a server sends to its publisher may still bear "successful"; see faye's server.
        if (message.data === undefined) {
            say('reply', message);
        }
        callback(message);
    },
});

const subscriptions = new Map();
const publish = (channel, data) => client.publish(channel, data).then(() => ({successful: true}), refused);
const refused = problem => ({successful: false, error: `${problem.code}:${problem.params}:${problem.message}`});
const subscribe = channel => {
    const subscription = client.subscribe(channel).withChannel((concrete, data) => {
        say('event', {subscription: channel, channel: concrete, data});
    });
    subscriptions.set(channel, subscription);
    return subscription.then(() => ({successful: true}), refused);
};
obey({
    handshake: () => new Promise(resolve => client.connect(() => resolve({successful: true}))),
    subscribe: ({channel}) => subscribe(channel),
    unsubscribe: ({channel}) => {
        subscriptions.get(channel).cancel();
        subscriptions.delete(channel);
    },
    publish: ({channel, data}) => publish(channel, data),
    // faye sends in one request whatever is asked for in one turn of the event loop.
    batch: ({subscribe: channel, publish: [target, data]}) => Promise.all([subscribe(channel), publish(target, data)]),
    flood: async ({channel, count}) => {
        for (let n = 0; n < count; ++n) {
            await publish(channel, {n});
        }
    },
    disconnect: () => client.disconnect().then(() => ({successful: true}), refused),
});
say('ready');
