/** Lines of a document that ask a person, with their numbers. */
const decisionsOf = (text: string): { line: number; text: string }[] =>
  text.split('\n').flatMap((line, at) => {
    const asked = /#\s*(.*\bDECIDE\b.*)$/.exec(line)?.[1];
    return asked === undefined ? [] : [{ line: at + 1, text: asked.trim() }];
  });

/** The README of a new runbook: what lies there, what is to be decided, and the commands that come next. */
export function readmeText(
  name: string,
  folder: string,
  from: string,
  documents: Readonly<Record<string, string>>,
): string {
  const decisions = Object.entries(documents).flatMap(([file, text]) =>
    decisionsOf(text).map((each) => `- [ ] \`${file}:${each.line}\` ${each.text.replace(/^DECIDE /, 'Decide ')}`),
  );
  const command = `${folder}/runbook.yaml --plan ${folder}/plan.yaml`;
  return `# ${name}

Made from \`${from}\`. \`runbook.yaml\` says what happens, \`conversion.yaml\` how a record looks on either side, \`plan.yaml\` who does it,
when, and in which waves.

## To decide

${decisions.length > 0 ? decisions.join('\n') : 'Nothing is marked in the documents.'}
- [ ] \`plan.yaml\`: people, and exact openings under \`windows:\` when the pattern of the runbook does not suit
- [ ] \`runbook.yaml\`: time zone, holidays, thresholds under \`success:\`, what an agent reads out under \`script:\`

## Then

\`\`\`
npx cutover check ${command}
npx cutover check ${command} --live
npx cutover plan  ${command}
\`\`\`
`;
}
