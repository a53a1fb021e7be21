// The ONNX Runtime library is the one of the package onnxruntime-node, unless ORT_DYLIB_PATH is set.

import { dirname, join } from "node:path";

import * as native from "../native";

// The package is found, not loaded: the library is opened when a model is first needed.
if (!process.env.ORT_DYLIB_PATH) {
  try {
    const napi = join(dirname(require.resolve("onnxruntime-node/package.json")), "bin", "napi-v6");
    native.setOnnxLibrary(join(napi, process.platform, process.arch));
  } catch {
    // The package is optional. A stage that needs the library says that it is missing.
  }
}
