#!/usr/bin/env node
// node: promises and timers on one thread. A model in another language, over the --serve protocol of bench/README.md.
import { execFileSync } from "node:child_process";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";

// What each item does, and what it must leave: the one shares no code with the other.
const workloads = {
  sleepers: {
    async item(p, i) {
      const due = performance.now() + p.delay_us / 1000; // a timer may fire a part of a millisecond early
      for (let left; (left = due - performance.now()) > 0; ) await wait(Math.ceil(left));
      return BigInt(i);
    },
    expected: (p, i) => BigInt(i),
  },
  sum_squares: {
    item(p) {
      let low = 0, high = 0; // halves of 64 bits: numbers are exact below 2 ** 53
      for (let i = 0; i < p.n; ++i) {
        low += (i * i) >>> 0;
        high += Math.floor((i * i) / 2 ** 32);
        if (i % 2 ** 20 === 0) (high += Math.floor(low / 2 ** 32)), (low %= 2 ** 32);
      }
      return BigInt.asUintN(64, (BigInt(high) << 32n) + BigInt(low));
    },
    expected: ({ n }) => BigInt.asUintN(64, ((BigInt(n) - 1n) * BigInt(n) * (2n * BigInt(n) - 1n)) / 6n),
  },
};

async function pass({ item }, p, outputs, seen) {
  let next = 0, alive = 0;
  const lane = async () => {
    for (let i; (i = next++) < p.tasks; --alive) {
      seen.executions += 1;
      seen.peak_alive = Math.max(seen.peak_alive, ++alive);
      outputs[i] = await item(p, i);
    }
  };
  await Promise.all(Array.from({ length: Math.min(p.in_flight ?? p.tasks, p.tasks) }, lane));
}

// FNV-1a, eight bytes at a time: equal for all models that did the same work.
const checksum = (outputs) =>
  outputs.reduce((sum, word) => ((sum = BigInt.asUintN(64, (sum ^ word) * 0x100000001b3n)), sum ^ (sum >> 29n)), 0xcbf29ce484222325n);

const whole = (number, least) => Number.isInteger(number) && number >= least;

async function answer({ do: what, workload, params: p, iterations = 1, untimed = 0 }) {
  const work = workloads[workload];
  if (what === "describe" && work) return described({ do: what, workload, params: p });
  if (!["gate", "sample"].includes(what) || !work) return { outcome: "usage", reason: "no such request or workload" };
  if (!whole(iterations, 1) || !whole(untimed, 0)) return { outcome: "usage", reason: "iterations is a whole number from 1, untimed one from 0" };
  for (let k = 0; k < untimed; ++k) await pass(work, p, [], {});
  const outputs = [], seen = { executions: 0, peak_alive: 0 };
  const cpu = process.cpuUsage(), start = process.hrtime.bigint();
  for (let k = 0; k < iterations; ++k) await pass(work, p, outputs, seen);
  const wall_ns = Number(process.hrtime.bigint() - start), { user, system } = process.cpuUsage(cpu);
  if (seen.executions !== p.tasks * iterations) return { outcome: "wrong", reason: `${seen.executions} items ran` };
  const wrong = outputs.findIndex((output, i) => output !== work.expected(p, i));
  if (wrong >= 0) return { outcome: "wrong", reason: `item ${wrong} left ${outputs[wrong]}` };
  if (what === "gate") return { outcome: "ok", account: { ...seen, threads: 1, processes: 1, kernel_objects: ["eventpoll"] } };
  const units = p.tasks * iterations, meters = { wall_ns, cpu_user_ns: user * 1000, cpu_sys_ns: system * 1000 };
  return { outcome: "ok", iterations, units, scheduled: units, checksum: checksum(outputs).toString(16).padStart(16, "0"), start_ns: Number(start), ...meters };
}

// The cells are those of the other models: serial's bench lies beside this one.
const serial = (input) => execFileSync(join(dirname(process.argv[1]), "bench_serial"), ["--serve"], { input, encoding: "utf8" }).trim().split("\n").map((line) => JSON.parse(line));
const own = ({ least_ns, ...cell }) => (cell.params.n > 94906265 ? { ...cell, status: "unsupported", reason: "i * i is exact below 2 ** 53 only" } : cell);
const [hello] = serial("");
const cells = hello.cells.filter((cell) => cell.workload in workloads).map(own);

// What serial says of a cell at another size holds here, too.
function described(request) {
  const [, told] = serial(JSON.stringify(request) + "\n");
  return told.outcome === "ok" ? { ...told, cell: own(told.cell) } : told;
}

const say = (line) => process.stdout.write(JSON.stringify(line) + "\n");
const facts = { at_once: 100000, back_end: "eventpoll", resources: { threads: 1, processes: 1 }, versions: { node: process.version } };
say({ protocol: 1, model: "node", family: "peer", variant_of: "node", engineering: "library", ...facts, pid: process.pid, worker_pids: [], verbs: { can_sleep: "" }, cells });
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  if (request.do === "quit") break;
  say(await answer(request));
}
process.exit(0);
