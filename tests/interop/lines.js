'use strict';
// JSON lines: facts go out on standard output, commands come in on standard input.
//
//   > {"number": 1, "command": "publish", "channel": "/a", "data": 1}
//   < {"fact": "done", "number": 1, "result": null}        or "failed" with a "problem"

const readline = require('node:readline');

/** Print a fact. Writes to files are synchronous in Node, so no fact is lost when the process is killed. */
exports.say = (fact, detail) => process.stdout.write(JSON.stringify({fact, ...detail}) + '\n');

/**
 * Carry out commands, each a function of the command's fields that may return a promise.
 * The process ends when standard input does, so that it never outlives a test run.
 */
exports.obey = commands => {
    const lines = readline.createInterface({input: process.stdin});
    lines.on('line', async line => {
        const {number, command, ...fields} = JSON.parse(line);
        try {
            if (!commands[command]) {
                throw new Error(`no such command; there are ${Object.keys(commands).join(', ')}`);
            }
            exports.say('done', {number, result: await commands[command](fields) ?? null});
        } catch (problem) {
            exports.say('failed', {number, problem: String(problem?.message ?? problem)});
        }
    });
    lines.on('close', () => process.exit(0));
};

/** The options of this program: one JSON object as its only argument. */
exports.options = defaults => ({...defaults, ...JSON.parse(process.argv[2] ?? '{}')});
