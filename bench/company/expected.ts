import { withClient } from '../../local/with-client';
import { IMAGES } from './schema';

/** Count, two sums of hashes of every row's text: equal only when the rows are, whatever their order. */
const imageSql = (select: string, from: string): string =>
  `select count(*) || '/' || coalesce(sum(hashtextextended(r::text, 0)), 0) || '/' || coalesce(sum(hashtextextended(r::text, 1)), 0) as image
   from (select ${select} from ${from}) r`;

/** Rows of the target that are not what plain SQL computes from the source, table by table; empty when all are. */
export async function unlike(sourceUrl: string, targetUrl: string): Promise<string[]> {
  const image = (url: string, select: string, from: string): Promise<string> =>
    withClient(url, async (client) => {
      await client.query(`set timezone = 'UTC'`);
      return (await client.query<{ image: string }>(imageSql(select, from))).rows[0]!.image;
    });
  const found: string[] = [];
  for (const { source, target } of IMAGES) {
    const [expected, held] = await Promise.all([
      image(sourceUrl, source.select, `${source.table} s`),
      image(targetUrl, target.select, `${target.table} t`),
    ]);
    if (expected !== held) found.push(`${target.table}: ${held} rows/hashes, SQL computes ${expected}`);
  }
  return found;
}
