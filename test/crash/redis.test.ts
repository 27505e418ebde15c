import { crashSuite } from './crash-suite.ts';

crashSuite({ kind: 'redis', kills: 25, storeKills: 6 });
