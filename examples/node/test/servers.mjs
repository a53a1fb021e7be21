// Servers of the tests' own.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";

/** A port of this machine that nothing listens on. */
export async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  await new Promise((closed) => server.close(closed));
  return port;
}

/** Starts a Redis with its data in a folder. */
export async function startRedis(folder) {
  const port = await freePort();
  const options = ["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--appendonly", "yes", "--maxmemory-policy", "noeviction", "--dir", folder];
  const child = spawn("redis-server", options, { stdio: ["ignore", "pipe", "inherit"] });
  for await (const chunk of child.stdout) if (/Ready to accept connections/.test(chunk)) break;
  return { port, connection: { host: "127.0.0.1", port }, stop: () => stop(child) };
}

/** Ends a process, if it has not ended. */
export async function stop(child, signal) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill(signal);
  await once(child, "exit");
}
