/** Times and durations as one reads them, in English. */

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

function pad(number: number, digits = 2): string {
  return String(number).padStart(digits, '0');
}

/** Local time with milliseconds, behind its date if that is another than `now` has: `28 Nov 14:03:22.120`. */
export function timeText(date: Date, now: Date): string {
  const time = `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}.${pad(date.getMilliseconds(), 3)}`;
  if (date.toDateString() === now.toDateString()) return time;
  const year = date.getFullYear() === now.getFullYear() ? '' : ` ${date.getFullYear()}`;
  return `${date.getDate()} ${months[date.getMonth()]}${year} ${time}`;
}

/** With two or three figures that matter: `120 ms`, `1.25 s`, `3 min`, `5.5 h`, `12 d`. */
export function durationText(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1_000).toFixed(ms < 9_995 ? 2 : 1)} s`;
  if (ms < 59.5 * minuteMs) return `${Math.round(ms / minuteMs)} min`;
  return ms < 23.95 * hourMs ? `${(ms / hourMs).toFixed(1)} h` : `${Math.round(ms / dayMs)} d`;
}
