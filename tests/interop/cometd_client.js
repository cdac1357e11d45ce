'use strict';
// The CometD project's JavaScript client, in Node by way of its adapter.
// Options: url, ack (true or false), and anything that CometD.configure() takes.

const {obey, options, say} = require('./lines.js');

// Both packages are ES modules; `require` cannot load those in Node 18.
const loaded = (async () => {
    const {adapt} = await import('cometd-nodejs-client');
    const {CometD} = await import('cometd');
    const {AckExtension} = await import('cometd/AckExtension.js');
    adapt();
    return {CometD, AckExtension};
})();

const {ack, ...settings} = options({ack: false});

async function main() {
    const {CometD, AckExtension} = await loaded;
    const cometd = new CometD();
    cometd.configure({logLevel: 'warn', ...settings});
    cometd.unregisterTransport('websocket');
    if (ack) {
        cometd.registerExtension('ack', new AckExtension());
    }
    for (const meta of ['handshake', 'connect', 'subscribe', 'unsubscribe', 'publish', 'disconnect']) {
        cometd.addListener(`/meta/${meta}`, message => say('reply', message));
    }

    // Subscriptions are cleared by a new handshake, by design; the manual says to make them anew here.
    const wanted = new Map();
    const onEvent = subscription => event => say('event', {subscription, channel: event.channel, data: event.data});
    cometd.addListener('/meta/handshake', message => {
        if (message.successful) {
            cometd.batch(() => {
                for (const channel of wanted.keys()) {
                    wanted.set(channel, cometd.subscribe(channel, onEvent(channel)));
                }
            });
        }
    });

    const replyTo = ask => new Promise(resolve => ask(resolve));
    const publish = (channel, data) => replyTo(done => cometd.publish(channel, data, done));
    obey({
        handshake: () => replyTo(done => {
            // The callback is kept for later handshakes too.
            cometd.handshake(done);
        }),
        subscribe: ({channel}) => replyTo(done => {
            wanted.set(channel, cometd.subscribe(channel, onEvent(channel), done));
        }),
        unsubscribe: ({channel}) => replyTo(done => {
            cometd.unsubscribe(wanted.get(channel), done);
            wanted.delete(channel);
        }),
        publish: ({channel, data}) => publish(channel, data),
        batch: ({subscribe, publish: [channel, data]}) => new Promise(resolve => {
            const replies = [];
            const done = reply => replies.push(reply) === 2 && resolve(replies);
            cometd.batch(() => {
                wanted.set(subscribe, cometd.subscribe(subscribe, onEvent(subscribe), done));
                cometd.publish(channel, data, done);
            });
        }),
        flood: async ({channel, count}) => {
            for (let n = 0; n < count; ++n) {
                await publish(channel, {n});
            }
        },
        disconnect: () => replyTo(done => cometd.disconnect(done)),
        status: () => cometd.getStatus(),
    });
    say('ready');
}

main();
