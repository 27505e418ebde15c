/** Nothing that was acknowledged is lost or done twice, whatever is killed whenever (issue 2, section 5.2). */

import { beforeAll, describe, expect, test } from 'vitest';
import { type Report, runStorm, type StormOptions } from './storm.ts';

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1_000_000));
const stormMs = 600_000;

export function crashSuite(options: Pick<StormOptions, 'kind' | 'kills' | 'storeKills'>): void {
  const { kind, kills, storeKills } = options;
  describe(`killed again and again on ${kind}`, () => {
    let report: Report;
    beforeAll(async () => {
      process.stdout.write(`crash test on ${kind}: SEED=${seed}\n`);
      report = await runStorm({ ...options, seed });
      process.stdout.write(`${report.summary}\n`);
    }, stormMs);

    test('the server and its store were killed often enough', () => {
      expect(report.kills).toBeGreaterThanOrEqual(kills);
      expect(report.storeKills).toBeGreaterThanOrEqual(storeKills);
      expect(report.completed).toBeGreaterThan(report.kills);
    });

    test('every acknowledged operation is there exactly once', () => {
      expect(report.violations).toEqual([]);
    });

    test('every operation that was started has ended', () => {
      expect(report.completed + report.errors).toBe(report.operations);
    });

    test('sockets that reconnect get notifications again', () => {
      expect(report.deaf).toEqual([]);
    });

    test('views and snapshots agree with the journal', () => {
      for (const { code, output } of report.verifications) {
        expect(output).toMatch(/[1-9]\d* snapshots?, .* everything agrees with the journal/);
        expect(code).toBe(0);
      }
    });

    test('the last server stops in order', () => {
      expect(report.exitCode).toBe(0);
    });
  });
}
