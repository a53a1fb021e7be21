// The end of the process destroys the ONNX Runtime's static objects, which threads that still work would use.

import { isMainThread } from "node:worker_threads";

import * as native from "../native";

if (isMainThread) process.once("exit", () => native.shutDown());
