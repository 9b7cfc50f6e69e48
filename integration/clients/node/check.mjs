// What the programs share.
import { deepStrictEqual } from "node:assert";

// check compares an answer.
export function check(what, got, want) {
  try {
    deepStrictEqual(got, want);
  } catch {
    throw new Error(`${what}: got ${JSON.stringify(got)}, want ${JSON.stringify(want)}`);
  }
}

// fails checks that a promise fails with a SQLSTATE.
export async function fails(what, promise, code) {
  let error;
  await promise.catch((e) => (error = e));
  check(what, error?.code ?? error?.driverError?.code, code);
}

// range returns the numbers from 0 up to, without, n.
export const range = (n) => [...Array(n).keys()];

// main runs a program and ends the process.
export async function main(name, program) {
  try {
    await program(process.env.DATABASE_URL);
  } catch (e) {
    console.error(`${name}: ${e.stack}`);
    process.exit(1);
  }
  process.exit(0);
}
