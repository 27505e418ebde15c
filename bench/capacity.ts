/**
 * What so many users and messages need, from measured costs: plain arithmetic, each line with its formula, so that a page
 * can show it and anybody can put in other numbers. Nothing here measures.
 */

export interface CapacityInputs {
  /** Connected at the same time. */
  readonly users: number;
  /** Kept in Redis, settled. */
  readonly messages: number;
  /** Messages a user sends in a day. */
  readonly perUserDay: number;
  /** Busiest second beside the day's mean. */
  readonly peak: number;
  /** CPU of all nodes for one message, in µs. */
  readonly nodeMicros: number;
  readonly redisMicros: number;
  readonly socketBytes: number;
  readonly subscriptionBytes: number;
  /** ms of CPU in a second for 1,000 silent sockets, of a node. */
  readonly idleMs: number;
  /** In Redis, settled; and as written, until it has settled. */
  readonly messageBytes: number;
  readonly freshBytes: number;
  /** Days until a message has settled (`RETENTION_HOURS`). */
  readonly freshDays: number;
  readonly archiveBytes: number;
  /** Memory of a node for sockets, of a primary for data, in GiB. */
  readonly nodeGiB: number;
  readonly primaryGiB: number;
  readonly socketsPerNode: number;
  /** Part of a core that is used at the peak; a node and a primary use one core each. */
  readonly load: number;
}

export interface CapacityLine {
  readonly what: string;
  readonly formula: string;
  readonly value: number;
  readonly unit: string;
}

export interface Need {
  readonly what: string;
  readonly count: number;
}

export interface Capacity {
  readonly lines: readonly CapacityLine[];
  /** Nodes, by what asks for them; the most decides. */
  readonly nodes: readonly Need[];
  readonly primaries: readonly Need[];
}

const gib = 2 ** 30;
const daySeconds = 86_400;

export function capacityOf(inputs: CapacityInputs): Capacity {
  const { users, messages, perUserDay, peak, load } = inputs;
  const perSecond = ((users * perUserDay) / daySeconds) * peak;
  const nodeCores = (perSecond * inputs.nodeMicros) / 1e6 + ((users / 1_000) * inputs.idleMs) / 1_000;
  const redisCores = (perSecond * inputs.redisMicros) / 1e6;
  const socketGiB = (users * inputs.socketBytes) / gib;
  const fresh = users * perUserDay * inputs.freshDays;
  const settledGiB = (messages * inputs.messageBytes) / gib;
  const freshGiB = (fresh * Math.max(0, inputs.freshBytes - inputs.messageBytes)) / gib;
  const subscriptionGiB = (users * inputs.subscriptionBytes) / gib;
  const redisGiB = settledGiB + freshGiB + subscriptionGiB;
  const archiveGiB = (messages * inputs.archiveBytes) / gib;
  const line = (what: string, formula: string, value: number, unit: string): CapacityLine => ({
    what,
    formula,
    value,
    unit,
  });
  return {
    lines: [
      line('messages in the busiest second', 'users × perUserDay ÷ 86,400 × peak', perSecond, '/s'),
      line('cores of nodes', 'messages/s × nodeMicros ÷ 10⁶ + users ÷ 1,000 × idleMs ÷ 1,000', nodeCores, 'cores'),
      line('cores of Redis', 'messages/s × redisMicros ÷ 10⁶', redisCores, 'cores'),
      line('memory of sockets', 'users × socketBytes', socketGiB, 'GiB'),
      line('settled messages in Redis', 'messages × messageBytes', settledGiB, 'GiB'),
      line('not settled yet, on top', 'users × perUserDay × freshDays × (freshBytes − messageBytes)', freshGiB, 'GiB'),
      line('subscriptions in Redis', 'users × subscriptionBytes', subscriptionGiB, 'GiB'),
      line('archive', 'messages × archiveBytes', archiveGiB, 'GiB'),
    ],
    nodes: [
      { what: 'CPU: cores ÷ load', count: nodeCores / load },
      { what: 'memory: GiB of sockets ÷ nodeGiB', count: socketGiB / inputs.nodeGiB },
      { what: 'sockets: users ÷ socketsPerNode', count: users / inputs.socketsPerNode },
    ],
    primaries: [
      { what: 'memory: GiB in Redis ÷ primaryGiB', count: redisGiB / inputs.primaryGiB },
      { what: 'CPU: cores ÷ load', count: redisCores / load },
    ],
  };
}
