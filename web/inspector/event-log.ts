/**
 * The events that arrive from /inspect/ws, newest last. It holds at most `linesMax` lines and says how many it dropped.
 * Paused, it shows what it showed and goes on collecting.
 */

import type { AnyEvent, StateValue } from '../../src/inspect/answers.ts';

export const linesMax = 500;

export interface LogLine {
  /** Rises by one with every event that arrived. */
  readonly number: number;
  readonly at: number;
  readonly address: string;
  readonly event: AnyEvent;
  readonly from?: string | undefined;
  readonly operation?: string | undefined;
  /** The state after it. */
  readonly value?: StateValue | undefined;
  readonly version?: number | undefined;
  /** Nothing took it. */
  readonly isRefused?: boolean | undefined;
}

export interface EventLog {
  readonly lines: readonly LogLine[];
  /** How many events arrived in all. */
  readonly arrived: number;
  /** The number of the newest line to show; undefined while it runs. */
  readonly pausedAt: number | undefined;
}

export const emptyLog: EventLog = { lines: [], arrived: 0, pausedAt: undefined };

/** The log with what arrived; the oldest lines leave it. */
export function withLines(log: EventLog, come: readonly Omit<LogLine, 'number'>[], max = linesMax): EventLog {
  if (come.length === 0) return log;
  const numbered = come.map((line, i) => ({ ...line, number: log.arrived + i + 1 }));
  return { ...log, lines: [...log.lines, ...numbered].slice(-max), arrived: log.arrived + come.length };
}

export function paused(log: EventLog): EventLog {
  return { ...log, pausedAt: log.arrived };
}

export function resumed(log: EventLog): EventLog {
  return { ...log, pausedAt: undefined };
}

/** Without its lines; counting goes on. */
export function cleared(log: EventLog): EventLog {
  return { ...log, lines: [] };
}

/** Events that arrived since it was paused. */
export function waitingIn({ arrived, pausedAt }: EventLog): number {
  return pausedAt === undefined ? 0 : arrived - pausedAt;
}

function words(line: LogLine): string {
  const refused = line.isRefused === true ? 'refused' : '';
  const state = line.value === undefined ? '' : JSON.stringify(line.value);
  return `${line.address} ${line.event.type} ${line.from ?? ''} ${line.operation ?? ''} ${state} ${refused}`.toLowerCase();
}

/** The lines to show: not those behind a pause, and those alone in which every word of the filter occurs. */
export function shownLines({ lines, pausedAt }: EventLog, filter: string): readonly LogLine[] {
  const wanted = filter.toLowerCase().split(/\s+/).filter(Boolean);
  return lines.filter((line) => {
    if (pausedAt !== undefined && line.number > pausedAt) return false;
    const text = words(line);
    return wanted.every((word) => text.includes(word));
  });
}
