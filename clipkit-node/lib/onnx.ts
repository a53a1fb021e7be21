// The ONNX Runtime library is the one of the package onnxruntime-node.

import { dirname, join } from "node:path";

import * as native from "../native";

// The package is found, not loaded: the library is opened when something first needs it. ORT_DYLIB_PATH goes before it.
try {
  const napi = join(dirname(require.resolve("onnxruntime-node/package.json")), "bin", "napi-v6");
  native.onnxRuntimeIn(join(napi, process.platform, process.arch));
} catch {
  // It is optional. What needs it says so.
}
