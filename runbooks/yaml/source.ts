import {
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Document,
  type Node,
  type YAMLMap,
} from 'yaml';

export type Path = readonly (string | number)[];

/** A parsed file that still knows where each value was written. */
export interface YamlSource {
  file: string;
  text: string;
  document: Document.Parsed;
  lineCounter: LineCounter;
}

export interface Place {
  file: string;
  line: number;
  column: number;
}

/** Syntax errors do not throw; they are in `document.errors`. */
export function parseSource(file: string, text: string): YamlSource {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false, merge: false });
  return { file, text, document, lineCounter };
}

export function placeAt(source: YamlSource, offset: number): Place {
  const { line, col } = source.lineCounter.linePos(offset);
  return { file: source.file, line: Math.max(1, line), column: Math.max(1, col) };
}

/** Where the value at `path` stands; when it is absent, where its nearest written ancestor stands. */
export function placeOf(source: YamlSource, path: Path): Place {
  return placeAt(source, walk(source, path).valueOffset);
}

/** Where the key of the value at `path` stands (the value itself for an item of a list). */
export function placeOfKey(source: YamlSource, path: Path): Place {
  return placeAt(source, walk(source, path).keyOffset);
}

/** The node at `path`, or undefined. */
export function nodeAt(source: YamlSource, path: Path): Node | undefined {
  const { node, complete } = walk(source, path);
  return complete ? node : undefined;
}

function pairOf(map: YAMLMap, key: string | number) {
  return map.items.find((item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(key));
}

interface Walk {
  node: Node | undefined;
  keyOffset: number;
  valueOffset: number;
  complete: boolean;
}

function walk(source: YamlSource, path: Path): Walk {
  let node: Node | undefined = source.document.contents ?? undefined;
  const start = node?.range?.[0] ?? 0;
  let at: Walk = { node, keyOffset: start, valueOffset: start, complete: true };
  for (const part of path) {
    const next = isMap(node)
      ? stepIntoMap(node, part)
      : isSeq(node)
        ? stepIntoSeq(node.items[Number(part)])
        : undefined;
    if (!next) return { ...at, complete: false };
    at = next;
    node = next.node;
  }
  return at;
}

function stepIntoMap(map: YAMLMap, part: string | number): Walk | undefined {
  const pair = pairOf(map, part);
  if (!pair) return undefined;
  const key = pair.key as Node;
  const value = (pair.value ?? undefined) as Node | undefined;
  const keyOffset = key.range?.[0] ?? 0;
  return { node: value, keyOffset, valueOffset: value?.range?.[0] ?? keyOffset, complete: true };
}

function stepIntoSeq(item: unknown): Walk | undefined {
  if (!item) return undefined;
  const node = item as Node;
  const offset = node.range?.[0] ?? 0;
  return { node, keyOffset: offset, valueOffset: offset, complete: true };
}
