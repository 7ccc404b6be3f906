// Reads {name: AsyncAPI document} from standard input and answers {name: [complaint]}, by AsyncAPI's own parser.
import { createRequire } from "node:module";
import { text } from "node:stream/consumers";

const { Parser } = createRequire(import.meta.url)("@asyncapi/parser");

const SEVERITY = ["error", "warning"]; // information and hints are no complaints
const documents = JSON.parse(await text(process.stdin));
const parser = new Parser();
const answer = {};
for (const [name, document] of Object.entries(documents)) {
  const { document: read, diagnostics } = await parser.parse(JSON.stringify(document));
  const complaints = diagnostics
    .filter(({ severity }) => severity < SEVERITY.length)
    .map(({ severity, code, message, path }) => `${SEVERITY[severity]} ${code} at ${path.join(".")}: ${message}`);
  answer[name] = read || complaints.length ? complaints : ["error: not read"];
}
console.log(JSON.stringify(answer));
