/**
 * `npm run issuer`: the issuer of the tests, to try out signing in on one's own machine. It takes any email for what it is
 * told, so it is for that alone. It runs until it is stopped.
 */

import { clientId, RealIssuer } from './provider.ts';

const port = 8090;
const home = process.argv[2] ?? 'http://127.0.0.1:8082';

const { url } = await RealIssuer.open({ port, pages: [`${home}/`, `${home}/inspector`] });
process.stdout.write(
  `Issuer: ${url}, client ${clientId}, for the pages of ${home}. It believes whatever it is told.\n`,
);
