// Parses ABL files with tree-sitter-abl: parse.mjs FILE... prints `file:line:column: what` for each mistake and ends with 1
// if there is one. Run node with --liftoff-only: V8 spends minutes on optimising the grammar otherwise, and does not end.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(process.env.STANDIN_ABL_MODULES + "/");
const { Parser, Language } = await import(pathToFileURL(require.resolve("web-tree-sitter")));
await Parser.init();
const parser = new Parser();
parser.setLanguage(
  await Language.load(require.resolve("@usagi-coffee/tree-sitter-abl/tree-sitter-abl.wasm")),
);

const files = process.argv.slice(2);
if (files.length === 0) throw new Error("no file was given");
let mistakes = 0;
for (const file of files) {
  const tree = parser.parse(readFileSync(file, "utf8"));
  const look = (node) => {
    if (node.isError || node.isMissing) {
      const { row, column } = node.startPosition;
      const what = node.isMissing ? `${node.type} is missing` : `not understood: ${node.text.slice(0, 60).replaceAll("\n", " ")}`;
      console.log(`${file}:${row + 1}:${column + 1}: ${what}`);
      mistakes += 1;
    }
    for (const child of node.children) if (child.hasError || child.isError || child.isMissing) look(child);
  };
  look(tree.rootNode);
  tree.delete();
}
console.log(`tree-sitter: ${files.length} files, ${mistakes} mistakes`);
process.exitCode = mistakes > 0 ? 1 : 0;
