import * as native from "../native";
import "./exit";
import "./onnx";

/** The command line: takes the terminal, blocks until it is done, answers the exit code. */
export function cli(args: string[]): number {
  return native.cli(args);
}
