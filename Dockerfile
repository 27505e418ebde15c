# The uWebSockets.js binary for Node 24 needs glibc 2.38 or newer: Debian 13, and not Alpine.
FROM node:24-trixie-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# What "npm install" runs at its end; without Vite it builds nothing and says so.
COPY web/build.ts web/
# Not "npm ci": it refuses a lockfile that lacks optional packages of other platforms.
RUN npm install --omit=dev \
 && find node_modules/uWebSockets.js -name 'uws_*.node' \
      ! -name "uws_linux_$(node -p process.arch)_$(node -p process.versions.modules).node" -delete \
 && node -e "require('uWebSockets.js')"

# The pages need what the server does not: Vite and what they are made of.
FROM node:24-trixie-slim AS pages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm install --ignore-scripts
COPY . .
RUN npm run prepare

FROM node:24-trixie-slim
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=8082 \
    JOURNAL=lmdb:/data
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY . .
COPY --from=pages /app/web/dist web/dist
RUN install -d -o node -g node /data
USER node
VOLUME /data
EXPOSE 8082
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/livez').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# Not npm: it would end before the server has drained. Node 24 strips the types itself.
CMD ["node", "--max-semi-space-size=64", "actors/cli/troupe.js", "start"]
