import { crashSuite } from './crash-suite.ts';

crashSuite({ kind: 'lmdb', kills: 25, storeKills: 0 });
