# One image for the worker, the gateway and the command; what runs is said by the command line (compose.yaml).
# Temporal's native part needs glibc: slim, not alpine.
FROM node:20-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN npm run build && rm -rf dist/test dist/bench

FROM node:20-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund

FROM node:20-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY --from=build /app/package.json ./
COPY --from=build /app/dist ./dist
COPY --from=build /app/runbooks ./runbooks
USER node
ENTRYPOINT ["node"]
CMD ["dist/workers/main.js"]
