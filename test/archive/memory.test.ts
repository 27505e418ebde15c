import { MemoryObjects } from '../../src/archive/memory.ts';
import { describeArchive } from './conformance.ts';

describeArchive('memory', {
  create: async () => {
    const objects = new Map<string, Uint8Array>();
    return { open: () => new MemoryObjects(objects), dispose: async () => {} };
  },
});
