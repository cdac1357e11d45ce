'use strict';
// What each client measures of itself: see meter.py, which says what is measured and when.

const fs = require('fs');

const TENTHS = 10;
const what = JSON.parse(process.argv[2]);

function status() {
    const found = {};
    for (const line of fs.readFileSync('/proc/self/status', 'utf8').split('\n')) {
        const [name, rest] = line.split(':');
        if (name === 'VmRSS' || name === 'VmHWM') {
            found[name] = parseInt(rest) * 1024;
        } else if (name === 'voluntary_ctxt_switches') {
            found[name] = parseInt(rest);
        }
    }
    return found;
}

// Seconds of user and system time, all threads included.
function cpuTime() {
    const {user, system} = process.cpuUsage();
    return (user + system) / 1e6;
}

const now = () => Number(process.hrtime.bigint()) / 1e9;

class Meter {
    constructor() {
        this.seen = 0;
        this.total = what.warm + what.events;
        this.marks = [];
        for (let part = 1; part < TENTHS; ++part) {
            this.marks.push(what.warm + Math.floor(what.events * part / TENTHS));
        }
        this.next = 1;
        this.cpu = [];
        this.base = 0;
        this.latencies = [];
    }

    event(data) {
        ++this.seen;
        if (what.timed && this.seen > what.warm) {
            this.latencies.push(now() - data.event.published);
        }
        if (this.seen >= this.next) {
            this.mark();
        }
    }

    mark() {
        let cpu = cpuTime();
        if (!this.base) {
            this.base = status().VmRSS;
            fs.writeFileSync('/proc/self/clear_refs', '5');
            this.next = what.warm;
        } else if (this.seen >= this.total) {
            this.end(cpu);
        } else {
            if (!this.cpu.length) {
                this.switches = status().voluntary_ctxt_switches;
                this.begun = this.seen;
                this.wall = now();
                cpu = cpuTime();
            }
            this.cpu.push(cpu);
            while (this.marks.length && this.marks[0] <= this.seen) {
                this.marks.shift();
            }
            this.next = this.marks.length ? this.marks[0] : this.total;
        }
    }

    end(cpu) {
        const wall = now() - this.wall;
        this.cpu.push(cpu);
        const {VmHWM, voluntary_ctxt_switches: switches} = status();
        console.log(JSON.stringify({
            events: this.seen - this.begun,
            cpu: cpu - this.cpu[0],
            wall,
            rss_base: this.base,
            rss_peak: Math.max(VmHWM, this.base),
            switches: switches - this.switches,
            tenths: this.cpu.slice(1).map((after, index) => after - this.cpu[index]),
            ...(what.timed ? {latencies: this.latencies} : {}),
        }));
        process.exit(0);
    }
}

module.exports = {Meter, what};
