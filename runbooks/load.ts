import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { sortFindings, type Finding } from './finding';
import { conversionSchema, type Conversion } from './schema/conversion';
import { planSchema, type Plan } from './schema/plan';
import { runbookSchema, type Runbook } from './schema/runbook';
import { schemaFindings } from './yaml/schema-findings';
import { parseSource, type YamlSource } from './yaml/source';
import { syntaxFindings, trapFindings } from './yaml/traps';
import { unreadable } from './yaml/unreadable';

export interface FileNames {
  runbook: string;
  conversion: string;
  plan?: string;
}

/** Texts as written; `files` are the names findings show. */
export interface DocumentTexts {
  runbook: string;
  conversion: string;
  plan?: string;
  files: FileNames;
}

/** Parsed documents. A document that has errors is null; the findings say why. */
export interface Documents {
  runbook: Runbook | null;
  conversion: Conversion | null;
  plan: Plan | null;
  sources: { runbook: YamlSource; conversion: YamlSource; plan?: YamlSource };
  findings: Finding[];
}

export interface LoadedRunbook {
  runbook: Runbook | null;
  conversion: Conversion | null;
  runbookText: string;
  conversionText: string;
  findings: Finding[];
  files: FileNames;
}

export interface LoadedPlan {
  plan: Plan | null;
  planText: string;
  findings: Finding[];
}

/** Reads and validates texts, from files or from the control database. Never throws on bad input: see `findings`. */
export function parseDocuments(texts: DocumentTexts): Documents {
  const runbook = parseOne(texts.files.runbook, texts.runbook, runbookSchema);
  const conversion = parseOne(texts.files.conversion, texts.conversion, conversionSchema);
  const plan = texts.plan === undefined ? undefined : parseOne(texts.files.plan ?? 'plan.yaml', texts.plan, planSchema);
  return {
    runbook: runbook.value,
    conversion: conversion.value,
    plan: plan?.value ?? null,
    sources: { runbook: runbook.source, conversion: conversion.source, ...(plan && { plan: plan.source }) },
    findings: sortFindings([...runbook.findings, ...conversion.findings, ...(plan?.findings ?? [])]),
  };
}

/** Reads a runbook and the conversion it names. Throws when the runbook's file cannot be read. */
export async function loadRunbook(file: string): Promise<LoadedRunbook> {
  const runbookText = await readFile(file, 'utf8');
  const named = parseOne(file, runbookText, runbookSchema);
  const files: FileNames = { runbook: file, conversion: path.join(path.dirname(file), conversionName(named.source)) };
  const { text: conversionText, finding } = await readConversion(named.source, files.conversion);
  const docs = parseDocuments({ runbook: runbookText, conversion: conversionText, files });
  const { runbook, conversion } = docs;
  const findings = finding ? [finding, ...named.findings] : docs.findings;
  return {
    runbook,
    conversion: finding ? null : conversion,
    runbookText,
    conversionText,
    findings: sortFindings(findings),
    files,
  };
}

/** Throws when the file cannot be read. */
export async function loadPlan(file: string): Promise<LoadedPlan> {
  const planText = await readFile(file, 'utf8');
  const { value, findings } = parseOne(file, planText, planSchema);
  return { plan: value, planText, findings };
}

const packedSchema = z.strictObject({
  runbook: z.string(),
  conversion: z.string(),
  files: z.strictObject({ runbook: z.string(), conversion: z.string() }),
});

/** One document that holds both texts, so that one hash covers them. Only the files' base names are kept. */
export function packRunbook(runbookText: string, conversionText: string, files?: FileNames): string {
  const names = {
    runbook: path.basename(files?.runbook ?? 'runbook.yaml'),
    conversion: path.basename(files?.conversion ?? 'conversion.yaml'),
  };
  return JSON.stringify({ runbook: runbookText, conversion: conversionText, files: names });
}

/** Throws when `packed` was not made by `packRunbook`. */
export function unpackRunbook(packed: string): { runbook: string; conversion: string; files: FileNames } {
  return packedSchema.parse(JSON.parse(packed));
}

interface Parsed<T> {
  source: YamlSource;
  value: T | null;
  findings: Finding[];
}

function parseOne<T>(file: string, text: string, schema: z.ZodType<T>): Parsed<T> {
  const refused = unreadable(file, text);
  if (refused.length > 0) return { source: parseSource(file, ''), value: null, findings: refused };
  const source = parseSource(file, text);
  const syntax = syntaxFindings(source);
  if (syntax.length > 0) return { source, value: null, findings: syntax };
  const traps = trapFindings(source);
  if (traps.length > 0) return { source, value: null, findings: sortFindings(traps) };
  const data: unknown = source.document.toJS();
  const result = schema.safeParse(data);
  if (result.success) return { source, value: result.data, findings: [] };
  return { source, value: null, findings: sortFindings(schemaFindings(source, schema, data, result.error)) };
}

function conversionName(source: YamlSource): string {
  const named = source.document.errors.length === 0 ? source.document.get('conversion') : undefined;
  return typeof named === 'string' ? named : 'conversion.yaml';
}

async function readConversion(source: YamlSource, file: string): Promise<{ text: string; finding?: Finding }> {
  try {
    return { text: await readFile(file, 'utf8') };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    const line = source.text.split('\n').findIndex((text) => text.startsWith('conversion:')) + 1;
    const place = { file: source.file, line: Math.max(1, line), column: 1 };
    const remedy = 'write the path of the conversion file, relative to the runbook';
    return {
      text: '',
      finding: {
        ...place,
        code: 'missing-file',
        message: `the conversion file ${file} ${code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`}`,
        remedy,
        severity: 'error',
      },
    };
  }
}
