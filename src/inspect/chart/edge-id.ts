/**
 * How a transition is named in charts: by its state, its place among that state's transitions, and which of its targets.
 * It is what xstate/graph calls an edge, so that whoever says which transition was taken and whoever draws it agree.
 */

/** Of a transition on an event. */
export function edgeIdOf(state: string, index: number, target = 0): string {
  return `${state}:${index}:${target}`;
}

/** Of an eventless one (`always`), which xstate/graph leaves out. */
export function alwaysIdOf(state: string, index: number, target = 0): string {
  return `${state}:always${index}:${target}`;
}
