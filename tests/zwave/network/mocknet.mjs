// A Z-Wave network without hardware: the real zwave-js driver and the real zwave-js server over zwave-js's own mock
// radio, in one process, on 127.0.0.1 only. It ends with SIGTERM, or when its standard input closes.
//
//   ZW_PORT   the server's WebSocket                      ZW_CACHE    a directory for the driver's cache
//   ZW_CTRL   faults and truth over HTTP, see control()   ZW_TXDELAY  ms each radio frame takes (10)
//                                                         ZW_REPORT   ms the driver waits for a lock's report (1000)
//                                                         ZW_ATTEMPTS how often it tries to reach a lock (3)
import http from "node:http";
import { mkdirSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { ZwavejsServer } from "@zwave-js/server";
import { MockController, MockNode } from "@zwave-js/testing";
import {
  createAndStartDriverWithMockPort, createDefaultMockControllerBehaviors, createDefaultMockNodeBehaviors,
} from "zwave-js/Testing";
import { brake, faultyBehavior, maskingBehavior } from "./faults.mjs";
import { LOCKS, capabilities, plant, truth, wipe } from "./locks.mjs";

const HOST = "127.0.0.1";
const PORT = Number(process.env.ZW_PORT ?? 3000);
const CONTROL = Number(process.env.ZW_CTRL ?? 3001);
const TX_DELAY = Number(process.env.ZW_TXDELAY ?? 10);
const REPORT = Number(process.env.ZW_REPORT ?? 1000);
const ATTEMPTS = Number(process.env.ZW_ATTEMPTS ?? 3);
const CACHE = process.env.ZW_CACHE ?? path.join(os.tmpdir(), `zwave-mock-${process.pid}`);

const healthy = () => ({ fault: null, delayMs: 0, battery: undefined });
const network = { ready: false, nodes: new Map(), conditions: new Map() };

async function startDriver() {
  mkdirSync(CACHE, { recursive: true });
  const started = await createAndStartDriverWithMockPort({
    logConfig: { enabled: false },
    storage: { cacheDir: CACHE, lockDir: path.join(CACHE, "locks") },
    emitValueUpdateAfterSetValue: true,
    features: { softReset: false },
    testingHooks: { skipFirmwareIdentification: true },
    timeouts: { report: REPORT },
    attempts: { sendData: ATTEMPTS },
  });
  started.driver.on("error", (error) => console.error("driver:", error.message));
  return started;
}

async function addLocks(mockPort, serial) {
  const controller = await MockController.create({ homeId: 0x7e570001, ownNodeId: 1, mockPort, serial });
  controller.defineBehavior(...createDefaultMockControllerBehaviors());
  for (const lock of LOCKS) await addLock(controller, lock);
}

async function addLock(controller, lock) {
  const node = await MockNode.create({ id: lock.id, controller, capabilities: capabilities(lock, TX_DELAY) });
  const condition = { ...healthy(), sets: 0, silenced: false };
  controller.addNode(node);
  node.defineBehavior(...createDefaultMockNodeBehaviors());
  node.defineBehavior(maskingBehavior(condition));
  node.defineBehavior(faultyBehavior(lock, condition));
  brake(node, condition);
  network.nodes.set(lock.id, node);
  network.conditions.set(lock.id, condition);
}

async function serve(driver) {
  const quiet = { debug() {}, info() {}, warn: console.warn, error: (text) => console.error("server:", String(text)) };
  const options = { port: PORT, host: HOST, enableDNSServiceDiscovery: false, logger: quiet };
  const server = new ZwavejsServer(driver, options);
  await server.start(true);
  endWithParent(async () => {
    await server.destroy();
    await driver.destroy();
  });
}

function endWithParent(close) {
  const end = () => close().finally(() => process.exit(0));
  process.once("SIGTERM", end);
  process.stdin.once("end", end).resume();
}

/**
 * GET /state                          { ready, locks: { "2": { fault, delayMs, sets, codes, users, status } } }
 * POST /fault {node, fault, delayMs}  gives one lock a fault, null heals it
 * POST /wipe {node}                   empties one lock behind the driver's back
 * POST /plant {node, slot, pin}       puts a code there behind the driver's back; enabled: false, name: optional
 * POST /reset                         heals and empties all
 */
function control(request, response, body) {
  const { node, ...details } = body ? JSON.parse(body) : {};
  switch (`${request.method} ${request.url}`) {
    case "POST /fault":
      setFault(node, details);
      break;
    case "POST /plant":
      plant(network.nodes.get(node), LOCKS.find((lock) => lock.id === node), details);
      break;
    case "POST /wipe":
      wipe(network.nodes.get(node));
      break;
    case "POST /reset":
      for (const id of network.nodes.keys()) reset(id);
      break;
    case "GET /state":
      break;
    default:
      response.statusCode = 404;
  }
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ ready: network.ready, locks: state() }));
}

function setFault(id, fault) {
  const condition = Object.assign(network.conditions.get(id), fault);
  network.nodes.get(id).autoAckControllerFrames = condition.fault !== "unreachable";
}

function reset(id) {
  setFault(id, healthy());
  wipe(network.nodes.get(id));
}

function state() {
  const locks = {};
  for (const [id, node] of network.nodes) locks[id] = { ...network.conditions.get(id), ...truth(node) };
  return locks;
}

function startControl() {
  const server = http.createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += chunk));
    request.on("end", () => control(request, response, body));
  });
  server.listen(CONTROL, HOST);
}

startControl();
const { driver, continueStartup, mockPort, serial } = await startDriver();
await addLocks(mockPort, serial);
driver.once("driver ready", () => serve(driver));
driver.once("all nodes ready", () => (network.ready = true));
continueStartup();
