#!/usr/bin/env node
// The bin. Newer Nodes strip types themselves; for the others tsx does it, which costs a tenth of a second.
if (!process.features.typescript) {
  const { register } = await import('tsx/esm/api');
  register();
}
const { main } = await import('./main.ts');
await main(process.argv);
