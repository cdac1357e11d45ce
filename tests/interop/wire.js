'use strict';
// What passes over HTTP, seen from outside of the Bayeux library: it cannot be mistaken about itself.

const {say} = require('./lines.js');

let exchanges = 0;
let losing = false;

/** Have the next response with an event cut off on its way: its server has sent it, its client gets nothing. */
exports.lose = () => { losing = true; };

/**
 * Print each exchange of an HTTP server: "request" when it has arrived, "response" when it is over.
 * To be called after the library was attached: faye takes away the listeners that it finds.
 */
exports.observe = httpServer => {
    httpServer.prependListener('request', (request, response) => {
        const exchange = ++exchanges;
        let body = '';
        request.on('data', chunk => { body += chunk; });
        request.on('end', () => say('request', {exchange, at: Date.now(), messages: parse(body)}));
        let answer = '';
        let answered = null;
        const end = response.end;
        response.end = function (content, ...rest) {
            answer = typeof content === 'string' ? content : '';
            if (losing && answer.includes('"data"')) {
                losing = false;
                say('lost');
                return this.destroy();
            }
            // Before it leaves: on a busy machine "close" comes milliseconds after the client has it.
            answered = Date.now();
            return end.call(this, content, ...rest);
        };
        // "close" comes in any case; without "finish" before it the client went away.
        response.on('close', () => say('response', {
            exchange,
            at: answered ?? Date.now(),
            status: response.statusCode,
            complete: response.writableFinished,
            messages: parse(answer),
        }));
    });
};

/** Listen on loopback; prints "listening" with the URL, whose port is the one to ask for after a restart. */
exports.listen = (httpServer, port, path) => {
    httpServer.on('error', problem => { throw problem; });
    httpServer.listen(port, '127.0.0.1', () => {
        const taken = httpServer.address().port;
        say('listening', {url: `http://127.0.0.1:${taken}${path}`, port: taken});
    });
};

function parse(text) {
    try {
        return JSON.parse(text);
    } catch {
        return text;
    }
}
