/** `npm run screenshots`: takes the pictures of the README anew, in Chromium. */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { buildPages, pagesState } from '../../web/build.ts';
import { takeChatScreenshots } from './chat/screenshots.ts';
import { takeInspectorScreenshots } from './inspector/screenshots.ts';

const folder = join(import.meta.dirname, '../../docs/screenshots');

if (pagesState() !== 'fresh') await buildPages();
mkdirSync(folder, { recursive: true });
const taken = [...(await takeChatScreenshots(folder)), ...(await takeInspectorScreenshots(folder))];
for (const name of taken) process.stdout.write(`docs/screenshots/${name}.png\n`);
process.exit(0);
