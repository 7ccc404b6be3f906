// Copies the front-end assets out of node_modules to shared/static/vendor, each with its licence beside it.
// Run again at will: the folder is made anew and put in place of the old one.
import { cp, mkdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const modules = join(root, "node_modules");
const vendor = join(root, "shared", "static", "vendor");

/** folder in vendor → [package, { name there: path in the package }] */
const assets = {
  // The design system of the German administration, unmodified; what it lacks is in look.css.
  kern: ["@kern-ux/native", { "kern.min.css": "dist/kern.min.css", "LICENSE.md": "LICENSE.md" }],
  "fira-sans": [
    "@fontsource/fira-sans",
    {
      "regular.woff2": "files/fira-sans-latin-400-normal.woff2",
      "semibold.woff2": "files/fira-sans-latin-600-normal.woff2",
      "bold.woff2": "files/fira-sans-latin-700-normal.woff2",
      LICENSE: "LICENSE",
    },
  ],
  "swagger-ui": [
    "swagger-ui-dist",
    {
      "swagger-ui-bundle.js": "swagger-ui-bundle.js",
      "swagger-ui-bundle.js.LICENSE.txt": "swagger-ui-bundle.js.LICENSE.txt",
      "swagger-ui.css": "swagger-ui.css",
      "favicon-32x32.png": "favicon-32x32.png",
      LICENSE: "LICENSE",
      NOTICE: "NOTICE",
    },
  ],
  asyncapi: [
    "@asyncapi/react-component",
    {
      "index.js": "browser/standalone/index.js",
      "index.js.LICENSE.txt": "browser/standalone/index.js.LICENSE.txt",
      "default.min.css": "styles/default.min.css",
      LICENSE: "LICENSE",
    },
  ],
};

async function copy(target) {
  for (const [folder, [name, files]] of Object.entries(assets)) {
    await mkdir(join(target, folder), { recursive: true });
    for (const [there, here] of Object.entries(files)) {
      await cp(join(modules, name, here), join(target, folder, there), { preserveTimestamps: true });
    }
  }
}

function fail(sentence) {
  console.error(sentence);
  process.exit(1);
}

if (!(await stat(modules).catch(() => null))) {
  fail("There is no node_modules folder here yet. Run: npm ci");
}
const fresh = `${vendor}.${process.pid}`;
try {
  await copy(fresh);
} catch (error) {
  await rm(fresh, { recursive: true, force: true });
  if (error.code !== "ENOENT") throw error;
  fail(`${error.path} is missing: the installed packages are not those of package-lock.json. Run: npm ci`);
}
await rm(vendor, { recursive: true, force: true });
await rename(fresh, vendor);
console.log(`Front-end assets: ${Object.keys(assets).join(", ")}.`);
