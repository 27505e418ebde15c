/**
 * Which route a request is for. Templates are `/v1/rooms/{roomId}/members`; a literal segment wins over a parameter.
 * A path that exists under other methods only is told apart from one that does not exist. It does no more than match:
 * parameters come out decoded, and checking them is their schema's work.
 */

export type Match<TRoute> =
  | { readonly kind: 'found'; readonly route: TRoute; readonly params: Readonly<Record<string, string>> }
  | { readonly kind: 'other-method'; readonly allow: readonly string[] }
  | { readonly kind: 'none' };

interface Node<TRoute> {
  readonly literals: Map<string, Node<TRoute>>;
  parameter: Node<TRoute> | undefined;
  readonly routes: Map<string, { readonly route: TRoute; readonly names: readonly string[] }>;
}

function node<TRoute>(): Node<TRoute> {
  return { literals: new Map(), parameter: undefined, routes: new Map() };
}

function decoded(segment: string): string {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

export class Router<TRoute extends { readonly method: string; readonly path: string }> {
  readonly #root: Node<TRoute> = node();

  constructor(routes: readonly TRoute[]) {
    for (const route of routes) this.#add(route);
  }

  #add(route: TRoute): void {
    const names: string[] = [];
    let at = this.#root;
    for (const segment of route.path.slice(1).split('/')) {
      if (segment.startsWith('{')) {
        names.push(segment.slice(1, -1));
        at.parameter ??= node();
        at = at.parameter;
      } else {
        const next: Node<TRoute> = at.literals.get(segment) ?? node();
        at.literals.set(segment, next);
        at = next;
      }
    }
    at.routes.set(route.method, { route, names });
  }

  match(method: string, path: string): Match<TRoute> {
    const values: string[] = [];
    const segments = path.slice(1).split('/');
    const end = this.#walk(this.#root, segments, 0, values);
    if (end === undefined) return { kind: 'none' };
    const found = end.routes.get(method) ?? (method === 'HEAD' ? end.routes.get('GET') : undefined);
    if (found === undefined) return { kind: 'other-method', allow: allowed(end) };
    const params: Record<string, string> = {};
    for (const [index, name] of found.names.entries()) params[name] = values[index] as string;
    return { kind: 'found', route: found.route, params };
  }

  #walk(at: Node<TRoute>, segments: readonly string[], index: number, values: string[]): Node<TRoute> | undefined {
    if (index === segments.length) return at.routes.size > 0 ? at : undefined;
    const segment = segments[index] as string;
    const literal = at.literals.get(segment);
    if (literal !== undefined) {
      const end = this.#walk(literal, segments, index + 1, values);
      if (end !== undefined) return end;
    }
    if (at.parameter === undefined || segment === '') return undefined;
    values.push(decoded(segment));
    const end = this.#walk(at.parameter, segments, index + 1, values);
    if (end === undefined) values.pop();
    return end;
  }
}

function allowed<TRoute>(at: Node<TRoute>): readonly string[] {
  const methods = [...at.routes.keys()];
  return [...methods, ...(at.routes.has('GET') ? ['HEAD'] : []), 'OPTIONS'];
}
